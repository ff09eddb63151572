using System.Collections.Immutable;
using Datacake.Crdt;
using Datacake.EventualConsistency.Layout;

namespace Datacake.EventualConsistency.Keyspaces;

/// <summary>A keyspace of the store. Changed by the commit loop alone; what readers use of it never changes or is replaced as a whole.</summary>
sealed class KeyspaceEntry(ushort number, KeyspaceRecord record)
{
    /// <summary>The keyspace's number on this node.</summary>
    public ushort Number { get; } = number;

    public string Name => Record.Name;

    public MergePolicy Policy => Record.Policy;

    /// <summary>As it is in the store, or will be with the next commit if it <see cref="IsDirty"/>.</summary>
    public KeyspaceRecord Record { get; set; } = record;

    public bool IsDirty { get; set; }

    /// <summary>The indexes that are kept up. Readers take the array once.</summary>
    public ImmutableArray<IndexEntrySet> Indexes { get; set; } = [];

    /// <summary>Indexes in the store that no declaration of this process has named yet: the first write makes them stale.</summary>
    public Dictionary<ushort, IndexRecord> Undeclared { get; } = [];
}

/// <summary>An index of the store with its definition.</summary>
sealed record IndexEntrySet(ushort Number, DocumentIndex Definition);
