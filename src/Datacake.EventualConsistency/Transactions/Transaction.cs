using Datacake.Crdt;

namespace Datacake.EventualConsistency;

/// <summary>
/// What one commit does: puts, updates and deletes of documents, at most one for each. It gets one stamp and is atomic on every replica.
/// Not thread-safe.
/// </summary>
public sealed class Transaction
{
    readonly List<DocumentOperation> _operations = new(1);
    List<DocumentRequirement>? _requirements;

    /// <summary>How many documents the transaction writes.</summary>
    public int Count => _operations.Count;

    /// <summary>What is done to which document, in the order of the calls.</summary>
    public IReadOnlyList<DocumentOperation> Operations => _operations;

    /// <summary>What must hold for the transaction to be committed.</summary>
    public IReadOnlyList<DocumentRequirement> Requirements => _requirements ?? (IReadOnlyList<DocumentRequirement>)[];

    /// <summary>True if the transaction deletes documents and does nothing else.</summary>
    internal bool OnlyDeletes => _operations.TrueForAll(static operation => operation.Kind == DocumentOperationKind.Delete);

    /// <summary>Whether each operation is on a document of the same keyspace with a greater key than that before: then none is written twice.</summary>
    internal bool IsAscending
    {
        get
        {
            for (int i = 1; i < _operations.Count; i++)
            {
                if (_operations[i].Keyspace != _operations[i - 1].Keyspace || _operations[i].Key <= _operations[i - 1].Key)
                    return false;
            }
            return true;
        }
    }

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

    /// <summary>Adds an operation that was made before.</summary>
    internal void Add(DocumentOperation operation) => _operations.Add(operation);

    /// <summary>
    /// Commits only if a document is, on the local replica and at the moment of the commit, as it must be: then no other local transaction comes in
    /// between. Other replicas are not asked, and what they write at the same time merges as ever.
    /// </summary>
    /// <param name="keyspace">The document's keyspace.</param>
    /// <param name="key">The document's key.</param>
    /// <param name="isMet">
    /// Is handed the living document, or <see langword="null"/> if there is none. Called by the store's writer: must be a pure and fast function.
    /// </param>
    public void Require(string keyspace, DocumentKey key, Func<Document?, bool> isMet) =>
        (_requirements ??= []).Add(new DocumentRequirement(keyspace, key, isMet));
}
