using Datacake.EventualConsistency;
using Datacake.Node;
using Microsoft.Extensions.Hosting;

namespace Datacake.Hosting;

/// <summary>
/// The hosted service that starts the node and its store with the host, before the services that are registered after it. When the host
/// stops, it announces the stop to the other nodes.
/// </summary>
sealed class DatacakeHostedService(Action<DatacakeNodeOptions> configure) : IHostedService, IAsyncDisposable
{
    DatacakeNode? _node;        // written once, by StartAsync, before it may be used

    public DatacakeNode Node => _node ?? throw new InvalidOperationException(
        "The Datacake node has not started yet. It starts with the host: resolve it (and contexts) after IHost.StartAsync, and register hosted services "
        + "that use it in their StartAsync after AddDatacake.");

    /// <summary>Gets the node; null until it has started.</summary>
    public DatacakeNode? Started => _node;

    public async Task StartAsync(CancellationToken cancellationToken)
    {
        var node = await DatacakeNode.StartAsync(configure, cancellationToken).ConfigureAwait(false);
        try
        {
            await node.OpenStoreAsync(cancellationToken).ConfigureAwait(false);
        }
        catch
        {
            await node.DisposeAsync().ConfigureAwait(false);
            throw;
        }
        _node = node;
    }

    public async Task StopAsync(CancellationToken cancellationToken) => await DisposeAsync().ConfigureAwait(false);

    public ValueTask DisposeAsync() => _node?.DisposeAsync() ?? ValueTask.CompletedTask;
}
