using Datacake.Storage;

namespace Datacake.Benchmarks.Storage;

/// <summary>An embedded storage provider, whose calls complete synchronously.</summary>
sealed class ProviderStore(IStorage storage) : IKeyValueStore
{
    const int PageSize = 1_000;

    readonly WriteBatch _batch = new();

    public void Commit(ReadOnlySpan<(byte[] Key, byte[] Value)> entries, Durability durability)
    {
        _batch.Clear();
        foreach (var (key, value) in entries)
            _batch.Put(key, value);
        Completed(storage.CommitAsync(_batch, durability));
    }

    public int Get(byte[] key)
    {
        using var snapshot = Completed(storage.OpenSnapshotAsync());
        return Completed(snapshot.GetAsync(key))?.Length ?? -1;
    }

    public long Scan(byte[] from, int count)
    {
        using var snapshot = Completed(storage.OpenSnapshotAsync());
        var range = new KeyRange(from, null);
        long length = 0;
        while (count > 0)
        {
            var page = Completed(snapshot.ScanAsync(range, ScanDirection.Forward, Math.Min(count, PageSize)));
            if (page.Count == 0)
                break;
            foreach (var (key, value) in page)
                length += key.Length + value.Length;
            count -= page.Count;
            range = range.After(page[^1].Key);
        }
        return length;
    }

    public ValueTask DisposeAsync() => storage.DisposeAsync();

    static T Completed<T>(ValueTask<T> task) => task.IsCompleted ? task.Result : throw NotEmbedded();

    static void Completed(ValueTask task)
    {
        if (!task.IsCompleted)
            throw NotEmbedded();
        task.GetAwaiter().GetResult();
    }

    static InvalidOperationException NotEmbedded() => new("The call did not complete synchronously. This benchmark measures only embedded providers.");
}
