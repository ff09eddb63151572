namespace Datacake.Data;

/// <summary>Names the derived classes of an entity class in <see cref="DatacakeContext.OnModelCreating"/>.</summary>
public abstract class DiscriminatorBuilder<T>
    where T : class
{
    private protected DiscriminatorBuilder()
    {
    }

    /// <summary>Entities of this class are stored in the keyspace.</summary>
    /// <param name="discriminator">What is stored for the class, for life; its name if null.</param>
    public abstract DiscriminatorBuilder<T> HasValue<TDerived>(string? discriminator = null)
        where TDerived : T;
}
