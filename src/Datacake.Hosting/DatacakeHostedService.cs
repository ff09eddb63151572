using Datacake.Administration;
using Datacake.EventualConsistency;
using Datacake.Node;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace Datacake.Hosting;

/// <summary>
/// The hosted service that starts the node and its store with the host, before the services that are registered after it. When the host
/// stops, it announces the stop to the other nodes.
/// </summary>
sealed class DatacakeHostedService(IServiceProvider services) : IHostedService, IAsyncDisposable
{
    readonly TaskCompletionSource<DatacakeNode> _started = new(TaskCreationOptions.RunContinuationsAsynchronously);
    DatacakeNode? _node;        // written once, by StartAsync, before it may be used

    public DatacakeNode Node => _node ?? throw new InvalidOperationException(
        "The Datacake node has not started yet. It starts with the host: resolve it (and contexts) after IHost.StartAsync, and register hosted services "
        + "that use it in their StartAsync after AddDatacake.");

    /// <summary>Gets the node; null until it has started.</summary>
    public DatacakeNode? Started => _node;

    /// <summary>Waits until the node has started, and returns it.</summary>
    /// <exception cref="OperationCanceledException">The wait was canceled.</exception>
    public Task<DatacakeNode> WhenStartedAsync(CancellationToken cancellationToken) => _started.Task.WaitAsync(cancellationToken);

    public async Task StartAsync(CancellationToken cancellationToken)
    {
        var node = await DatacakeNode.StartAsync(Configure, cancellationToken).ConfigureAwait(false);
        try
        {
            await node.OpenStoreAsync(cancellationToken).ConfigureAwait(false);
            await node.OpenStoresAsync(cancellationToken).ConfigureAwait(false);
            await node.OpenAdministrationAsync(cancellationToken).ConfigureAwait(false);
            if (node.SettingsOf<HostStart>().JoinTimeout is { } timeout)
                await Task.WhenAll(node.OpenStores.Select(store => store.WaitUntilJoinedAsync(timeout, cancellationToken).AsTask())).ConfigureAwait(false);
        }
        catch
        {
            await node.DisposeAsync().ConfigureAwait(false);
            throw;
        }
        _node = node;
        _started.TrySetResult(node);
    }

    public async Task StopAsync(CancellationToken cancellationToken) => await DisposeAsync().ConfigureAwait(false);

    public ValueTask DisposeAsync() => _node?.DisposeAsync() ?? ValueTask.CompletedTask;

    void Configure(DatacakeNodeOptions options)
    {
        if (services.GetService<ILoggerFactory>() is { } loggers)
            options.WithLoggerFactory(loggers);
        if (services.GetService<TimeProvider>() is { } time)
            options.WithTimeProvider(time);
        foreach (var configurator in services.GetServices<NodeConfigurator>())
        {
            options.AllowReplacing();
            configurator.Configure(services, options);
        }
        // The store must know the indexes before it receives anything from other nodes.
        foreach (var model in services.GetServices<ContextModel>())
            model.Declare(options);
    }
}
