namespace Datacake.Data;

/// <summary>
/// Makes contexts for code that lives longer than a unit of work, such as a background service: each is the caller's to dispose. <c>AddDatacakeContext</c> registers one.
/// Thread-safe.
/// </summary>
/// <typeparam name="TContext">The class of the contexts.</typeparam>
public interface IDatacakeContextFactory<out TContext>
    where TContext : DatacakeContext
{
    /// <summary>Returns a new context.</summary>
    TContext CreateContext();
}
