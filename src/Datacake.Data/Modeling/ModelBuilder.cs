using System.ComponentModel;
using System.Reflection;

namespace Datacake.Data;

/// <summary>
/// What <see cref="DatacakeContext.OnModelCreating"/> describes the model with. The source generator reads the calls while the context is
/// compiled, and they are never run: so they stand there one after the other, with constants for arguments, and what is wrong with them is
/// a compile error.
/// </summary>
public abstract class ModelBuilder
{
    private protected ModelBuilder()
    {
    }

    /// <summary>The entity class, to describe it.</summary>
    public abstract EntityTypeBuilder<T> Entity<T>()
        where T : class;

    /// <summary>Describes an entity class.</summary>
    public abstract ModelBuilder Entity<T>(Action<EntityTypeBuilder<T>> describe)
        where T : class;

    /// <summary>Describes an entity class as a class of its own says: <c>model.ApplyConfiguration(new ProductConfiguration())</c>.</summary>
    public abstract ModelBuilder ApplyConfiguration<T>(IEntityTypeConfiguration<T> configuration)
        where T : class;

    /// <summary>Applies all configurations of the project that are of the context's entity classes, in the order of their names.</summary>
    /// <param name="assembly">The assembly of the context: <c>typeof(ShopContext).Assembly</c>.</param>
    public abstract ModelBuilder ApplyConfigurationsFromAssembly(Assembly assembly);

    /// <summary>Is not needed here.</summary>
    [Obsolete("There are no schemas: name each keyspace with ToKeyspace(name).", error: true), EditorBrowsable(EditorBrowsableState.Never)]
    public abstract ModelBuilder HasDefaultSchema(string schema);
}
