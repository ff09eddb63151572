using System.Collections.Immutable;
using Datacake.Crdt;
using Datacake.EventualConsistency.Layout;

namespace Datacake.EventualConsistency.Keyspaces;

/// <summary>A keyspace of the store. Its state is replaced by the commit loop alone, after a commit.</summary>
sealed class KeyspaceEntry(ushort number, KeyspaceState state)
{
    /// <summary>The keyspace's number on this node.</summary>
    public ushort Number { get; } = number;

    public string Name { get; } = state.Record.Name;

    public MergePolicy Policy => State.Record.Policy;

    /// <summary>True if this process has declared it. Written by the commit loop alone.</summary>
    public bool IsDeclared { get; set; }

    /// <summary>The number of the last batch that has named one of its documents. Used by the commit loop alone.</summary>
    public long LastBatch { get; set; }

    /// <summary>As of the last commit.</summary>
    public KeyspaceState State { get; set; } = state;
}

/// <summary>What is known of a keyspace; immutable.</summary>
/// <param name="Record">As it is stored.</param>
/// <param name="IndexRecords">All its indexes in the store, by their numbers.</param>
/// <param name="Indexes">Those of them that were declared in this process, and are kept up.</param>
sealed record KeyspaceState(
    KeyspaceRecord Record, ImmutableDictionary<ushort, IndexRecord> IndexRecords, ImmutableArray<IndexEntrySet> Indexes)
{
    public static KeyspaceState Of(KeyspaceRecord record) => new(record, ImmutableDictionary<ushort, IndexRecord>.Empty, []);

    /// <summary>The same with an index that is kept up from now on.</summary>
    public KeyspaceState With(ushort number, IndexRecord record, DocumentIndex definition) => this with
    {
        IndexRecords = IndexRecords.SetItem(number, record),
        Indexes = Indexes.RemoveAll(index => index.Number == number).Add(new IndexEntrySet(number, definition)),
    };

    /// <summary>The same with an index whose entries are no longer kept up, and wait for being removed.</summary>
    public KeyspaceState WithDropped(ushort number) => this with
    {
        IndexRecords = IndexRecords.SetItem(number, IndexRecords[number] with { Stage = IndexStage.Dropped }),
        Indexes = Indexes.RemoveAll(index => index.Number == number),
    };
}
