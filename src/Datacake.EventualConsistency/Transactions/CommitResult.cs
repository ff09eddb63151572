using Datacake.Crdt;
using Datacake.Node;

namespace Datacake.EventualConsistency;

/// <summary>What became of a transaction.</summary>
/// <param name="Stamp">The transaction's stamp.</param>
/// <param name="Acknowledged">The nodes that had applied and stored it, the local one included, when the level was satisfied.</param>
public sealed record CommitResult(HlcTimestamp Stamp, NodeSet Acknowledged)
{
    /// <summary>Makes another node, or a later read, wait until it has this transaction.</summary>
    public SessionToken Token => new(Stamp);
}
