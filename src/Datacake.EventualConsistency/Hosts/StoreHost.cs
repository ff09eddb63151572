using Datacake.Node;

namespace Datacake.EventualConsistency.Hosts;

/// <summary>
/// The node as one of its stores sees it. To the node's own store, all nodes are members. A named store sees only the nodes that hold it, and
/// has a replication service of its own, so that no message of one store ever reaches another.
/// </summary>
/// <param name="node">The node.</param>
/// <param name="name">The name of the store; an empty text for the node's own store.</param>
sealed class StoreHost(DatacakeNode node, string name)
{
    /// <summary>The name of the RPC service that accepts the sessions of the node's own store.</summary>
    public const string OwnServiceName = "replication";

    const string Category = "Datacake.EventualConsistency.ReplicatedStore";

    public DatacakeNode Node { get; } = node;

    /// <summary>Gets the name of the store; an empty text for the node's own store.</summary>
    public string Name { get; } = name;

    public bool IsNamed => Name.Length > 0;

    /// <summary>Gets the name of the store as a part of a sentence, after "its".</summary>
    public string Noun => IsNamed ? $"store '{Name}'" : "store";

    /// <summary>Gets the name of the RPC service that accepts the store's sessions.</summary>
    public string ServiceName => IsNamed ? $"{OwnServiceName}/{Name}" : OwnServiceName;

    /// <summary>Gets the category of the store's log messages. Filters for the category of the node's own store hold for all stores.</summary>
    public string LogCategory => IsNamed ? $"{Category}[{Name}]" : Category;

    /// <summary>Gets the nodes that hold the store, according to gossip.</summary>
    public IReadOnlyList<ClusterMember> Members => IsNamed ? Node.HoldersOf(Name) : Node.Members;

    public ClusterMember? Find(byte nodeId) => Members.FirstOrDefault(member => member.NodeId == nodeId);

    public IAsyncEnumerable<MembershipChange> WatchMembersAsync(CancellationToken cancellationToken) =>
        IsNamed ? Node.WatchHoldersAsync(Name, cancellationToken) : Node.WatchMembersAsync(cancellationToken);

    /// <summary>Publishes the identity of the store, which decides between two nodes with the same node id. Only the node's own store does.</summary>
    public void PublishIdentity(ulong storeId)
    {
        if (!IsNamed)
            Node.PublishStore(storeId);
    }

    /// <summary>Publishes the retired stores, whose nodes give way to others with the same node id. Only the node's own store does.</summary>
    public void PublishRetired(IReadOnlySet<ulong> storeIds)
    {
        if (!IsNamed)
            Node.SetRetiredStores(storeIds);
    }
}
