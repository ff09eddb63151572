using System.Collections.Immutable;
using Datacake.Crdt;
using Datacake.EventualConsistency.Indexes;
using Datacake.EventualConsistency.Layout;

namespace Datacake.EventualConsistency.Keyspaces;

/// <summary>The data that readers need about a keyspace; immutable.</summary>
/// <param name="Number">The keyspace's number on this node.</param>
/// <param name="Policy">The merge policy, which determines the documents that are alive.</param>
/// <param name="Indexes">The indexes that are built.</param>
/// <param name="MayExpire">True if there may be documents that expire.</param>
sealed record KeyspaceView(ushort Number, MergePolicy Policy, ImmutableArray<IndexEntrySet> Indexes, bool MayExpire = false)
{
    public static KeyspaceView Of(KeyspaceEntry keyspace) => new(keyspace.Number, keyspace.Policy, [.. BuiltIn(keyspace.State)], MayExpireIn(keyspace.State));

    public bool IsOf(KeyspaceState state) => Policy == state.Record.Policy && MayExpire == MayExpireIn(state) && Indexes.SequenceEqual(BuiltIn(state));

    static bool MayExpireIn(KeyspaceState state) => state.Indexes.Any(static index => index.Definition.Name == ExpiryIndex.Name);

    static IEnumerable<IndexEntrySet> BuiltIn(KeyspaceState state) =>
        state.Indexes.Where(index => state.IndexRecords[index.Number].Stage == IndexStage.Built);
}
