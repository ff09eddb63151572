using Datacake.Crdt;
using Datacake.EventualConsistency;
using Datacake.Node;

namespace Datacake.Data;

/// <summary>What a save did. Converts to the number of entities written.</summary>
/// <param name="Count">How many entities were added, changed or deleted.</param>
/// <param name="Stamp">The transaction's stamp; <see cref="HlcTimestamp.None"/> if there was nothing to write.</param>
/// <param name="Acknowledged">The nodes that had stored it when the level was satisfied, the local one included.</param>
public sealed record SaveResult(int Count, HlcTimestamp Stamp, NodeSet Acknowledged)
{
    /// <summary>Makes another node, or a later read, wait until it has this save.</summary>
    public SessionToken Token => new(Stamp);

    /// <summary>The number of entities written, as <c>int written = await db.SaveChangesAsync();</c></summary>
    public static implicit operator int(SaveResult result) => result.Count;

    /// <summary>The number of entities written.</summary>
    public int ToInt32() => Count;
}
