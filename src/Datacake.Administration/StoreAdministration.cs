using System.Globalization;
using System.Runtime.CompilerServices;
using System.Text.Json;
using Datacake.Administration.Backups;
using Datacake.Administration.Conditions;
using Datacake.Administration.Contracts;
using Datacake.Administration.Json;
using Datacake.Crdt;
using Datacake.Data.CodeGeneration;
using Datacake.EventualConsistency;
using Datacake.EventualConsistency.Snapshots;
using Datacake.Storage;

namespace Datacake.Administration;

/// <summary>The administration of one store of a node: its data, and what operators can change. Thread-safe.</summary>
public sealed class StoreAdministration
{
    readonly ReplicatedStore _store;
    readonly NodeAdministration _administration;

    internal StoreAdministration(ReplicatedStore store, NodeAdministration administration)
    {
        _store = store;
        _administration = administration;
    }

    /// <summary>Gets the name of the store; an empty text for the node's own store.</summary>
    public string Name => _store.Name;

    internal ReplicatedStore Store => _store;

    /// <summary>Gets the subject of a sentence about the store.</summary>
    string Subject => $"The store {(Name.Length > 0 ? $"'{Name}' " : "")}of node {_store.Node.Id}";

    /// <summary>Returns the state of all keyspaces. Before the store has joined its cluster, that is what it has received so far.</summary>
    public async ValueTask<IReadOnlyList<KeyspaceStatus>> ListKeyspacesAsync(CancellationToken cancellationToken = default)
    {
        var statuses = new List<KeyspaceStatus>();
        using var snapshot = await _store.OpenPresentSnapshotAsync(cancellationToken).ConfigureAwait(false);
        foreach (string name in _store.ListKeyspaces())
        {
            var statistics = await snapshot.GetStatisticsAsync(name, cancellationToken).ConfigureAwait(false);
            statuses.Add(new KeyspaceStatus(name, statistics.Count, statistics.Fingerprint.ToString("x32", CultureInfo.InvariantCulture), _store.ListIndexes(name),
                await EstimateSizeAsync(snapshot, name, statistics.Count, cancellationToken).ConfigureAwait(false)));
        }
        return statuses;
    }

    /// <summary>Returns documents of a keyspace, in the order of their keys.</summary>
    /// <param name="keyspace">The name of the keyspace.</param>
    /// <param name="after">The key after which the list begins; null for the start.</param>
    /// <param name="count">The maximum number of documents, at most 1,000.</param>
    /// <param name="isPlain">True if values are to be readable rather than exact.</param>
    /// <param name="cancellationToken">A token that stops the reading.</param>
    public async ValueTask<DocumentList> ListDocumentsAsync(
        string keyspace, JsonElement? after = null, int count = 100, bool isPlain = true, CancellationToken cancellationToken = default)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(count);
        using var snapshot = await _store.OpenSnapshotAsync(cancellationToken).ConfigureAwait(false);
        var range = after is { } start ? KeyRange.All.After(KeyJson.Read(start).Encoded) : KeyRange.All;
        var rows = new List<DocumentRow>();
        DocumentKey last = default;
        while (rows.Count < Math.Min(count, NodeAdministration.MaxListed))
        {
            var page = await snapshot.ScanAsync(keyspace, range, ScanDirection.Forward, Math.Min(count, NodeAdministration.MaxListed) - rows.Count, cancellationToken).ConfigureAwait(false);
            if (page.Count == 0)
                return new DocumentList(rows, null);
            foreach (var (key, document) in page)
                rows.Add(new DocumentRow(KeyJson.Of(key), DocumentJson.Of(document, isPlain)));
            last = page[^1].Key;
            range = range.After(last.Encoded);
        }
        return new DocumentList(rows, KeyJson.Of(last));
    }

    /// <summary>Returns a document with the writer of each of its values, or null if the store has nothing with the key.</summary>
    public async ValueTask<DocumentDetail?> GetDocumentAsync(string keyspace, JsonElement key, bool isPlain = true, CancellationToken cancellationToken = default)
    {
        var documentKey = KeyJson.Read(key);
        using var snapshot = await _store.OpenSnapshotAsync(cancellationToken).ConfigureAwait(false);
        if (await snapshot.GetStoredAsync(keyspace, documentKey, cancellationToken).ConfigureAwait(false) is not { } stored)
            return null;
        var (document, isAlive) = stored;
        return new DocumentDetail(
            keyspace, KeyJson.Of(documentKey), isAlive, isAlive ? DocumentJson.Of(document, isPlain) : null,
            StampOf(document.Born), StampOf(document.Touched), StampOf(document.Died), CellsOf(document, isPlain));
    }

    /// <summary>
    /// Returns documents that satisfy a condition, or all documents, in the order of their keys. Reads at most <paramref name="maxRead"/> documents; the result says
    /// after which key the next part begins.
    /// </summary>
    /// <param name="keyspace">The name of the keyspace.</param>
    /// <param name="condition">
    /// Comparisons of properties joined by <c>and</c>, <c>or</c>, <c>not</c> and parentheses, such as <c>Price &gt; 10 and Name startswith 'B'</c>; null for
    /// all documents.
    /// </param>
    /// <param name="after">The key after which the search begins; null for the start.</param>
    /// <param name="count">The maximum number of documents to find, at most 1,000.</param>
    /// <param name="maxRead">The maximum number of documents to read.</param>
    /// <param name="cancellationToken">A token that stops the reading.</param>
    /// <exception cref="FormatException">The condition cannot be understood. The message says where.</exception>
    public async ValueTask<DocumentSearch> SearchDocumentsAsync(
        string keyspace, string? condition, JsonElement? after = null, int count = 100, int maxRead = 10_000, CancellationToken cancellationToken = default)
    {
        var parsed = condition is null ? null : ConditionParser.Parse(condition);
        var found = new List<DocumentRow>();
        var (read, next) = await ScanAsync(
            keyspace, after, maxRead,
            (key, document, isAlive) =>
            {
                if (isAlive && DocumentJson.Of(document, isPlain: true) is var json && parsed?.IsSatisfiedBy(json) != false)
                    found.Add(new DocumentRow(KeyJson.Of(key), json));
                return found.Count < Math.Min(count, NodeAdministration.MaxListed);
            },
            cancellationToken).ConfigureAwait(false);
        return new DocumentSearch(found, read, next);
    }

    /// <summary>
    /// Returns deleted documents that are kept until every member knows that they were deleted, in the order of their keys. Reads at most
    /// <paramref name="maxRead"/> documents; the result says after which key the next part begins.
    /// </summary>
    /// <param name="keyspace">The name of the keyspace.</param>
    /// <param name="after">The key after which the list begins; null for the start.</param>
    /// <param name="count">The maximum number of deleted documents, at most 1,000.</param>
    /// <param name="maxRead">The maximum number of documents to read.</param>
    /// <param name="cancellationToken">A token that stops the reading.</param>
    public async ValueTask<DeletedDocumentList> ListDeletedAsync(
        string keyspace, JsonElement? after = null, int count = 100, int maxRead = 10_000, CancellationToken cancellationToken = default)
    {
        var found = new List<DeletedDocument>();
        var (read, next) = await ScanAsync(
            keyspace, after, maxRead,
            (key, document, isAlive) =>
            {
                if (!isAlive && !document.Died.IsNone)
                    found.Add(new DeletedDocument(KeyJson.Of(key), document.Died.Node, document.Died.Time));
                return found.Count < Math.Min(count, NodeAdministration.MaxListed);
            },
            cancellationToken).ConfigureAwait(false);
        return new DeletedDocumentList(found, read, next);
    }

    /// <summary>Watches the changes of a keyspace from now on, whichever node writes them, until the token is canceled or the node stops.</summary>
    public async IAsyncEnumerable<WatchedChange> WatchAsync(string keyspace, [EnumeratorCancellation] CancellationToken cancellationToken = default)
    {
        await foreach (var changes in _store.Keyspace(keyspace).WatchAsync(WatchPosition.Now, cancellationToken).ConfigureAwait(false))
        {
            if (changes.HasGap)
                yield return new WatchedChange(WatchedChangeKind.Gap, null, null, null, null);
            foreach (var change in changes.Changes)
            {
                var kind = change.After is null ? WatchedChangeKind.Deleted
                    : change is { IsBeforeKnown: true, Before: null } ? WatchedChangeKind.Added : WatchedChangeKind.Changed;
                var stamp = change.After?.Newest ?? await DiedAsync(change.Key).ConfigureAwait(false);
                yield return new WatchedChange(
                    kind, KeyJson.Of(change.Key), stamp?.Node, stamp?.Time, change.After is { } after ? DocumentJson.Of(after, isPlain: true) : null);
            }
        }

        // The change has no document; the store knows who deleted it until every member does.
        async ValueTask<HlcTimestamp?> DiedAsync(DocumentKey key)
        {
            using var snapshot = await _store.OpenSnapshotAsync(cancellationToken).ConfigureAwait(false);
            return await snapshot.GetStoredAsync(keyspace, key, cancellationToken).ConfigureAwait(false) is (var document, false) && !document.Died.IsNone
                ? document.Died
                : null;
        }
    }

    /// <summary>Puts a document.</summary>
    internal async ValueTask<CommandResult> PutAsync(string keyspace, JsonElement key, JsonElement document, CancellationToken cancellationToken)
    {
        var (content, counters) = DocumentJson.Read(document, new ValueWriter());
        var transaction = new Transaction();
        transaction.Put(keyspace, KeyJson.Read(key), content, counters);
        await _store.CommitAsync(transaction, _store.LevelFor(keyspace, _administration.Options.Level), cancellationToken).ConfigureAwait(false);
        return new CommandResult($"The document {key.GetRawText()} of {keyspace} was put.", 1);
    }

    /// <summary>Deletes a document.</summary>
    internal async ValueTask<CommandResult> DeleteAsync(string keyspace, JsonElement key, CancellationToken cancellationToken)
    {
        await _store.Keyspace(keyspace).DeleteAsync(KeyJson.Read(key), _store.LevelFor(keyspace, _administration.Options.Level), cancellationToken).ConfigureAwait(false);
        return new CommandResult($"The document {key.GetRawText()} of {keyspace} was deleted.", 1);
    }

    /// <summary>Copies the storage to a path on the machine of the node, or into a folder in which the newest copies are kept.</summary>
    internal async ValueTask<CommandResult> BackUpAsync(string path, int? keep, bool verify, CancellationToken cancellationToken)
    {
        if (keep is < 1)
            throw new ArgumentException($"{keep} backups cannot be kept. Keep at least 1.");
        DurableStorage("A backup");
        // The working directory of the node means nothing to the operator.
        path = Path.GetFullPath(path);
        bool isFolder = Directory.Exists(path);
        if (keep is not null && !isFolder)
            throw new ArgumentException($"'{path}' is not a folder on {Environment.MachineName}, the machine of node {_store.Node.Id}. To keep a number of backups, pass a folder that exists.");
        var result = isFolder
            ? await _administration.WriterOf(_store).WriteToFolderAsync(path, verify, keep, keepFor: null, cancellationToken).ConfigureAwait(false)
            : await _administration.WriterOf(_store).WriteToFileAsync(path, verify, cancellationToken).ConfigureAwait(false);
        string verified = result.Verification is { } verification ? string.Create(CultureInfo.InvariantCulture, $" and verified, with {verification.Documents} documents") : "";
        string deleted = result.Deleted > 0 ? $" {result.Deleted} older backups were deleted." : "";
        return new CommandResult($"{Subject} was copied to {result.Path} on {Environment.MachineName}{verified}.{deleted}", result.Verification?.Documents ?? 0);
    }

    /// <summary>Returns free space of the storage to the disk.</summary>
    internal async ValueTask<CommandResult> CompactAsync(CancellationToken cancellationToken)
    {
        var files = DurableStorage("Compaction");
        long before = await files.GetSizeOnDiskAsync(cancellationToken).ConfigureAwait(false);
        await files.CompactAsync(cancellationToken).ConfigureAwait(false);
        long after = await files.GetSizeOnDiskAsync(cancellationToken).ConfigureAwait(false);
        return new CommandResult(string.Create(CultureInfo.InvariantCulture, $"{Subject} had {before:N0} bytes, and has {after:N0}."), before - after);
    }

    /// <summary>Reads stored documents in the order of their keys, until the visitor returns false or the limit is reached.</summary>
    async ValueTask<(int Read, JsonElement? Next)> ScanAsync(
        string keyspace, JsonElement? after, int maxRead, Func<DocumentKey, Document, bool, bool> visit, CancellationToken cancellationToken)
    {
        const int pageSize = 256;
        using var snapshot = await _store.OpenSnapshotAsync(cancellationToken).ConfigureAwait(false);
        var range = after is { } start ? KeyRange.All.After(KeyJson.Read(start).Encoded) : KeyRange.All;
        int read = 0;
        DocumentKey last = default;
        while (read < maxRead)
        {
            var page = await snapshot.ScanStoredAsync(keyspace, range, Math.Min(pageSize, maxRead - read), cancellationToken).ConfigureAwait(false);
            if (page.Count == 0)
                return (read, null);
            foreach (var (key, document, isAlive) in page)
            {
                read++;
                last = key;
                if (!visit(key, document, isAlive))
                    return (read, KeyJson.Of(key));
            }
            range = range.After(last.Encoded);
        }
        return (read, read > 0 ? KeyJson.Of(last) : after);
    }

    static async ValueTask<long> EstimateSizeAsync(StoreSnapshot snapshot, string keyspace, long documents, CancellationToken cancellationToken)
    {
        const int sampled = 50;
        var first = await snapshot.ScanAsync(keyspace, KeyRange.All, ScanDirection.Forward, sampled, cancellationToken).ConfigureAwait(false);
        var last = documents > sampled
            ? await snapshot.ScanAsync(keyspace, KeyRange.All, ScanDirection.Reverse, (int)Math.Min(sampled, documents - sampled), cancellationToken).ConfigureAwait(false)
            : [];
        int count = first.Count + last.Count;
        return count == 0 ? 0 : (long)((double)documents / count * first.Concat(last).Sum(static stored => (long)stored.Key.Encoded.Length + stored.Document.Encoded.Length));
    }

    IDurableStorage DurableStorage(string what) => _store.Storage as IDurableStorage
        ?? throw new InvalidOperationException($"{what} needs a storage on a disk. {(Name.Length == 0 ? $"Node {_store.Node.Id}" : Subject)} has its data in memory.");

    static List<CellDetail> CellsOf(Document document, bool isPlain)
    {
        var cells = new List<CellDetail>();
        foreach (var cell in document.Cells)
        {
            byte[] element = cell.Element.ToArray(), value = cell.Value.ToArray();
            var kind = cell.Kind;
            cells.Add(new CellDetail(
                System.Text.Encoding.UTF8.GetString(cell.Property), kind.ToString(),
                element.Length > 0 ? JsonText.ToElement(json => ExtendedJson.Write(json, element, isPlain)) : null,
                cell.IsRemoved ? null : ValueOf(kind, value, isPlain),
                cell.IsRemoved, cell.IsShown(document.Born), cell.Stamp.Node, cell.Stamp.Time, cell.Stamp.ToString()));
        }
        return cells;
    }

    static JsonElement ValueOf(DocumentPathKind kind, byte[] value, bool isPlain) => JsonText.ToElement(json =>
    {
        switch (kind)
        {
            case DocumentPathKind.CounterShare:
                json.WriteNumberValue(CounterValue.Read(value));
                break;
            case DocumentPathKind.Property or DocumentPathKind.Element:
                ExtendedJson.Write(json, value, isPlain);
                break;
            default:
                json.WriteBase64StringValue(value);
                break;
        }
    });

    static string? StampOf(HlcTimestamp stamp) => stamp.IsNone ? null : stamp.ToString();
}
