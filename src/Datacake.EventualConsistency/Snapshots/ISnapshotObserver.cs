using Datacake.Crdt;
using Datacake.EventualConsistency.Indexes;
using Datacake.Storage;

namespace Datacake.EventualConsistency.Snapshots;

/// <summary>An observer of what is read from a snapshot, such as a serial transaction that depends on it. Called by the reader.</summary>
interface ISnapshotObserver
{
    /// <summary>Observes the lookup of a document.</summary>
    /// <param name="keyspace">The keyspace.</param>
    /// <param name="policy">The policy of the keyspace.</param>
    /// <param name="key">The key.</param>
    /// <param name="document">The live document; null if there is none.</param>
    void OnRead(string keyspace, MergePolicy policy, DocumentKey key, Document? document);

    /// <summary>Observes a page of a scan.</summary>
    /// <param name="keyspace">The keyspace.</param>
    /// <param name="policy">The policy of the keyspace.</param>
    /// <param name="keys">The part of the range that the page covers.</param>
    /// <param name="page">The live documents in it.</param>
    void OnScanned(string keyspace, MergePolicy policy, KeyRange keys, DocumentPage page);

    /// <summary>Observes a page of a scan of an index.</summary>
    /// <param name="keyspace">The keyspace.</param>
    /// <param name="policy">The policy of the keyspace.</param>
    /// <param name="index">The index.</param>
    /// <param name="values">The part of the range that the page covers.</param>
    /// <param name="page">The entries in it.</param>
    void OnIndexScanned(string keyspace, MergePolicy policy, DocumentIndex index, KeyRange values, IndexPage page);
}
