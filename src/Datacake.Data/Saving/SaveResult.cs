using Datacake.Crdt;
using Datacake.EventualConsistency;
using Datacake.Node;

namespace Datacake.Data;

/// <summary>What a save did. Converts to the number of entities written.</summary>
/// <param name="Count">The number of entities that were added, changed or deleted; of an <c>ExecuteUpdateAsync</c>, the number that it found.</param>
/// <param name="Stamp">The transaction's stamp; <see cref="HlcTimestamp.None"/> if there was nothing to write.</param>
/// <param name="Acknowledged">The nodes that had stored it when the level was satisfied, the local one included.</param>
public sealed record SaveResult(int Count, HlcTimestamp Stamp, NodeSet Acknowledged)
{
    /// <summary>Gets the number of entities that were written: without those that an <c>ExecuteUpdateAsync</c> found to be as they should be.</summary>
    public int Written { get; init; } = Count;

    /// <summary>Makes another node, or a later read, wait until it has this save.</summary>
    public SessionToken Token => new(Stamp);

    /// <summary>The number of entities, as <c>int written = await db.SaveChangesAsync();</c></summary>
    public static implicit operator int(SaveResult result) => result.Count;

    /// <summary>Returns <see cref="Count"/>.</summary>
    public int ToInt32() => Count;
}
