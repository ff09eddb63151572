using Datacake.EventualConsistency.Layout;
using Datacake.Storage;

namespace Datacake.EventualConsistency.Integrity;

/// <summary>
/// A storage that adds a checksum to each value at the commit and verifies it at each read, so that a byte that a disk, a file system or a
/// provider has changed is never mistaken for data [R18]. Commits must be made one at a time.
/// </summary>
/// <param name="storage">The underlying storage.</param>
/// <param name="damages">Records each damaged record that is read.</param>
sealed class ChecksummedStorage(IStorage storage, DamageLog damages) : IStorage
{
    readonly WriteBatch _batch = new();
    readonly BatchMemory _memory = new();

    public string Description => storage.Description;

    public ValueTask<IStorageSnapshot> OpenSnapshotAsync(CancellationToken cancellationToken = default)
    {
        var opening = storage.OpenSnapshotAsync(cancellationToken);
        return opening.IsCompletedSuccessfully ? new(new ChecksummedSnapshot(opening.Result, storage, damages)) : OpenedAsync(opening);
    }

    public async ValueTask CommitAsync(WriteBatch batch, Durability durability, CancellationToken cancellationToken = default)
    {
        try
        {
            foreach (var (key, value) in batch.Operations)
            {
                if (value is { } bytes)
                    _batch.Put(key, StoreLayout.HasChecksum(key.Span) ? WithChecksum(key, bytes) : bytes);
                else
                    _batch.Delete(key);
            }
            _batch.MayUseReserve = batch.MayUseReserve;
            await storage.CommitAsync(_batch, durability, cancellationToken).ConfigureAwait(false);
        }
        finally
        {
            _batch.Clear();
            _memory.Reset();
        }
    }

    public ValueTask DisposeAsync() => storage.DisposeAsync();

    /// <summary>
    /// Returns a damaged record with the key that it had before a bit of the key flipped; or null if the damage is of another kind, or
    /// something is stored under that key.
    /// </summary>
    public async ValueTask<StorageEntry?> FindOriginalAsync(ReadOnlyMemory<byte> key, CancellationToken cancellationToken = default)
    {
        using var snapshot = await storage.OpenSnapshotAsync(cancellationToken).ConfigureAwait(false);
        if (await snapshot.GetAsync(key, cancellationToken).ConfigureAwait(false) is not { } stored || RecordChecksum.IsRight(key.Span, stored.Span)
            || RecordChecksum.FindKey(key.Span, stored.Span) is not { } original
            || await snapshot.GetAsync(original, cancellationToken).ConfigureAwait(false) is not null)
            return null;
        return new StorageEntry(original, stored[..^RecordChecksum.Length].ToArray());
    }

    Memory<byte> WithChecksum(ReadOnlyMemory<byte> key, ReadOnlyMemory<byte> value)
    {
        var output = _memory.Take(value.Length + RecordChecksum.Length);
        RecordChecksum.Write(key.Span, value.Span, output.Span);
        return output;
    }

    async ValueTask<IStorageSnapshot> OpenedAsync(ValueTask<IStorageSnapshot> opening) =>
        new ChecksummedSnapshot(await opening.ConfigureAwait(false), storage, damages);
}
