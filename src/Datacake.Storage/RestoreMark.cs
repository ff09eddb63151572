namespace Datacake.Storage;

/// <summary>
/// The mark that a storage provider leaves in a store that it creates from a backup. Whoever uses the store finds it when the store is opened, and may have to
/// forget what only the newest state of the store may promise.
/// </summary>
public static class RestoreMark
{
    /// <summary>Gets the key of the mark. Its value is empty.</summary>
    public static ReadOnlyMemory<byte> Key { get; } = new byte[] { 0x00, (byte)'r' };

    /// <summary>Marks a store as restored.</summary>
    /// <param name="storage">The store.</param>
    /// <param name="cancellationToken">Cancels the call before the commit.</param>
    /// <exception cref="StorageException">The store cannot be written.</exception>
    public static ValueTask WriteAsync(IStorage storage, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(storage);
        var batch = new WriteBatch();
        batch.Put(Key, ReadOnlyMemory<byte>.Empty);
        return storage.CommitAsync(batch, Durability.Flushed, cancellationToken);
    }
}
