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
    public abstract EntityBuilder<T> Entity<T>()
        where T : class;

    /// <summary>Describes an entity class.</summary>
    public abstract ModelBuilder Entity<T>(Action<EntityBuilder<T>> describe)
        where T : class;
}
