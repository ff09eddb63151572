using Datacake.Data;
using Datacake.Node;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;

namespace Datacake.PostgreSql.Projection;

/// <summary>The hosted service that runs a projection with the host.</summary>
/// <param name="services">The application's services.</param>
/// <param name="create">Creates the context of the projection; null for a context as it is registered.</param>
/// <param name="connectionString">The connection string of Npgsql.</param>
/// <param name="configure">Chooses the keyspaces.</param>
sealed class ProjectionHostedService<TContext>(IServiceProvider services, Func<DatacakeNode, TContext>? create, string connectionString, Action<ProjectionBuilder<TContext>> configure) : IHostedService, IAsyncDisposable
    where TContext : DatacakeContext
{
    PostgreSqlProjection? _projection;      // written once, by StartAsync, before it may be used

    public PostgreSqlProjection Projection => _projection ?? throw new InvalidOperationException(
        $"The projection of {typeof(TContext).Name} has not started yet. It starts with the host: resolve it after IHost.StartAsync.");

    public async Task StartAsync(CancellationToken cancellationToken)
    {
        _projection = await PostgreSqlProjection.StartAsync(create is null ? FindFactory().CreateContext : () => create(FindNode()), connectionString, configure, cancellationToken).ConfigureAwait(false);
    }

    public async Task StopAsync(CancellationToken cancellationToken) => await DisposeAsync().ConfigureAwait(false);

    public ValueTask DisposeAsync() => _projection?.DisposeAsync() ?? ValueTask.CompletedTask;

    IDatacakeContextFactory<TContext> FindFactory() => services.GetService<IDatacakeContextFactory<TContext>>() ?? throw new InvalidOperationException(
        $"The projection needs {typeof(TContext).Name}, which is not registered. Call services.AddDatacake(options => …) and services.AddDatacakeContext<{typeof(TContext).Name}>(), too.");

    DatacakeNode FindNode() => services.GetService<DatacakeNode>() ?? throw new InvalidOperationException(
        $"The projection of {typeof(TContext).Name} needs a node, but none is registered. Call services.AddDatacake(options => …), too.");
}
