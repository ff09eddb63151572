using Datacake.EventualConsistency;
using Datacake.Node;
using Datacake.Rpc;

namespace Datacake.Testing;

/// <summary>A node in memory that needs no sockets and no files. It is ready within milliseconds.</summary>
public sealed class TestNode : IAsyncDisposable
{
    readonly int _id;
    readonly Action<DatacakeNodeOptions> _configure;
    DatacakeNode? _node;
    ReplicatedStore? _store;

    internal TestNode(int id, Action<DatacakeNodeOptions> configure)
    {
        _id = id;
        _configure = configure;
    }

    /// <summary>Gets the node, for contexts: <c>new ShopContext(node.Node)</c>.</summary>
    /// <exception cref="InvalidOperationException">The node is stopped.</exception>
    public DatacakeNode Node => _node ?? throw Stopped();

    /// <summary>Gets the store of the node.</summary>
    /// <exception cref="InvalidOperationException">The node is stopped.</exception>
    public ReplicatedStore Store => _store ?? throw Stopped();

    /// <summary>Gets the clock of the node, which stays the same when the node restarts.</summary>
    public TestClock Clock { get; } = new();

    /// <summary>Gets whether the node is running.</summary>
    public bool IsRunning => _node is not null;

    /// <summary>Starts a single node with an empty store, and waits until it can read and write.</summary>
    /// <param name="configure">
    /// Changes the options of the node, for example the settings of its store: <c>options =&gt; options.WithStore(…)</c>. It can replace
    /// every option that the node has by default.
    /// </param>
    /// <param name="cancellationToken">Cancels the start.</param>
    public static async Task<TestNode> StartAsync(Action<DatacakeNodeOptions>? configure = null, CancellationToken cancellationToken = default)
    {
        var storage = new KeptStorage();
        var node = new TestNode(1, options =>
        {
            options.ListenOn("127.0.0.1:0").WithTransport(new InMemoryTransport()).UseStorage(() => storage);
            options.AllowReplacing();
            configure?.Invoke(options);
        });
        await node.OpenAsync(cancellationToken).ConfigureAwait(false);
        try
        {
            await node.Store.Joined.WaitAsync(cancellationToken).ConfigureAwait(false);
        }
        catch
        {
            await node.DisposeAsync().ConfigureAwait(false);
            throw;
        }
        return node;
    }

    /// <summary>Stops the node. What it stores in memory is lost, unless it is a node of a cluster that is started again.</summary>
    public ValueTask DisposeAsync() => CloseAsync(static node => node.DisposeAsync());

    internal async Task OpenAsync(CancellationToken cancellationToken)
    {
        var node = await DatacakeNode.StartAsync(
            options =>
            {
                options.WithNodeId(_id).WithTimeProvider(Clock).WithGossip(gossip => gossip.UseLocal())
                    .WithStore(store => store.ReportInterval = TimeSpan.FromMilliseconds(50));
                _configure(options);
            },
            cancellationToken).ConfigureAwait(false);
        try
        {
            _store = await node.OpenStoreAsync(cancellationToken).ConfigureAwait(false);
        }
        catch
        {
            await node.DisposeAsync().ConfigureAwait(false);
            throw;
        }
        _node = node;
    }

    internal async ValueTask CloseAsync(Func<DatacakeNode, ValueTask> close)
    {
        if (Interlocked.Exchange(ref _node, null) is not { } node)
            return;
        _store = null;
        await close(node).ConfigureAwait(false);
    }

    InvalidOperationException Stopped() => new($"Node {_id} is stopped. Start it first.");
}
