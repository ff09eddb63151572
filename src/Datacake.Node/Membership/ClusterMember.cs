using System.Collections.Immutable;

namespace Datacake.Node;

/// <summary>A node of the cluster, as this node knows it. There is one member for each node id: the latest life of that node.</summary>
/// <param name="NodeId">The id of the node.</param>
/// <param name="Address">The RPC address at which other nodes reach the node, as <c>host:port</c>.</param>
/// <param name="DataCenter">The data center of the node.</param>
/// <param name="Generation">The generation of the node, a number that grows with every start.</param>
/// <param name="State">The state of the node.</param>
/// <param name="Labels">The labels that the node published with <see cref="DatacakeNode.SetLabel"/>.</param>
public sealed record ClusterMember(
    byte NodeId, string Address, string DataCenter, ulong Generation, MemberState State, IReadOnlyDictionary<string, string> Labels)
{
    /// <summary>Gets the names of the stores that the node holds besides its own one, as of the last gossip from it.</summary>
    public IReadOnlySet<string> Stores { get; init; } = ImmutableHashSet<string>.Empty;

    /// <summary>True if the member is up, as far as this node can tell.</summary>
    public bool IsUp => State == MemberState.Up;

    /// <summary>Returns a description for messages, such as <c>node 2 (eu-west, 10.0.0.2:7001, up)</c>.</summary>
    public override string ToString() => $"node {NodeId} ({DataCenter}, {Address}, {StateName})";

    string StateName => State switch { MemberState.Up => "up", MemberState.Down => "down", _ => "left" };
}
