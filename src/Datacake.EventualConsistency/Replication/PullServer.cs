using System.Runtime.CompilerServices;
using Datacake.Crdt;
using Datacake.EventualConsistency.Keyspaces;
using Datacake.EventualConsistency.Layout;
using Datacake.EventualConsistency.Replication.Messages;
using Datacake.Storage;

namespace Datacake.EventualConsistency.Replication;

/// <summary>
/// The server of pulls [R8, R9]. It answers from one snapshot of a joined store, part by part, so that an answer of any size needs the
/// memory of one part.
/// </summary>
/// <param name="catalog">The keyspaces of the store.</param>
/// <param name="maxPartLength">
/// The approximate maximum length of a part, in bytes. The names of its last transaction and a single long document may exceed it.
/// </param>
/// <param name="keyspaces">The names of the keyspaces that a follower asks for; null for all [R21].</param>
sealed class PullServer(KeyspaceCatalog catalog, int maxPartLength, IReadOnlySet<string>? keyspaces = null)
{
    const int MaxRecords = 1_000;

    /// <summary>
    /// Returns the parts of the answer, in order. There are none if this store knows less than the requester has truncated: it must pull
    /// from the requester first. If that holds in both directions, the node with the lower id reconciles, and the other one then pulls from
    /// it. If both reconciled, each would lose what is meanwhile written to the documents that the other asserts again [R13].
    /// </summary>
    /// <param name="snapshot">The snapshot of the store.</param>
    /// <param name="request">The request.</param>
    /// <param name="isOfLower">True if the requester has a lower node id than this node.</param>
    /// <param name="stream">A number that distinguishes the answer from all others.</param>
    /// <param name="cancellationToken">Cancels the answer.</param>
    public async IAsyncEnumerable<ReplicaMessage> AnswerAsync(
        IStorageSnapshot snapshot, PullRequest request, bool isOfLower, ulong stream, [EnumeratorCancellation] CancellationToken cancellationToken = default)
    {
        var state = await Replica.ReadStateAsync(snapshot, cancellationToken).ConfigureAwait(false);
        bool isBehind = !request.IsJoining && !state.Known.Covers(request.Truncated);
        if (isBehind && (request.Known.Covers(state.Truncated) || !isOfLower))
            yield break;
        var parts = request.IsJoining || request.IsFull || !request.Known.Covers(state.Truncated)
            ? SnapshotAsync(snapshot, state, request, stream, cancellationToken)
            : DifferenceAsync(snapshot, state, request, stream, cancellationToken);
        await foreach (var part in parts.ConfigureAwait(false))
            yield return part;
    }

    async IAsyncEnumerable<ReplicaMessage> DifferenceAsync(
        IStorageSnapshot snapshot, ReplicaState state, PullRequest request, ulong stream, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        var missing = state.Known.Except(request.Known);
        var lowest = missing.Top;
        bool hasRecords = false;
        var part = new PartBuilder();
        int number = 0;
        // Newest first: whatever supersedes a transaction has a greater stamp, so it was sent before the transaction is claimed.
        var pages = new LoggedDocuments(snapshot, catalog).ReadNewestFirstAsync(missing, (name, key) => !part.Has(key) && Includes(name.Keyspace), cancellationToken);
        await foreach (var page in pages.ConfigureAwait(false))
        {
            foreach (var logged in page)
            {
                // A part that ends between a document and the record of its transaction can only be claimed together with the next part. So
                // a full part is cut there only if more documents of the transaction follow, and a small transaction is never split.
                if (IsDue(part, logged, missing))
                {
                    if (part.Length >= maxPartLength)
                        yield return Cut();
                    part.Add(logged);
                }
                if (!logged.IsLast)
                    continue;
                part.Add(Included(logged.Transaction));
                lowest = logged.Transaction.Stamp;
                hasRecords = true;
                if (part.Length >= maxPartLength || part.Records >= MaxRecords)
                    yield return Cut();
            }
        }
        yield return Cut(isLast: true);

        Chunk Cut(bool isLast = false)
        {
            var (records, documents) = part.Take();
            var claims = isLast ? missing : hasRecords ? missing.Between(new HlcTimestamp(lowest.Packed - 1), missing.Top) : VersionVector.Empty;
            return new Chunk(request.Pull, stream, number++, state.Known, state.Runs, records, documents, claims, isLast);
        }
    }

    /// <summary>
    /// Returns the documents, in the order that all nodes share, and then the log. If the requester can continue an earlier snapshot that
    /// broke off, it is sent only the documents after that point; but before them, the earlier documents that have changed since, which the
    /// log names [R16].
    /// </summary>
    async IAsyncEnumerable<ReplicaMessage> SnapshotAsync(
        IStorageSnapshot snapshot, ReplicaState state, PullRequest request, ulong stream, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        var from = request.Resume is { } resume && resume.CanContinueAt(state) ? resume : null;
        long count = await CountAsync(snapshot, cancellationToken).ConfigureAwait(false);
        var identity = await snapshot.GetAsync(StoreLayout.IdentityKey, cancellationToken).ConfigureAwait(false);
        ulong cluster = ReplicaIdentity.Decode(identity ?? throw new InvalidDataException("The store has no identity.")).Cluster;
        int number = 0;
        var part = new PartBuilder();
        if (from is not null)
        {
            var missing = state.Known.Except(from.Base);
            var changed = new LoggedDocuments(snapshot, catalog)
                .ReadNewestFirstAsync(missing, (name, key) => !part.Has(key) && !name.IsAfter(from.Last) && Includes(name.Keyspace), cancellationToken);
            await foreach (var page in changed.ConfigureAwait(false))
            {
                foreach (var logged in page)
                {
                    if (!IsDue(part, logged, missing))
                        continue;
                    part.Add(logged);
                    if (part.Length >= maxPartLength)
                        yield return Page(SnapshotPart.Changed);
                }
            }
            yield return Page(SnapshotPart.Changed);
        }

        var rest = from is null ? SnapshotPart.Whole : SnapshotPart.Rest;
        foreach (var range in RangesAfter(from?.Last))
        {
            await foreach (var (key, value) in snapshot.ReadAllAsync(range, cancellationToken).ConfigureAwait(false))
            {
                part.Add(key, new NamedDocument(Name(key), DocumentRecord.Parse(key, value)));
                if (part.Length >= maxPartLength)
                    yield return Page(rest);
            }
        }
        await foreach (var record in TransactionLog.ReadAllAsync(snapshot, cancellationToken).ConfigureAwait(false))
        {
            foreach (var transaction in record.Transactions)
            {
                part.Add(NamesOf(transaction));
                if (part.Length >= maxPartLength || part.Records >= MaxRecords)
                    yield return Page(rest);
            }
        }
        yield return Page(rest, isLast: true);

        SnapshotPage Page(SnapshotPart which, bool isLast = false)
        {
            var (records, documents) = part.Take();
            return new SnapshotPage(request.Pull, stream, number++, cluster, state, count, which, records, documents, isLast);
        }
    }

    /// <summary>
    /// Returns true if a document is stored and must be sent: it is not in the part yet, and was not sent with a newer transaction.
    /// </summary>
    static bool IsDue(PartBuilder part, in LoggedDocument logged, VersionVector missing) =>
        !ReferenceEquals(logged.Document, Document.Nothing) && !part.Has(logged.Key) && !WasSent(logged.Document, missing, logged.Transaction.Stamp);

    TransactionNames NamesOf(LogTransaction transaction) => Included(new(transaction.Stamp, [.. transaction.DocumentKeys.Select(Name)]));

    bool Includes(string keyspace) => keyspaces?.Contains(keyspace) != false;

    /// <summary>Returns a transaction without the documents that are not asked for. One that has no others is sent all the same: its stamp is known nevertheless.</summary>
    TransactionNames Included(TransactionNames transaction) => keyspaces is null ? transaction
        : transaction with { Documents = [.. transaction.Documents.Where(name => Includes(name.Keyspace))] };

    /// <summary>Returns the storage ranges of the documents that come after a document in the order that all nodes share.</summary>
    IEnumerable<KeyRange> RangesAfter(DocumentName? last)
    {
        foreach (var keyspace in catalog.All.Where(keyspace => Includes(keyspace.Name)).OrderBy(keyspace => keyspace.Name, StringComparer.Ordinal))
        {
            var all = StoreLayout.Documents(keyspace.Number);
            int order = last is { } bound ? string.CompareOrdinal(keyspace.Name, bound.Keyspace) : 1;
            if (order >= 0)
                yield return order == 0 ? all.After(StoreLayout.DocumentKey(keyspace.Number, last!.Value.Key.Span)) : all;
        }
    }

    /// <summary>Returns the fingerprint of the keyspaces in a snapshot [R15].</summary>
    public async ValueTask<UInt128> FingerprintAsync(IStorageSnapshot snapshot, CancellationToken cancellationToken = default)
    {
        UInt128 sum = 0;
        await foreach (var (_, value) in snapshot.ReadAllAsync(StoreLayout.AllKeyspaces, cancellationToken).ConfigureAwait(false))
        {
            var record = KeyspaceRecord.Decode(value);
            if (!record.IsRemoved && Includes(record.Name))
                sum += Fingerprint.Of(record.Name, record.Fingerprint);
        }
        return sum;
    }

    async ValueTask<long> CountAsync(IStorageSnapshot snapshot, CancellationToken cancellationToken)
    {
        long count = 0;
        await foreach (var (_, value) in snapshot.ReadAllAsync(StoreLayout.AllKeyspaces, cancellationToken).ConfigureAwait(false))
        {
            var record = KeyspaceRecord.Decode(value);
            if (Includes(record.Name))
                count += record.Count;
        }
        return count;
    }

    DocumentName Name(ReadOnlyMemory<byte> documentKey)
    {
        var keyspace = catalog[StoreLayout.KeyspaceOf(documentKey.Span)];
        return new DocumentName(keyspace.Name, keyspace.Policy, documentKey[StoreLayout.DocumentPrefixLength..].ToArray());
    }

    /// <summary>
    /// Returns true if a newer transaction of the answer also wrote the document, which was then sent with that transaction. A document
    /// whose newer effects are superseded may be sent twice. That costs bytes but changes nothing; remembering every sent document would
    /// cost memory.
    /// </summary>
    static bool WasSent(Document document, VersionVector missing, HlcTimestamp stamp)
    {
        if (IsNewer(document.Born) || IsNewer(document.Touched) || IsNewer(document.Died))
            return true;
        foreach (var cell in document.Cells)
        {
            if (IsNewer(cell.Stamp))
                return true;
        }
        return false;

        bool IsNewer(HlcTimestamp effect) => effect > stamp && missing.Contains(effect);
    }

    /// <summary>Collects the content of one part after another.</summary>
    sealed class PartBuilder
    {
        readonly HashSet<StorageKey> _keys = [];
        List<TransactionNames> _records = [];
        List<NamedDocument> _documents = [];

        public int Records => _records.Count;

        /// <summary>Gets the approximate length of the part, in bytes.</summary>
        public int Length { get; private set; }

        public bool Has(ReadOnlyMemory<byte> key) => _keys.Contains(new StorageKey(key));

        public void Add(in LoggedDocument logged) => Add(logged.Key, new NamedDocument(logged.Name, logged.Document));

        public void Add(ReadOnlyMemory<byte> key, NamedDocument document)
        {
            _keys.Add(new StorageKey(key));
            _documents.Add(document);
            Length += LengthOf(document.Name) + document.Document.Encoded.Length;
        }

        public void Add(TransactionNames record)
        {
            _records.Add(record);
            foreach (var name in record.Documents)
                Length += LengthOf(name);
        }

        /// <summary>Returns the content of the part, and begins the next one.</summary>
        public (IReadOnlyList<TransactionNames> Records, IReadOnlyList<NamedDocument> Documents) Take()
        {
            var taken = (_records, _documents);
            (_records, _documents, Length) = ([], [], 0);
            _keys.Clear();
            return taken;
        }

        static int LengthOf(DocumentName name) => name.Keyspace.Length + name.Key.Length;
    }
}
