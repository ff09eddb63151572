using System.ComponentModel;
using System.Diagnostics.CodeAnalysis;
using System.Linq.Expressions;

namespace Datacake.Data;

/// <summary>
/// The builder of an entity class in <see cref="DatacakeContext.OnModelCreating"/>. Its declarations override attributes.
/// </summary>
[SuppressMessage("Naming", "CA1716:Identifiers should not match keywords", Justification = "The names are those of Entity Framework, and nobody implements the class.")]
public abstract class EntityTypeBuilder<T>
    where T : class
{
    private protected EntityTypeBuilder()
    {
    }

    /// <summary>Declares the key: <c>p => p.Number</c>, or several properties in order: <c>p => new { p.Country, p.Number }</c>.</summary>
    public abstract EntityTypeBuilder<T> HasKey(Func<T, object?> properties);

    /// <summary>
    /// Declares an index on a property (<c>p => p.Category</c>, <c>p => p.Address.City</c>, or a set), or on several properties together
    /// (<c>p => new { p.Category, p.Price }</c>).
    /// </summary>
    /// <param name="properties">The properties, the leading one first.</param>
    /// <param name="name">The name shown in query plans; null to join the property names by underscores.</param>
    public abstract IndexBuilder HasIndex(Func<T, object?> properties, string? name = null);

    /// <summary>
    /// Returns the builder of a property: <c>p => p.Name</c>, or of an owned object's property: <c>p => p.Address.City</c>.
    /// </summary>
    public abstract PropertyBuilder<TProperty> Property<TProperty>(Func<T, TProperty?> property);

    /// <summary>Returns the builder of a property that may be null.</summary>
    public abstract PropertyBuilder<TProperty> Property<TProperty>(Func<T, TProperty?> property)
        where TProperty : struct;

    /// <summary>Excludes a property from storage.</summary>
    public abstract EntityTypeBuilder<T> Ignore(Func<T, object?> property);

    /// <summary>Names the keyspace. Default: the name of the context's property.</summary>
    public abstract EntityTypeBuilder<T> ToKeyspace(string name);

    /// <summary>
    /// Makes a delete win over updates on nodes that did not know about the delete; see <see cref="DeleteWinsAttribute"/>.
    /// </summary>
    public abstract EntityTypeBuilder<T> DeleteWins();

    /// <summary>Makes the class serial, so that its entities do not merge; see <see cref="SerialAttribute"/>.</summary>
    public abstract EntityTypeBuilder<T> IsSerial();

    /// <summary>Lets the entities expire that time after they were added or replaced; see <see cref="ExpiresAfterAttribute"/>.</summary>
    /// <param name="time">The time, a constant in the form of a <see cref="TimeSpan"/>, such as <c>00:20:00</c>.</param>
    public abstract EntityTypeBuilder<T> ExpiresAfter(string time);

    /// <summary>Stores entities of derived classes in the same keyspace; see <see cref="DerivedAttribute"/>.</summary>
    public abstract DiscriminatorBuilder<T> HasDiscriminator();

    /// <summary>
    /// Adds a condition to every query for the entities, and to every <c>Include</c> and <c>FindAsync</c> that reads them from the store,
    /// such as <c>p => !p.IsDeleted &amp;&amp; p.Tenant == Tenant</c>. <see cref="Query{T}.IgnoreQueryFilters()"/> disables it. The
    /// condition may use members of the context, which are evaluated when a query runs.
    /// </summary>
    public abstract EntityTypeBuilder<T> HasQueryFilter(Expression<Func<T, bool>> filter);

    /// <summary>
    /// Adds a condition as <see cref="HasQueryFilter(Expression{Func{T, bool}})"/> does, with a name by which
    /// <see cref="Query{T}.IgnoreQueryFilters(IReadOnlyCollection{string})"/> can disable it.
    /// </summary>
    public abstract EntityTypeBuilder<T> HasQueryFilter(string filterKey, Expression<Func<T, bool>> filter);

    /// <summary>
    /// Declares entities, with their keys, that a new cluster starts with. Each is added once, by the first node that runs with this
    /// declaration, unless its key is already stored. From then on it belongs to the application, and later changes to the declaration have
    /// no effect.
    /// </summary>
    public abstract EntityTypeBuilder<T> HasData(params T[] data);

    /// <summary>Declares entities that a new cluster starts with, as the value of a static member.</summary>
    public abstract EntityTypeBuilder<T> HasData(IEnumerable<T> data);

    /// <summary>
    /// Declares a reference to another entity: <c>HasOne(o => o.Customer).WithMany(c => c.Orders).HasForeignKey(o => o.CustomerId)</c>.
    /// </summary>
    /// <param name="navigation">The reference to the other entity; null if there is none.</param>
    public abstract ReferenceNavigationBuilder<T, TRelated> HasOne<TRelated>(Func<T, TRelated?>? navigation = null)
        where TRelated : class;

    /// <summary>
    /// Declares that other entities refer to this one:
    /// <c>HasMany(c => c.Orders).WithOne(o => o.Customer).HasForeignKey(o => o.CustomerId)</c>.
    /// </summary>
    /// <param name="navigation">The collection of the other entities; null if there is none.</param>
    public abstract CollectionNavigationBuilder<T, TRelated> HasMany<TRelated>(Func<T, IEnumerable<TRelated>?>? navigation = null)
        where TRelated : class;

    /// <summary>Not supported. Use <see cref="ToKeyspace"/>.</summary>
    [Obsolete("There are no tables. Name the keyspace with ToKeyspace(name).", error: true), EditorBrowsable(EditorBrowsableState.Never)]
    public abstract EntityTypeBuilder<T> ToTable(string name);

    /// <summary>Not supported. Every entity has a key.</summary>
    [Obsolete("Every entity needs a key, by which it is found and replicated.", error: true), EditorBrowsable(EditorBrowsableState.Never)]
    public abstract EntityTypeBuilder<T> HasNoKey();

    /// <summary>Not supported. Use a unique index.</summary>
    [Obsolete("Foreign keys refer to keys. To keep values unique, make the class serial, and declare a unique index: IsSerial().HasIndex(properties).IsUnique().", error: true)]
    [EditorBrowsable(EditorBrowsableState.Never)]
    public abstract EntityTypeBuilder<T> HasAlternateKey(Func<T, object?> properties);

    /// <summary>Not supported. There are no views.</summary>
    [Obsolete("There are no views. Write the query where it is used, or as a method of the context.", error: true), EditorBrowsable(EditorBrowsableState.Never)]
    public abstract EntityTypeBuilder<T> ToView(string name);

    /// <summary>Not supported. The compiler error names the alternative.</summary>
    [Obsolete("A class without a keyspace is always owned. Describe its properties with Property(p => p.Address.City).", error: true)]
    [EditorBrowsable(EditorBrowsableState.Never)]
    public abstract EntityTypeBuilder<T> OwnsOne<TOwned>(Func<T, TOwned?> property);

    /// <summary>Not supported. The compiler error names the alternative.</summary>
    [Obsolete("A list or dictionary of a class without a keyspace is stored automatically. Remove the call.", error: true)]
    [EditorBrowsable(EditorBrowsableState.Never)]
    public abstract EntityTypeBuilder<T> OwnsMany<TOwned>(Func<T, IEnumerable<TOwned>?> property);
}
