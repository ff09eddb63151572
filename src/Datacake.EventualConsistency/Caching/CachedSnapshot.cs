using Datacake.Crdt;
using Datacake.EventualConsistency.Layout;
using Datacake.EventualConsistency.Snapshots;
using Datacake.Storage;

namespace Datacake.EventualConsistency.Caching;

/// <summary>
/// A snapshot of a <see cref="CachedStorage"/>. Documents that are read by key come from the cache where possible; everything else comes
/// from the storage.
/// </summary>
sealed class CachedSnapshot(IStorageSnapshot snapshot, DocumentCache cache, long number) : IKeyReader, IDocumentPageReader
{
    volatile bool _disposed;

    public ValueTask<ReadOnlyMemory<byte>?> GetAsync(ReadOnlyMemory<byte> key, CancellationToken cancellationToken = default) =>
        snapshot.GetAsync(key, cancellationToken);

    public ValueTask<IReadOnlyList<StorageEntry>> ScanAsync(
        KeyRange range, ScanDirection direction, int maxEntries, CancellationToken cancellationToken = default) =>
        snapshot.ScanAsync(range, direction, maxEntries, cancellationToken);

    public ValueTask ScanAsync(
        KeyRange range, ScanDirection direction, int maxEntries, EntryPage page, CancellationToken cancellationToken = default) =>
        snapshot.ScanAsync(range, direction, maxEntries, page, cancellationToken);

    public ValueTask<long> CountAsync(KeyRange range, CancellationToken cancellationToken = default) => snapshot.CountAsync(range, cancellationToken);

    public ValueTask<ReadOnlyMemory<byte>?> SkipAsync(KeyRange range, ScanDirection direction, long count, CancellationToken cancellationToken = default) =>
        snapshot.SkipAsync(range, direction, count, cancellationToken);

    public ValueTask GetManyAsync(IReadOnlyList<ReadOnlyMemory<byte>> keys, EntryPage page, CancellationToken cancellationToken = default) =>
        snapshot.GetManyAsync(keys, page, cancellationToken);

    public ValueTask<IReadOnlyList<ReadOnlyMemory<byte>>> ScanKeysAsync(KeyRange range, int maxKeys, CancellationToken cancellationToken = default) =>
        SnapshotReading.ScanKeysAsync(snapshot, range, maxKeys, cancellationToken);

    /// <summary>Returns a document, or <see cref="Document.Nothing"/> if there is none.</summary>
    public ValueTask<Document> ReadAsync(ReadOnlyMemory<byte> documentKey, CancellationToken cancellationToken = default)
    {
        ObjectDisposedException.ThrowIf(_disposed, typeof(IStorageSnapshot));
        if (cache.Find(documentKey.Span, number) is { } found)
            return new(found.Document);
        var reading = snapshot.GetAsync(documentKey, cancellationToken);
        return reading.IsCompletedSuccessfully ? new(Keep(documentKey, reading.Result)) : KeepAsync(documentKey, reading);
    }

    /// <summary>Reads documents into a page, in the order of their keys. Overwrites the array of the keys.</summary>
    public ValueTask ReadManyAsync(ReadOnlyMemory<byte>[] documentKeys, DocumentPage page, CancellationToken cancellationToken)
    {
        ObjectDisposedException.ThrowIf(_disposed, typeof(IStorageSnapshot));
        var found = page.FoundFor(documentKeys.Length);
        int missing = 0;
        for (int i = 0; i < found.Length; i++)
        {
            found[i] = cache.Find(documentKeys[i].Span, number);
            if (found[i] is null)
                documentKeys[missing++] = documentKeys[i];
        }
        if (missing == 0)
            return default;
        var missed = new ArraySegment<ReadOnlyMemory<byte>>(documentKeys, 0, missing);
        var reading = snapshot.GetManyAsync(missed, page.Entries, cancellationToken);
        if (!reading.IsCompletedSuccessfully)
            return KeepAsync(missed, page, reading);
        Keep(missed, page);
        return default;
    }

    public void Dispose()
    {
        _disposed = true;
        snapshot.Dispose();
    }

    async ValueTask<Document> KeepAsync(ReadOnlyMemory<byte> documentKey, ValueTask<ReadOnlyMemory<byte>?> reading) =>
        Keep(documentKey, await reading.ConfigureAwait(false));

    Document Keep(ReadOnlyMemory<byte> documentKey, ReadOnlyMemory<byte>? stored)
    {
        if (stored is not { } bytes)
            return Document.Nothing;
        var document = DocumentRecord.Parse(documentKey, bytes);
        if (cache.Wants(documentKey.Span, bytes.Length, number))
            cache.Add(documentKey.ToArray(), document, number);
        return document;
    }

    async ValueTask KeepAsync(ArraySegment<ReadOnlyMemory<byte>> missed, DocumentPage page, ValueTask reading)
    {
        await reading.ConfigureAwait(false);
        Keep(missed, page);
    }

    void Keep(ArraySegment<ReadOnlyMemory<byte>> missed, DocumentPage page)
    {
        page.LeaveOutMissing(missed);
        for (int i = 0; i < page.Entries.Count; i++)
        {
            var key = page.Entries.KeyOf(i);
            var value = page.Entries.ValueOf(i);
            if (cache.Wants(key, value.Length, number))
            {
                byte[] storageKey = key.ToArray();
                cache.Add(storageKey, DocumentRecord.Parse(storageKey, value.ToArray()), number);
            }
        }
    }
}
