using Datacake.Data;

namespace Datacake.Hosting;

/// <summary>A factory of contexts that uses the application's services, and not those of a scope.</summary>
sealed class DatacakeContextFactory<TContext>(IServiceProvider services, Func<IServiceProvider, TContext> create) : IDatacakeContextFactory<TContext>
    where TContext : DatacakeContext
{
    public TContext CreateContext() => create(services);
}
