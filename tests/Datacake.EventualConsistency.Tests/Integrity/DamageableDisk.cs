using Datacake.EventualConsistency.Layout;
using Datacake.Storage;

namespace Datacake.EventualConsistency.Tests.Integrity;

/// <summary>A disk that survives the node that closes it, and whose records can be damaged while it is in use.</summary>
sealed class DamageableDisk : IDurableStorage
{
    readonly MemoryStorage _storage = new();

    static CancellationToken Canceled => TestContext.Current.CancellationToken;

    public string Description => "test disk";

    public ValueTask<IStorageSnapshot> OpenSnapshotAsync(CancellationToken cancellationToken = default) => _storage.OpenSnapshotAsync(cancellationToken);

    public ValueTask CommitAsync(WriteBatch batch, Durability durability, CancellationToken cancellationToken = default) =>
        _storage.CommitAsync(batch, durability, cancellationToken);

    public ValueTask DisposeAsync() => ValueTask.CompletedTask;

    public ValueTask BackUpAsync(string path, CancellationToken cancellationToken = default) => throw new NotSupportedException();

    public ValueTask<IStorage> OpenBackupAsync(string path, CancellationToken cancellationToken = default) => throw new NotSupportedException();

    public ValueTask CompactAsync(CancellationToken cancellationToken = default) => throw new NotSupportedException();

    public ValueTask CheckAsync(CancellationToken cancellationToken = default) => ValueTask.CompletedTask;

    public ValueTask<long> GetSizeOnDiskAsync(CancellationToken cancellationToken = default) => new(0L);

    /// <summary>Returns the keys that are stored in a range.</summary>
    public async Task<List<ReadOnlyMemory<byte>>> KeysAsync(KeyRange range)
    {
        using var snapshot = await _storage.OpenSnapshotAsync(Canceled);
        return await snapshot.ReadAllAsync(range, Canceled).Select(entry => (ReadOnlyMemory<byte>)entry.Key.ToArray()).ToListAsync(Canceled);
    }

    /// <summary>Flips one bit of a record's value.</summary>
    public async Task FlipAsync(ReadOnlyMemory<byte> key, int bit)
    {
        using var snapshot = await _storage.OpenSnapshotAsync(Canceled);
        byte[] value = (await snapshot.GetAsync(key, Canceled))!.Value.ToArray();
        value[bit / 8 % value.Length] ^= (byte)(1 << (bit % 8));
        await PutAsync(key, value);
    }

    /// <summary>Removes a record.</summary>
    public async Task LoseAsync(ReadOnlyMemory<byte> key)
    {
        var batch = new WriteBatch();
        batch.Delete(key);
        await CommitAsync(batch, Datacake.Storage.Durability.Buffered, Canceled);
    }

    /// <summary>Overwrites the value of one record with the value of another.</summary>
    public async Task ExchangeAsync(ReadOnlyMemory<byte> key, ReadOnlyMemory<byte> other)
    {
        using var snapshot = await _storage.OpenSnapshotAsync(Canceled);
        await PutAsync(key, (await snapshot.GetAsync(other, Canceled))!.Value.ToArray());
    }

    /// <summary>Returns the storage key of the document with the given number.</summary>
    public async Task<ReadOnlyMemory<byte>> KeyOfAsync(int document) => (await KeysAsync(StoreLayout.AllDocuments))
        .Single(key => key.Span[StoreLayout.DocumentPrefixLength..].SequenceEqual(DocumentKey.Of(document).Encoded.Span));

    async Task PutAsync(ReadOnlyMemory<byte> key, byte[] value)
    {
        var batch = new WriteBatch();
        batch.Put(key, value);
        await CommitAsync(batch, Datacake.Storage.Durability.Buffered, Canceled);
    }
}
