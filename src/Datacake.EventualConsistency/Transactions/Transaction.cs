using Datacake.Crdt;
using Datacake.EventualConsistency.Transactions;

namespace Datacake.EventualConsistency;

/// <summary>
/// The changes of one commit: puts, updates and deletes of documents, at most one per document. A transaction gets one stamp, and is atomic
/// on every replica. Not thread-safe.
/// </summary>
public sealed class Transaction
{
    readonly List<DocumentOperation> _operations = new(1);
    List<DocumentRequirement>? _requirements;

    /// <summary>Gets the number of documents that the transaction writes.</summary>
    public int Count => _operations.Count;

    /// <summary>Gets the operations of the transaction, in the order of the calls.</summary>
    internal IReadOnlyList<DocumentOperation> Operations => _operations;

    /// <summary>Gets the conditions that must hold for the transaction to be committed.</summary>
    internal IReadOnlyList<DocumentRequirement> Requirements => _requirements ?? (IReadOnlyList<DocumentRequirement>)[];

    /// <summary>True if puts of the transaction may replace documents that have bounded counters.</summary>
    internal bool MayReplaceBounded { get; init; }

    /// <summary>True if the transaction adds to counters, or creates any.</summary>
    internal bool HasCounters => _operations.Exists(static operation => operation.Counters.Count > 0);

    /// <summary>True if the transaction deletes documents and does nothing else.</summary>
    internal bool OnlyDeletes => _operations.TrueForAll(static operation => operation.Kind == DocumentOperationKind.Delete);

    /// <summary>
    /// True if all operations are in the same keyspace and each has a greater key than the one before, so that no document is written
    /// twice.
    /// </summary>
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

    /// <summary>Puts a whole document. What <paramref name="content"/> does not name is removed.</summary>
    /// <param name="keyspace">The document's keyspace.</param>
    /// <param name="key">The document's key.</param>
    /// <param name="content">The cells of the document, without shares of counters.</param>
    /// <param name="counters">The initial values of its counters.</param>
    public void Put(string keyspace, DocumentKey key, DocumentContent content, IReadOnlyList<CounterIncrement>? counters = null) =>
        _operations.Add(new DocumentOperation(DocumentOperationKind.Put, keyspace, key, content, counters ?? []));

    /// <summary>Puts a whole document that readers see until it expires, by the wall clock of their node. An instant in the past makes it invisible at once.</summary>
    /// <param name="keyspace">The document's keyspace, which must not be serial.</param>
    /// <param name="key">The document's key.</param>
    /// <param name="content">The cells of the document, without shares of counters.</param>
    /// <param name="expires">The instant from which on the document is not there, with a resolution of 4 ms. Later updates do not change it; another put does.</param>
    /// <param name="counters">The initial values of its counters.</param>
    /// <exception cref="ArgumentOutOfRangeException">The instant is before 2023 or after 2158.</exception>
    public void PutExpiring(
        string keyspace, DocumentKey key, DocumentContent content, DateTimeOffset expires, IReadOnlyList<CounterIncrement>? counters = null) =>
        _operations.Add(new DocumentOperation(DocumentOperationKind.Put, keyspace, key, content, counters ?? []) { Expires = HlcTimestamp.AtStartOf(expires) });

    /// <summary>Changes some cells of a document and adds to its counters.</summary>
    /// <param name="keyspace">The document's keyspace.</param>
    /// <param name="key">The document's key.</param>
    /// <param name="changes">The changed cells, without shares of counters.</param>
    /// <param name="counters">The amounts to add to its counters.</param>
    public void Update(string keyspace, DocumentKey key, DocumentContent changes, IReadOnlyList<CounterIncrement>? counters = null) =>
        _operations.Add(new DocumentOperation(DocumentOperationKind.Update, keyspace, key, changes, counters ?? []));

    /// <summary>
    /// Changes a document as <see cref="Update"/> does, and puts it again as a whole with another expiry, or with none. Like every put, this loses changes that other nodes make at the same time,
    /// additions to counters included.
    /// </summary>
    /// <param name="keyspace">The document's keyspace, which must not be serial.</param>
    /// <param name="key">The document's key. The document must be there.</param>
    /// <param name="changes">The changed cells, without shares of counters; empty to change the expiry alone.</param>
    /// <param name="expires">The instant from which on the document is not there, with a resolution of 4 ms; null if it no longer expires.</param>
    /// <param name="counters">The amounts to add to its counters.</param>
    /// <exception cref="ArgumentOutOfRangeException">The instant is before 2023 or after 2158.</exception>
    public void Renew(
        string keyspace, DocumentKey key, DocumentContent changes, DateTimeOffset? expires, IReadOnlyList<CounterIncrement>? counters = null) =>
        _operations.Add(new DocumentOperation(DocumentOperationKind.Update, keyspace, key, changes, counters ?? [])
        {
            IsRenewal = true,
            Expires = expires is { } instant ? HlcTimestamp.AtStartOf(instant) : HlcTimestamp.None,
        });

    /// <summary>Deletes a document. It need not exist.</summary>
    public void Delete(string keyspace, DocumentKey key) =>
        _operations.Add(new DocumentOperation(DocumentOperationKind.Delete, keyspace, key, DocumentContent.Empty, []));

    /// <summary>Adds an existing operation.</summary>
    internal void Add(DocumentOperation operation) => _operations.Add(operation);

    /// <summary>
    /// Adds a condition on a document: the transaction is committed only if the document meets it, on the local replica and at the moment
    /// of the commit, so that no other local transaction comes in between. Other replicas are not asked, and their concurrent writes merge
    /// as usual.
    /// </summary>
    /// <param name="keyspace">The document's keyspace.</param>
    /// <param name="key">The document's key.</param>
    /// <param name="isMet">
    /// The condition. It is given the live document, or <see langword="null"/> if there is none. The store's writer calls it, so it must be
    /// a pure and fast function.
    /// </param>
    public void Require(string keyspace, DocumentKey key, Func<Document?, bool> isMet) =>
        (_requirements ??= []).Add(new DocumentRequirement(keyspace, key, isMet));
}
