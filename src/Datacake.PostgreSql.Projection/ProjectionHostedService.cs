using Datacake.Data;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;

namespace Datacake.PostgreSql.Projection;

/// <summary>The hosted service that runs a projection with the host.</summary>
sealed class ProjectionHostedService<TContext>(IServiceProvider services, string connectionString, Action<ProjectionBuilder<TContext>> configure) : IHostedService, IAsyncDisposable
    where TContext : DatacakeContext
{
    PostgreSqlProjection? _projection;      // written once, by StartAsync, before it may be used

    public PostgreSqlProjection Projection => _projection ?? throw new InvalidOperationException(
        $"The projection of {typeof(TContext).Name} has not started yet. It starts with the host: resolve it after IHost.StartAsync.");

    public async Task StartAsync(CancellationToken cancellationToken)
    {
        var factory = services.GetService<IDatacakeContextFactory<TContext>>() ?? throw new InvalidOperationException(
            $"The projection needs {typeof(TContext).Name}, which is not registered. Call services.AddDatacake(options => …) and services.AddDatacakeContext<{typeof(TContext).Name}>(), too.");
        _projection = await PostgreSqlProjection.StartAsync(factory.CreateContext, connectionString, configure, cancellationToken).ConfigureAwait(false);
    }

    public async Task StopAsync(CancellationToken cancellationToken) => await DisposeAsync().ConfigureAwait(false);

    public ValueTask DisposeAsync() => _projection?.DisposeAsync() ?? ValueTask.CompletedTask;
}
