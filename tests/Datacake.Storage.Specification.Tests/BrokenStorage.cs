namespace Datacake.Storage.Specification.Tests;

/// <summary>The mistakes that a broken provider can have.</summary>
public enum Mistake
{
    None,

    /// <summary>The last operation of a batch is lost.</summary>
    LostBatchTail,

    /// <summary>The operations of a batch become visible one after the other.</summary>
    TornBatch,

    /// <summary>Two entries of a page are swapped.</summary>
    UnorderedScan,

    /// <summary>A snapshot shows later commits.</summary>
    MovingSnapshot,

    /// <summary>A deleted key remains, without its value.</summary>
    DeleteLeavesKey,

    /// <summary>An empty value cannot be distinguished from an absent key.</summary>
    EmptyValueIsAbsent,

    /// <summary>A scan returns the entry at the upper bound.</summary>
    UpperBoundIncluded,

    /// <summary>A reverse scan returns the first entries of the range instead of the last.</summary>
    ReverseFromTheStart,

    /// <summary>A page holds more entries than requested.</summary>
    LongPage,

    /// <summary>The first of several operations on a key counts.</summary>
    FirstOperationCounts,

    /// <summary>A call with a token that is already canceled is carried out.</summary>
    IgnoresCancellation,
}

/// <summary>A store in memory with one mistake.</summary>
sealed class BrokenStorage(Mistake mistake) : IStorage
{
    readonly MemoryStorage _storage = new();

    public string Description => $"memory store with the mistake '{mistake}'";

    public async ValueTask<IStorageSnapshot> OpenSnapshotAsync(CancellationToken cancellationToken = default) =>
        new Snapshot(mistake, _storage, await _storage.OpenSnapshotAsync(cancellationToken));

    public async ValueTask CommitAsync(WriteBatch batch, Durability durability, CancellationToken cancellationToken = default)
    {
        WriteOperation[] operations = batch.Operations.ToArray();
        if (mistake == Mistake.LostBatchTail && operations.Length > 1)
            operations = operations[..^1];
        if (mistake == Mistake.FirstOperationCounts)
            operations = [.. operations.DistinctBy(operation => Convert.ToHexString(operation.Key.Span))];
        if (mistake == Mistake.IgnoresCancellation)
            cancellationToken = CancellationToken.None;
        if (mistake != Mistake.TornBatch)
        {
            await _storage.CommitAsync(Batch(operations), durability, cancellationToken);
            return;
        }
        foreach (WriteOperation operation in operations)
            await _storage.CommitAsync(Batch(operation), durability, cancellationToken);
    }

    public ValueTask DisposeAsync() => _storage.DisposeAsync();

    WriteBatch Batch(params WriteOperation[] operations)
    {
        var batch = new WriteBatch();
        foreach (WriteOperation operation in operations)
        {
            if (operation.Value is { } value)
                batch.Put(operation.Key, value);
            else if (mistake == Mistake.DeleteLeavesKey)
                batch.Put(operation.Key, default);
            else
                batch.Delete(operation.Key);
        }
        return batch;
    }

    sealed class Snapshot(Mistake mistake, MemoryStorage storage, IStorageSnapshot snapshot) : IStorageSnapshot
    {
        IStorageSnapshot _snapshot = snapshot;

        public async ValueTask<ReadOnlyMemory<byte>?> GetAsync(ReadOnlyMemory<byte> key, CancellationToken cancellationToken = default)
        {
            await MoveAsync();
            ReadOnlyMemory<byte>? value = await _snapshot.GetAsync(key, cancellationToken);
            return mistake == Mistake.EmptyValueIsAbsent && value is { Length: 0 } ? null : value;
        }

        public async ValueTask<IReadOnlyList<StorageEntry>> ScanAsync(
            KeyRange range, ScanDirection direction, int maxEntries, CancellationToken cancellationToken = default)
        {
            await MoveAsync();
            if (mistake == Mistake.UpperBoundIncluded && range.End is { } end)
                range = range with { End = KeyRange.All.After(end).Start };
            if (mistake == Mistake.ReverseFromTheStart && direction == ScanDirection.Reverse)
                return [.. (await _snapshot.ScanAsync(range, ScanDirection.Forward, maxEntries, cancellationToken)).Reverse()];
            int count = mistake == Mistake.LongPage && maxEntries < int.MaxValue ? maxEntries + 1 : maxEntries;
            StorageEntry[] page = [.. await _snapshot.ScanAsync(range, direction, count, cancellationToken)];
            if (mistake == Mistake.UnorderedScan && page.Length > 2)
                (page[0], page[1]) = (page[1], page[0]);
            return page;
        }

        public void Dispose() => _snapshot.Dispose();

        async ValueTask MoveAsync()
        {
            if (mistake != Mistake.MovingSnapshot)
                return;
            IStorageSnapshot later = await storage.OpenSnapshotAsync();
            _snapshot.Dispose();
            _snapshot = later;
        }
    }
}
