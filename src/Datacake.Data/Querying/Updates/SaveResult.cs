using Datacake.Crdt;
using Datacake.EventualConsistency;
using Datacake.Node;

namespace Datacake.Data;

/// <summary>The result of a save. Converts to the number of entities written.</summary>
/// <param name="Count">
/// The number of entities that were added, changed or deleted. For an <c>ExecuteUpdateAsync</c>, the number of entities found.
/// </param>
/// <param name="Stamp">The stamp of the transaction; <see cref="HlcTimestamp.None"/> if there was nothing to write.</param>
/// <param name="Acknowledged">The nodes that had stored the transaction when the level was satisfied, including the local node.</param>
public sealed record SaveResult(int Count, HlcTimestamp Stamp, NodeSet Acknowledged)
{
    /// <summary>
    /// Gets the number of entities written. It excludes entities that an <c>ExecuteUpdateAsync</c> found but did not have to change.
    /// </summary>
    public int Written { get; init; } = Count;

    /// <summary>Gets the number of transactions: 1, or more for a change of many entities that one transaction cannot hold. The stamp and the nodes are those of the last one.</summary>
    public int Parts { get; init; } = 1;

    /// <summary>Gets the token with which another node, or a later read, waits for this save.</summary>
    public SessionToken Token => new(Stamp);

    /// <summary>Converts a result to its <see cref="Count"/>: <c>int written = await db.SaveChangesAsync();</c></summary>
    public static implicit operator int(SaveResult result) => result.Count;

    /// <summary>Returns <see cref="Count"/>.</summary>
    public int ToInt32() => Count;
}
