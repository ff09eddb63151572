namespace Datacake.EventualConsistency;

/// <summary>The properties of a member that consistency levels depend on.</summary>
/// <param name="NodeId">The node id of the member.</param>
/// <param name="DataCenter">The data center of the member.</param>
/// <param name="IsUp">True if the member is up.</param>
public readonly record struct ConsistencyMember(byte NodeId, string DataCenter, bool IsUp);
