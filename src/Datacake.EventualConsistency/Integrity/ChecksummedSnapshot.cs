using Datacake.EventualConsistency.Layout;
using Datacake.Storage;

namespace Datacake.EventualConsistency.Integrity;

/// <summary>
/// A snapshot of a <see cref="ChecksummedStorage"/>. It verifies every value, and also that a scan keeps its direction and stays in its
/// range: in a damaged file, a scan might otherwise never end.
/// </summary>
sealed class ChecksummedSnapshot(IStorageSnapshot snapshot, IStorage storage, DamageLog damages) : IKeyReader
{
    public ValueTask<ReadOnlyMemory<byte>?> GetAsync(ReadOnlyMemory<byte> key, CancellationToken cancellationToken = default)
    {
        var reading = snapshot.GetAsync(key, cancellationToken);
        return reading.IsCompletedSuccessfully ? new(Check(key, reading.Result)) : CheckAsync(key, reading);
    }

    public async ValueTask<IReadOnlyList<StorageEntry>> ScanAsync(
        KeyRange range, ScanDirection direction, int maxEntries, CancellationToken cancellationToken = default)
    {
        var page = await snapshot.ScanAsync(range, direction, maxEntries, cancellationToken).ConfigureAwait(false);
        if (page.Count > 0)
            CheckRange(range, page[0].Key.Span, page[^1].Key.Span);
        var entries = new StorageEntry[page.Count];
        for (int i = 0; i < entries.Length; i++)
        {
            var (key, value) = page[i];
            CheckOrder(direction, i == 0 ? default : page[i - 1].Key.Span, key.Span);
            Check(key.Span, value.Span);
            entries[i] = new StorageEntry(key, value[..^LengthOfChecksum(key.Span)]);
        }
        return entries;
    }

    public async ValueTask<IReadOnlyList<ReadOnlyMemory<byte>>> ScanKeysAsync(KeyRange range, int maxKeys, CancellationToken cancellationToken = default)
    {
        var page = await snapshot.ScanAsync(range, ScanDirection.Forward, maxKeys, cancellationToken).ConfigureAwait(false);
        if (page.Count > 0)
            CheckRange(range, page[0].Key.Span, page[^1].Key.Span);
        var keys = new ReadOnlyMemory<byte>[page.Count];
        for (int i = 0; i < keys.Length; i++)
        {
            CheckOrder(ScanDirection.Forward, i == 0 ? default : keys[i - 1].Span, page[i].Key.Span);
            keys[i] = page[i].Key;
        }
        return keys;
    }

    public ValueTask ScanAsync(
        KeyRange range, ScanDirection direction, int maxEntries, EntryPage page, CancellationToken cancellationToken = default)
    {
        var reading = snapshot.ScanAsync(range, direction, maxEntries, page, cancellationToken);
        if (!reading.IsCompletedSuccessfully)
            return CheckAsync(range, direction, page, reading);
        Check(range, direction, page);
        return default;
    }

    // What is counted is not read, so its checksums are not verified.
    public ValueTask<long> CountAsync(KeyRange range, CancellationToken cancellationToken = default) => snapshot.CountAsync(range, cancellationToken);

    public ValueTask<ReadOnlyMemory<byte>?> SkipAsync(KeyRange range, ScanDirection direction, long count, CancellationToken cancellationToken = default) =>
        snapshot.SkipAsync(range, direction, count, cancellationToken);

    public ValueTask GetManyAsync(IReadOnlyList<ReadOnlyMemory<byte>> keys, EntryPage page, CancellationToken cancellationToken = default)
    {
        var reading = snapshot.GetManyAsync(keys, page, cancellationToken);
        if (!reading.IsCompletedSuccessfully)
            return CheckAsync(keys, page, reading);
        Check(keys, page);
        return default;
    }

    public void Dispose() => snapshot.Dispose();

    async ValueTask<ReadOnlyMemory<byte>?> CheckAsync(ReadOnlyMemory<byte> key, ValueTask<ReadOnlyMemory<byte>?> reading) =>
        Check(key, await reading.ConfigureAwait(false));

    ReadOnlyMemory<byte>? Check(ReadOnlyMemory<byte> key, ReadOnlyMemory<byte>? stored)
    {
        if (stored is not { } value)
            return null;
        Check(key.Span, value.Span);
        return value[..^LengthOfChecksum(key.Span)];
    }

    async ValueTask CheckAsync(KeyRange range, ScanDirection direction, EntryPage page, ValueTask reading)
    {
        await reading.ConfigureAwait(false);
        Check(range, direction, page);
    }

    void Check(KeyRange range, ScanDirection direction, EntryPage page)
    {
        if (page.Count > 0)
            CheckRange(range, page.KeyOf(0), page.KeyOf(page.Count - 1));
        ReadOnlySpan<byte> previous = default;
        for (int i = 0; i < page.Count; i++)
        {
            var key = page.KeyOf(i);
            CheckOrder(direction, previous, key);
            Check(key, page.ValueOf(i));
            previous = key;
        }
        page.TrimValues(RecordChecksum.Length);
    }

    async ValueTask CheckAsync(IReadOnlyList<ReadOnlyMemory<byte>> keys, EntryPage page, ValueTask reading)
    {
        await reading.ConfigureAwait(false);
        Check(keys, page);
    }

    void Check(IReadOnlyList<ReadOnlyMemory<byte>> keys, EntryPage page)
    {
        int sought = 0;
        for (int i = 0; i < page.Count; i++)
        {
            var key = page.KeyOf(i);
            while (sought < keys.Count && !keys[sought].Span.SequenceEqual(key))
                sought++;
            if (sought++ == keys.Count)
                throw Misplaced(key);
            Check(key, page.ValueOf(i));
        }
        page.TrimValues(RecordChecksum.Length);
    }

    static int LengthOfChecksum(ReadOnlySpan<byte> key) => StoreLayout.HasChecksum(key) ? RecordChecksum.Length : 0;

    void Check(ReadOnlySpan<byte> key, ReadOnlySpan<byte> stored)
    {
        if (!RecordChecksum.IsRight(key, stored) && StoreLayout.HasChecksum(key))
            throw damages.Add(storage, key);
    }

    /// <summary>Throws if a key does not come after the previous one in the direction of the scan.</summary>
    void CheckOrder(ScanDirection direction, ReadOnlySpan<byte> previous, ReadOnlySpan<byte> key)
    {
        if (!previous.IsEmpty && (direction == ScanDirection.Forward ? previous.SequenceCompareTo(key) >= 0 : previous.SequenceCompareTo(key) <= 0))
            throw Misplaced(key);
    }

    /// <summary>
    /// Throws if the first or the last key of a page is outside the range. The keys between them are inside it, because they are in order.
    /// </summary>
    void CheckRange(in KeyRange range, ReadOnlySpan<byte> first, ReadOnlySpan<byte> last)
    {
        if (!range.Contains(first))
            throw Misplaced(first);
        if (!range.Contains(last))
            throw Misplaced(last);
    }

    StorageException Misplaced(ReadOnlySpan<byte> key) => new(StorageError.Corrupt,
        $"The {storage.Description} is damaged: {damages.Describe(key)} is in the wrong place. Restore a backup, or move the store away and start with an "
            + "empty one, which the other nodes fill again (set TakeOverNodeId).");
}
