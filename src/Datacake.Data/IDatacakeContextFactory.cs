namespace Datacake.Data;

/// <summary>
/// A factory of contexts, for code that outlives a unit of work, such as a background service. The caller disposes each context.
/// <c>AddDatacakeContext</c> registers a factory. Thread-safe.
/// </summary>
/// <typeparam name="TContext">The context class.</typeparam>
public interface IDatacakeContextFactory<out TContext>
    where TContext : DatacakeContext
{
    /// <summary>Creates a context.</summary>
    TContext CreateContext();
}
