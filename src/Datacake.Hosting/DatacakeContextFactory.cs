using Datacake.Data;

namespace Datacake.Hosting;

/// <summary>Makes contexts with the application's services, of which none is that of a scope.</summary>
sealed class DatacakeContextFactory<TContext>(IServiceProvider services, Func<IServiceProvider, TContext> create) : IDatacakeContextFactory<TContext>
    where TContext : DatacakeContext
{
    public TContext CreateContext() => create(services);
}
