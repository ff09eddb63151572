using System.Runtime.CompilerServices;
using Datacake.Crdt;
using Datacake.EventualConsistency.Keyspaces;
using Datacake.EventualConsistency.Layout;
using Datacake.EventualConsistency.Replication.Messages;
using Datacake.Storage;

namespace Datacake.EventualConsistency.Replication;

/// <summary>
/// Answers pulls [R8, R9] from one snapshot of a joined store, part by part, so that the answer needs the memory of one part whatever its size.
/// </summary>
/// <param name="catalog">The keyspaces of the store.</param>
/// <param name="maxPartLength">About how many bytes of documents a part may have.</param>
sealed class PullServer(KeyspaceCatalog catalog, int maxPartLength)
{
    const int MaxRecords = 1_000;

    /// <summary>The parts of the answer, in order. None if this store has to pull from the other first.</summary>
    public async IAsyncEnumerable<ReplicaMessage> AnswerAsync(
        IStorageSnapshot snapshot, PullRequest request, ulong stream, [EnumeratorCancellation] CancellationToken cancellationToken = default)
    {
        var state = await Replica.ReadStateAsync(snapshot, cancellationToken).ConfigureAwait(false);
        if (!request.IsJoining && request.Known.Covers(state.Truncated) && !state.Known.Covers(request.Truncated))
            yield break;
        var parts = request.IsJoining || !request.Known.Covers(state.Truncated)
            ? SnapshotAsync(snapshot, state, request.Pull, stream, cancellationToken)
            : DifferenceAsync(snapshot, state, request, stream, cancellationToken);
        await foreach (var part in parts.ConfigureAwait(false))
            yield return part;
    }

    async IAsyncEnumerable<ReplicaMessage> DifferenceAsync(
        IStorageSnapshot snapshot, ReplicaState state, PullRequest request, ulong stream, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        var missing = state.Known.Except(request.Known);
        var part = new PartBuilder();
        int number = 0;
        // Newest first: what supersedes a transaction is always greater, so it has been sent when the transaction is claimed.
        await foreach (var (logKey, logValue) in snapshot.ReadAllReverseAsync(RangeOf(missing), cancellationToken).ConfigureAwait(false))
        {
            var stamp = StoreLayout.StampOfLogKey(logKey.Span);
            if (!missing.Contains(stamp))
                continue;
            var record = LogRecord.Decode(stamp, logValue);
            foreach (var key in record.DocumentKeys)
            {
                if (part.Has(key))
                    continue;
                var document = await ReplicaBatch.ReadStoredAsync(snapshot, key).ConfigureAwait(false);
                if (!ReferenceEquals(document, Document.Nothing) && !WasSent(document, missing, stamp))
                    part.Add(key, new NamedDocument(Name(key), document));
            }
            part.Records.Add(new TransactionNames(stamp, [.. record.DocumentKeys.Select(Name)]));
            if (part.Length >= maxPartLength || part.Records.Count >= MaxRecords)
            {
                var claims = missing.Between(new HlcTimestamp(stamp.Packed - 1), missing.Top);
                yield return new Chunk(request.Pull, stream, number++, state.Known, part.Records, part.Documents, claims, IsLast: false);
                part = new PartBuilder();
            }
        }
        yield return new Chunk(request.Pull, stream, number, state.Known, part.Records, part.Documents, missing, IsLast: true);
    }

    async IAsyncEnumerable<ReplicaMessage> SnapshotAsync(
        IStorageSnapshot snapshot, ReplicaState state, ulong pull, ulong stream, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        var part = new PartBuilder();
        int number = 0;
        await foreach (var (key, value) in snapshot.ReadAllAsync(StoreLayout.AllDocuments, cancellationToken).ConfigureAwait(false))
        {
            part.Add(key, new NamedDocument(Name(key), ReplicaBatch.ParseStored(key, value)));
            if (part.Length >= maxPartLength)
            {
                yield return new SnapshotPage(pull, stream, number++, state, part.Records, part.Documents, IsLast: false);
                part = new PartBuilder();
            }
        }
        await foreach (var (key, value) in snapshot.ReadAllAsync(StoreLayout.AllLog, cancellationToken).ConfigureAwait(false))
        {
            var record = LogRecord.Decode(StoreLayout.StampOfLogKey(key.Span), value);
            part.Records.Add(new TransactionNames(record.Stamp, [.. record.DocumentKeys.Select(Name)]));
            if (part.Records.Count >= MaxRecords)
            {
                yield return new SnapshotPage(pull, stream, number++, state, part.Records, part.Documents, IsLast: false);
                part = new PartBuilder();
            }
        }
        yield return new SnapshotPage(pull, stream, number, state, part.Records, part.Documents, IsLast: true);
    }

    DocumentName Name(ReadOnlyMemory<byte> documentKey)
    {
        var keyspace = catalog[StoreLayout.KeyspaceOf(documentKey.Span)];
        return new DocumentName(keyspace.Name, keyspace.Policy, documentKey[StoreLayout.DocumentPrefixLength..].ToArray());
    }

    /// <summary>
    /// Whether a newer transaction of the answer names the document: it has been sent with that one. A document whose newer effects are superseded
    /// may be sent twice, which costs bytes and changes nothing; remembering what was sent would cost memory for each document.
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

    static KeyRange RangeOf(VersionVector stamps)
    {
        var lowest = stamps.Top;
        foreach (byte node in stamps.Nodes)
            lowest = HlcTimestamp.Min(lowest, stamps[node][0].Low);
        return StoreLayout.Log(lowest, stamps.Top);
    }

    /// <summary>Collects a part.</summary>
    sealed class PartBuilder
    {
        readonly HashSet<StorageKey> _keys = [];

        public List<TransactionNames> Records { get; } = [];

        public List<NamedDocument> Documents { get; } = [];

        public int Length { get; private set; }

        public bool Has(ReadOnlyMemory<byte> key) => _keys.Contains(new StorageKey(key));

        public void Add(ReadOnlyMemory<byte> key, NamedDocument document)
        {
            _keys.Add(new StorageKey(key));
            Documents.Add(document);
            Length += document.Document.Encoded.Length + document.Name.Key.Length;
        }
    }
}
