using Datacake.Crdt;
using Datacake.Node;

namespace Datacake.EventualConsistency;

/// <summary>The result of a commit.</summary>
/// <param name="Stamp">The transaction's stamp.</param>
/// <param name="Acknowledged">
/// The nodes that had applied and stored the transaction when the level was satisfied, including the local one.
/// </param>
public sealed record CommitResult(HlcTimestamp Stamp, NodeSet Acknowledged)
{
    /// <summary>Gets the numbers that a serial transaction was assigned, in the order in which it asked for them.</summary>
    internal IReadOnlyList<long> Numbers { get; init; } = [];

    /// <summary>Gets the token with which another node, or a later read, waits until it has this transaction.</summary>
    public SessionToken Token => new(Stamp);
}
