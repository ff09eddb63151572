using Datacake.Storage;

namespace Datacake.EventualConsistency.Tests.Fixtures;

/// <summary>A memory store whose next commits and snapshots can be made to fail.</summary>
sealed class FaultyStorage : IStorage
{
    readonly MemoryStorage _storage = new();
    int _passing, _commits, _snapshots;

    public string Description => "faulty memory store";

    /// <summary>Gets or sets the number of the next commits that fail.</summary>
    public int CommitsToFail { get => Volatile.Read(ref _commits); set => Volatile.Write(ref _commits, value); }

    /// <summary>Gets or sets the number of commits that succeed before <see cref="CommitsToFail"/> applies.</summary>
    public int CommitsToPass { get => Volatile.Read(ref _passing); set => Volatile.Write(ref _passing, value); }

    /// <summary>Gets or sets the number of the next snapshots that fail.</summary>
    public int SnapshotsToFail { get => Volatile.Read(ref _snapshots); set => Volatile.Write(ref _snapshots, value); }

    /// <summary>Gets or sets a filter: only commits with a matching operation fail. If it is null, any commit can fail.</summary>
    public Func<WriteOperation, bool>? FailingOperation { get; set; }

    /// <summary>Gets or sets whether the storage is full and accepts only batches that free space.</summary>
    public bool IsFull { get; set; }

    /// <summary>Gets or sets the length of values from which a batch has no room.</summary>
    public int RoomBytes { get; set; } = int.MaxValue;

    /// <summary>Gets or sets the factory of the exceptions.</summary>
    public Func<Exception> Failure { get; set; } = () => new StorageException(StorageError.Failed, "The disk does not answer.");

    public ValueTask<IStorageSnapshot> OpenSnapshotAsync(CancellationToken cancellationToken = default)
    {
        FailIfTold(ref _snapshots);
        return _storage.OpenSnapshotAsync(cancellationToken);
    }

    /// <summary>Gets or sets whether the snapshot after a failed commit fails as well.</summary>
    public bool IsBlindAfterFailedCommit { get; set; }

    /// <summary>Gets or sets whether a commit that fails is stored nevertheless.</summary>
    public bool StoresFailedCommits { get; set; }

    public async ValueTask CommitAsync(WriteBatch batch, Durability durability, CancellationToken cancellationToken = default)
    {
        if ((IsFull && !batch.MayUseReserve) || !HasRoom(batch))
            throw new StorageException(StorageError.Full, "The disk is full.");
        if (Spares(batch) || (Volatile.Read(ref _passing) > 0 && Interlocked.Decrement(ref _passing) >= 0))
        {
            await _storage.CommitAsync(batch, durability, cancellationToken);
            return;
        }
        if (IsBlindAfterFailedCommit && CommitsToFail > 0)
            SnapshotsToFail = 1;
        if (StoresFailedCommits && CommitsToFail > 0)
            await _storage.CommitAsync(batch, durability, cancellationToken);
        FailIfTold(ref _commits);
        await _storage.CommitAsync(batch, durability, cancellationToken);
    }

    public ValueTask DisposeAsync() => _storage.DisposeAsync();

    bool HasRoom(WriteBatch batch)
    {
        foreach (var operation in batch.Operations)
        {
            if (operation.Value is { } value && value.Length >= RoomBytes)
                return false;
        }
        return true;
    }

    bool Spares(WriteBatch batch)
    {
        if (FailingOperation is not { } fails)
            return false;
        foreach (var operation in batch.Operations)
        {
            if (fails(operation))
                return false;
        }
        return true;
    }

    void FailIfTold(ref int count)
    {
        if (Volatile.Read(ref count) > 0 && Interlocked.Decrement(ref count) >= 0)
            throw Failure();
    }
}
