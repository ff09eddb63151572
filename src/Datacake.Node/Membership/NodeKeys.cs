using Datacake.Node.Gossip;

namespace Datacake.Node;

/// <summary>The keys that a node publishes by gossip. Those of the node itself begin with <c>node.</c>, all others are labels.</summary>
static class NodeKeys
{
    const string Reserved = "node.";

    /// <summary>The RPC address.</summary>
    public const string Address = "node.address";

    public const string DataCenter = "node.data_center";

    /// <summary>There while the node runs; <see cref="Left"/> once it has announced that it leaves.</summary>
    public const string State = "node.state";

    public const string Left = "left";

    /// <summary>
    /// Published by nodes of this implementation, and by no other: of two nodes with one id, it tells which one can be a member.
    /// </summary>
    public const string Protocol = "node.protocol";

    public const string ProtocolVersion = "1";

    /// <summary>The id of the node's replicated store, in hexadecimal.</summary>
    public const string Store = "node.store";

    public static bool IsLabel(string key) => !key.StartsWith(Reserved, StringComparison.Ordinal);

    /// <exception cref="ArgumentException">The label cannot be published.</exception>
    public static void CheckLabel(string key, string value)
    {
        ArgumentException.ThrowIfNullOrEmpty(key);
        ArgumentNullException.ThrowIfNull(value);
        if (!IsLabel(key))
            throw new ArgumentException(
                $"Labels that begin with '{Reserved}' are the node's own; '{key}' has to be named otherwise.", nameof(key));
        EntryLimits.Check(key, value, WireFormat.MaxTextLength);
    }
}
