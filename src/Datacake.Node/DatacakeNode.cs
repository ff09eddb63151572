using Datacake.Crdt;
using Datacake.Rpc;
using Datacake.Storage;
using Microsoft.Extensions.Logging;

namespace Datacake.Node;

/// <summary>
/// This process as a node of a cluster: it finds the other nodes by gossip, tells which of them run, and carries what is built on it
/// (<see cref="IClusterExtension{T}"/>). Thread-safe.
/// </summary>
public sealed class DatacakeNode : IAsyncDisposable
{
    DatacakeNode()
    {
    }

    /// <summary>Starts a node. It runs when this returns, alone if no seed can be reached yet; use <see cref="WaitForNodesAsync(IEnumerable{byte}, TimeSpan, CancellationToken)"/> to wait for others.</summary>
    public static ValueTask<DatacakeNode> StartAsync(Action<DatacakeNodeOptions> configure, CancellationToken cancellationToken = default)
        => throw new NotSupportedException();

    /// <summary>The node id, unique in the cluster.</summary>
    public byte Id => throw new NotSupportedException();

    /// <summary>The RPC address that others reach this node at, with the port that was really bound.</summary>
    public string Address => throw new NotSupportedException();

    /// <summary>The data centre that it is in.</summary>
    public string DataCenter => throw new NotSupportedException();

    /// <summary>The cluster that it is of.</summary>
    public string ClusterId => throw new NotSupportedException();

    /// <summary>Which life of the node this is: grows with every start.</summary>
    public ulong Generation => throw new NotSupportedException();

    /// <summary>The addresses it was told to look for others at.</summary>
    public IReadOnlyList<string> Seeds => throw new NotSupportedException();

    /// <summary>The cluster clock. Stamps of other nodes, which come with their gossip, push it forward.</summary>
    public HybridLogicalClock Clock => throw new NotSupportedException();

    /// <summary>The store that was chosen with <c>Use…</c>, or null. The node opened it, and disposes it last.</summary>
    public IStorage? Storage => throw new NotSupportedException();

    /// <summary>Where extensions add their services.</summary>
    public RpcServer Server => throw new NotSupportedException();

    /// <summary>The clock that everything on the node runs by.</summary>
    public TimeProvider TimeProvider => throw new NotSupportedException();

    /// <summary>Where everything on the node logs to.</summary>
    public ILoggerFactory LoggerFactory => throw new NotSupportedException();

    /// <summary>All known members in the order of their ids, this node included: a snapshot that does not change.</summary>
    public IReadOnlyList<ClusterMember> Members => throw new NotSupportedException();

    /// <summary>The channel to an address: one for each, shared, disposed with the node. Do not dispose it.</summary>
    public RpcChannel ChannelTo(string address) => throw new NotSupportedException();

    /// <summary>
    /// The current members, each as <see cref="MembershipChangeKind.Joined"/>, and then every change until the token fires or the node stops.
    /// A reader that is slow misses no outcome: it sees the difference between what it saw last and what is.
    /// </summary>
    public IAsyncEnumerable<MembershipChange> WatchMembersAsync(CancellationToken cancellationToken = default) => throw new NotSupportedException();

    /// <summary>Waits until all these nodes are up.</summary>
    /// <exception cref="TimeoutException">They were not in time; the message says which.</exception>
    public Task WaitForNodesAsync(IEnumerable<byte> nodeIds, TimeSpan timeout, CancellationToken cancellationToken = default) => throw new NotSupportedException();

    /// <summary>Waits until so many nodes, this one included, are up.</summary>
    /// <exception cref="TimeoutException">They were not in time; the message says which are.</exception>
    public Task WaitForNodesAsync(int count, TimeSpan timeout, CancellationToken cancellationToken = default) => throw new NotSupportedException();

    /// <summary>Publishes a small text to all members, who find it in <see cref="ClusterMember.Labels"/> within a few rounds of gossip.</summary>
    public void SetLabel(string key, string value) => throw new NotSupportedException();

    /// <summary>Takes a label back.</summary>
    public void RemoveLabel(string key) => throw new NotSupportedException();

    /// <summary>Starts an extension on this node.</summary>
    public ValueTask<T> AddExtensionAsync<T>(IClusterExtension<T> extension, CancellationToken cancellationToken = default)
        where T : class => throw new NotSupportedException();

    /// <summary>The extension of this type, or null if none was added.</summary>
    public T? FindExtension<T>()
        where T : class => throw new NotSupportedException();

    /// <summary>Stops without a word, as a crash would look to the others. For tests and drills.</summary>
    public ValueTask StopAbruptlyAsync() => throw new NotSupportedException();

    /// <summary>Tells the others that this node leaves, and stops it.</summary>
    public ValueTask DisposeAsync() => throw new NotSupportedException();
}
