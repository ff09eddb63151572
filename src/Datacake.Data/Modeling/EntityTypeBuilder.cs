using System.ComponentModel;
using System.Diagnostics.CodeAnalysis;
using System.Linq.Expressions;

namespace Datacake.Data;

/// <summary>Describes an entity class in <see cref="DatacakeContext.OnModelCreating"/>; what it says replaces the attributes.</summary>
[SuppressMessage("Naming", "CA1716:Identifiers should not match keywords", Justification = "Users of Entity Framework know it; nobody implements it.")]
public abstract class EntityTypeBuilder<T>
    where T : class
{
    private protected EntityTypeBuilder()
    {
    }

    /// <summary>The key: <c>p => p.Number</c>, or several properties in their order: <c>p => new { p.Country, p.Number }</c>.</summary>
    public abstract EntityTypeBuilder<T> HasKey(Func<T, object?> properties);

    /// <summary>
    /// An index on a property (<c>p => p.Category</c>, <c>p => p.Address.City</c>, or a set), or on several together
    /// (<c>p => new { p.Category, p.Price }</c>).
    /// </summary>
    /// <param name="properties">The properties, the leading one first.</param>
    /// <param name="name">The name in plans; by default the names of the properties, joined by underscores.</param>
    public abstract IndexBuilder HasIndex(Func<T, object?> properties, string? name = null);

    /// <summary>A property, to describe it: <c>p => p.Name</c>, or one of an owned object: <c>p => p.Address.City</c>.</summary>
    public abstract PropertyBuilder<TProperty> Property<TProperty>(Func<T, TProperty?> property);

    /// <summary>Describes a property that may be null.</summary>
    public abstract PropertyBuilder<TProperty> Property<TProperty>(Func<T, TProperty?> property)
        where TProperty : struct;

    /// <summary>Leaves a property out of what is stored.</summary>
    public abstract EntityTypeBuilder<T> Ignore(Func<T, object?> property);

    /// <summary>Names the keyspace, which is the name of the context's property otherwise.</summary>
    public abstract EntityTypeBuilder<T> ToKeyspace(string name);

    /// <summary>A delete wins over updates on other nodes that did not know of it; see <see cref="DeleteWinsAttribute"/>.</summary>
    public abstract EntityTypeBuilder<T> DeleteWins();

    /// <summary>Entities of derived classes are stored in the same keyspace; see <see cref="DerivedAttribute"/>.</summary>
    public abstract DiscriminatorBuilder<T> HasDiscriminator();

    /// <summary>
    /// Adds a condition to every query for the entities, and to every <c>Include</c> and <c>FindAsync</c> that reads them from the store, unless <see cref="Query{T}.IgnoreQueryFilters()"/>
    /// leaves it out: <c>p => !p.IsDeleted &amp;&amp; p.Tenant == Tenant</c>. It may use members of the context, with the values that they have when a query runs.
    /// </summary>
    public abstract EntityTypeBuilder<T> HasQueryFilter(Expression<Func<T, bool>> filter);

    /// <summary>Adds a condition as <see cref="HasQueryFilter(Expression{Func{T, bool}})"/> does, with a name that <see cref="Query{T}.IgnoreQueryFilters(IReadOnlyCollection{string})"/> can leave it out by.</summary>
    public abstract EntityTypeBuilder<T> HasQueryFilter(string filterKey, Expression<Func<T, bool>> filter);

    /// <summary>
    /// Names entities that a new cluster begins with, with their keys. Each is added once, by the first node that runs with it, unless its key is stored by then: what becomes of it
    /// afterwards is the application's, and a later change here changes nothing.
    /// </summary>
    public abstract EntityTypeBuilder<T> HasData(params T[] data);

    /// <summary>Names entities that a new cluster begins with, by a static member that has them.</summary>
    public abstract EntityTypeBuilder<T> HasData(IEnumerable<T> data);

    /// <summary>
    /// Declares a reference to another entity: <c>HasOne(o => o.Customer).WithMany(c => c.Orders).HasForeignKey(o => o.CustomerId)</c>.
    /// </summary>
    /// <param name="navigation">The property that has the other entity; null if there is none.</param>
    public abstract ReferenceNavigationBuilder<T, TRelated> HasOne<TRelated>(Func<T, TRelated?>? navigation = null)
        where TRelated : class;

    /// <summary>
    /// Declares that other entities refer to this one: <c>HasMany(c => c.Orders).WithOne(o => o.Customer).HasForeignKey(o => o.CustomerId)</c>.
    /// </summary>
    /// <param name="navigation">The collection that has the other entities; null if there is none.</param>
    public abstract CollectionNavigationBuilder<T, TRelated> HasMany<TRelated>(Func<T, IEnumerable<TRelated>?>? navigation = null)
        where TRelated : class;

    /// <summary>Is called <see cref="ToKeyspace"/> here.</summary>
    [Obsolete("There are no tables: name the keyspace with ToKeyspace(name).", error: true), EditorBrowsable(EditorBrowsableState.Never)]
    public abstract EntityTypeBuilder<T> ToTable(string name);

    /// <summary>Cannot be here.</summary>
    [Obsolete("Every entity has a key: it is found, and replicated, by it.", error: true), EditorBrowsable(EditorBrowsableState.Never)]
    public abstract EntityTypeBuilder<T> HasNoKey();

    /// <summary>Cannot be here.</summary>
    [Obsolete("No node knows what others add at the same time, so only the key is unique: make what must be unique the key.", error: true)]
    [EditorBrowsable(EditorBrowsableState.Never)]
    public abstract EntityTypeBuilder<T> HasAlternateKey(Func<T, object?> properties);

    /// <summary>Is not needed here.</summary>
    [Obsolete("There are no views: write the query where it is used, or as a method of the context.", error: true), EditorBrowsable(EditorBrowsableState.Never)]
    public abstract EntityTypeBuilder<T> ToView(string name);

    /// <summary>Is not needed here.</summary>
    [Obsolete("A class without a keyspace is owned anyway; describe its properties with Property(p => p.Address.City).", error: true)]
    [EditorBrowsable(EditorBrowsableState.Never)]
    public abstract EntityTypeBuilder<T> OwnsOne<TOwned>(Func<T, TOwned?> property);

    /// <summary>Is not needed here.</summary>
    [Obsolete("A list, or a dictionary, of a class without a keyspace is stored anyway.", error: true)]
    [EditorBrowsable(EditorBrowsableState.Never)]
    public abstract EntityTypeBuilder<T> OwnsMany<TOwned>(Func<T, IEnumerable<TOwned>?> property);
}
