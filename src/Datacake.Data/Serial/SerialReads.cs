using Datacake.Crdt;
using Datacake.EventualConsistency;
using Datacake.EventualConsistency.Indexes;
using Datacake.EventualConsistency.Sequencing;
using Datacake.EventualConsistency.Snapshots;
using Datacake.Storage;

namespace Datacake.Data.Serial;

/// <summary>
/// The entities of serial keyspaces that were read for a serial save, found or not. They are conditions of its commit. Not thread-safe, like the context.
/// </summary>
sealed class SerialReads : ISnapshotObserver
{
    readonly HashSet<SerialCondition> _known = [];
    readonly List<SerialCondition> _conditions = [];

    /// <summary>Gets what must still hold, in the order of the reads.</summary>
    public IReadOnlyList<SerialCondition> Conditions => _conditions;

    /// <summary>Returns the transaction that has effects if all of it still holds.</summary>
    public SerialTransaction ToTransaction(Transaction effects) => new(effects, _conditions);

    /// <summary>Adds an entity with the content that the caller was shown; null if there was none.</summary>
    public void Add(string keyspace, DocumentKey key, UInt128? content)
    {
        // Two different contents of an entity contradict each other, so that the commit fails: the caller has seen both.
        var condition = new SerialCondition(keyspace, key, content);
        if (_known.Add(condition))
            _conditions.Add(condition);
    }

    /// <inheritdoc/>
    public void OnRead(string keyspace, MergePolicy policy, DocumentKey key, Document? document)
    {
        if (policy == MergePolicy.Serial)
            Add(keyspace, key, document is null ? null : ContentHash.Of(document));
    }

    /// <inheritdoc/>
    public void OnScanned(string keyspace, MergePolicy policy, KeyRange keys, DocumentPage page)
    {
        if (policy != MergePolicy.Serial)
            return;
        foreach (var document in page)
            OnRead(keyspace, policy, new DocumentKey(document.EncodedKey.ToArray()), Document.Parse(document.Document.Encoded.ToArray()));
    }

    /// <inheritdoc/>
    public void OnIndexScanned(string keyspace, MergePolicy policy, DocumentIndex index, KeyRange values, IndexPage page)
    {
    }
}
