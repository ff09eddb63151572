namespace Datacake.Data;

/// <summary>The builder of the derived classes of an entity class in <see cref="DatacakeContext.OnModelCreating"/>.</summary>
public abstract class DiscriminatorBuilder<T>
    where T : class
{
    private protected DiscriminatorBuilder()
    {
    }

    /// <summary>Stores entities of a derived class in the same keyspace.</summary>
    /// <param name="discriminator">The value stored to identify the class, which can never change; null to use the class name.</param>
    public abstract DiscriminatorBuilder<T> HasValue<TDerived>(string? discriminator = null)
        where TDerived : T;
}
