using Datacake.Crdt;

namespace Datacake.EventualConsistency;

/// <summary>
/// What one commit does: puts, updates and deletes of documents, at most one for each. It gets one stamp and is atomic on every replica.
/// Not thread-safe.
/// </summary>
public sealed class Transaction
{
    readonly List<DocumentOperation> _operations = [];

    /// <summary>How many documents the transaction writes.</summary>
    public int Count => _operations.Count;

    /// <summary>What is done to which document, in the order of the calls.</summary>
    public IReadOnlyList<DocumentOperation> Operations => _operations;

    /// <summary>Puts a whole document: what <paramref name="content"/> does not name is gone.</summary>
    /// <param name="keyspace">The document's keyspace.</param>
    /// <param name="key">The document's key.</param>
    /// <param name="content">Its cells, without shares of counters.</param>
    /// <param name="counters">What its counters start at.</param>
    public void Put(string keyspace, DocumentKey key, DocumentContent content, IReadOnlyList<CounterIncrement>? counters = null) =>
        _operations.Add(new DocumentOperation(DocumentOperationKind.Put, keyspace, key, content, counters ?? []));

    /// <summary>Changes some cells of a document, and adds to its counters.</summary>
    /// <param name="keyspace">The document's keyspace.</param>
    /// <param name="key">The document's key.</param>
    /// <param name="changes">The changed cells, without shares of counters.</param>
    /// <param name="counters">What is added to its counters.</param>
    public void Update(string keyspace, DocumentKey key, DocumentContent changes, IReadOnlyList<CounterIncrement>? counters = null) =>
        _operations.Add(new DocumentOperation(DocumentOperationKind.Update, keyspace, key, changes, counters ?? []));

    /// <summary>Deletes a document. It need not exist.</summary>
    public void Delete(string keyspace, DocumentKey key) =>
        _operations.Add(new DocumentOperation(DocumentOperationKind.Delete, keyspace, key, DocumentContent.Empty, []));
}
