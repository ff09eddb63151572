namespace Datacake.Node;

/// <summary>What a consistency level asks about a member.</summary>
/// <param name="NodeId">Its id.</param>
/// <param name="DataCenter">Its data center.</param>
/// <param name="IsUp">Whether it can answer.</param>
public readonly record struct ConsistencyMember(byte NodeId, string DataCenter, bool IsUp);
