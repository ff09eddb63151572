using System.Collections.Immutable;
using Datacake.Crdt;
using Datacake.EventualConsistency.Indexes;
using Datacake.EventualConsistency.Layout;

namespace Datacake.EventualConsistency.Keyspaces;

/// <summary>A keyspace of the store. Only the commit loop replaces its state, after a commit.</summary>
sealed class KeyspaceEntry(ushort number, KeyspaceState state)
{
    /// <summary>Gets the keyspace's number on this node.</summary>
    public ushort Number { get; } = number;

    public string Name { get; } = state.Record.Name;

    public MergePolicy Policy => State.Record.Policy;

    /// <summary>True if this process has declared the keyspace. Only the commit loop sets this.</summary>
    public bool IsDeclared { get; set; }

    /// <summary>Gets or sets the number of the last batch that named a document of the keyspace. Only the commit loop uses this.</summary>
    public long LastBatch { get; set; }

    /// <summary>Gets or sets the state after the last commit.</summary>
    public KeyspaceState State { get; set; } = state;
}

/// <summary>The state of a keyspace; immutable.</summary>
/// <param name="Record">The stored record.</param>
/// <param name="IndexRecords">All indexes of the keyspace in the store, by number.</param>
/// <param name="Indexes">The indexes that were declared in this process, which are maintained.</param>
sealed record KeyspaceState(
    KeyspaceRecord Record, ImmutableDictionary<ushort, IndexRecord> IndexRecords, ImmutableArray<IndexEntrySet> Indexes)
{
    public static KeyspaceState Of(KeyspaceRecord record) => new(record, ImmutableDictionary<ushort, IndexRecord>.Empty, []);

    /// <summary>Returns this state with an index added that is maintained from now on.</summary>
    public KeyspaceState With(ushort number, IndexRecord record, DocumentIndex definition) => this with
    {
        IndexRecords = IndexRecords.SetItem(number, record),
        Indexes = Indexes.RemoveAll(index => index.Number == number).Add(new IndexEntrySet(number, definition)),
    };

    /// <summary>Returns this state with an index dropped: it is no longer maintained, and its entries will be removed.</summary>
    public KeyspaceState WithDropped(ushort number) => this with
    {
        IndexRecords = IndexRecords.SetItem(number, IndexRecords[number] with { Stage = IndexStage.Dropped }),
        Indexes = Indexes.RemoveAll(index => index.Number == number),
    };
}
