using System.ComponentModel;
using System.Reflection;

namespace Datacake.Data;

/// <summary>
/// The builder of the model in <see cref="DatacakeContext.OnModelCreating"/>. The source generator reads the calls at compile time, and
/// they are never run. So write them one after another, with constants as arguments. Mistakes in them are compile errors.
/// </summary>
public abstract class ModelBuilder
{
    private protected ModelBuilder()
    {
    }

    /// <summary>Returns the builder of an entity class.</summary>
    public abstract EntityTypeBuilder<T> Entity<T>()
        where T : class;

    /// <summary>Describes an entity class.</summary>
    public abstract ModelBuilder Entity<T>(Action<EntityTypeBuilder<T>> describe)
        where T : class;

    /// <summary>
    /// Describes an entity class by a class of its own: <c>model.ApplyConfiguration(new ProductConfiguration())</c>.
    /// </summary>
    public abstract ModelBuilder ApplyConfiguration<T>(IEntityTypeConfiguration<T> configuration)
        where T : class;

    /// <summary>
    /// Applies all configurations in the project that are for entity classes of the context, in the order of their names.
    /// </summary>
    /// <param name="assembly">The assembly of the context: <c>typeof(ShopContext).Assembly</c>.</param>
    public abstract ModelBuilder ApplyConfigurationsFromAssembly(Assembly assembly);

    /// <summary>Not supported. There are no schemas.</summary>
    [Obsolete("There are no schemas. Name each keyspace with ToKeyspace(name).", error: true), EditorBrowsable(EditorBrowsableState.Never)]
    public abstract ModelBuilder HasDefaultSchema(string schema);
}
