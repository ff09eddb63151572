namespace Datacake.Node;

/// <summary>One node of the cluster, as this node knows it. There is one for each node id: of its lives, the newest.</summary>
/// <param name="NodeId">The id that it was configured with.</param>
/// <param name="Address">The RPC address at which others reach it, <c>host:port</c>.</param>
/// <param name="DataCenter">The data center that it was configured with.</param>
/// <param name="Generation">Which life of the node this is; grows with every start.</param>
/// <param name="State">Whether it runs.</param>
/// <param name="Labels">What it has published by <see cref="DatacakeNode.SetLabel"/>.</param>
public sealed record ClusterMember(
    byte NodeId, string Address, string DataCenter, ulong Generation, MemberState State, IReadOnlyDictionary<string, string> Labels)
{
    /// <summary>True if it runs, as far as this node can tell.</summary>
    public bool IsUp => State == MemberState.Up;

    /// <summary>The member in an error message: <c>node 2 (eu-west, 10.0.0.2:7001, up)</c>.</summary>
    public override string ToString() => $"node {NodeId} ({DataCenter}, {Address}, {StateName})";

    string StateName => State switch { MemberState.Up => "up", MemberState.Down => "down", _ => "left" };
}
