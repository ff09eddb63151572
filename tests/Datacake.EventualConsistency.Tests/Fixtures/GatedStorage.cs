using Datacake.Storage;

namespace Datacake.EventualConsistency.Tests.Fixtures;

/// <summary>A memory store whose commits wait while its gate is closed, like those of a node that is up but makes no progress.</summary>
sealed class GatedStorage : IStorage
{
    readonly MemoryStorage _storage = new();
    volatile TaskCompletionSource _gate = Opened();
    int _waiting;

    public string Description => "gated memory store";

    /// <summary>Gets the number of commits that wait.</summary>
    public int Waiting => Volatile.Read(ref _waiting);

    public void Close() => _gate = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);

    public void Open() => _gate.TrySetResult();

    /// <summary>Fails the waiting commits and all later ones.</summary>
    public void Break() => _gate.TrySetException(new StorageException(StorageError.Full, "The disk is full."));

    public ValueTask<IStorageSnapshot> OpenSnapshotAsync(CancellationToken cancellationToken = default) => _storage.OpenSnapshotAsync(cancellationToken);

    public async ValueTask CommitAsync(WriteBatch batch, Durability durability, CancellationToken cancellationToken = default)
    {
        Interlocked.Increment(ref _waiting);
        try
        {
            await _gate.Task.WaitAsync(cancellationToken);
        }
        finally
        {
            Interlocked.Decrement(ref _waiting);
        }
        await _storage.CommitAsync(batch, durability, cancellationToken);
    }

    public async ValueTask DisposeAsync()
    {
        Open();
        await _storage.DisposeAsync();
    }

    static TaskCompletionSource Opened()
    {
        var gate = new TaskCompletionSource();
        gate.SetResult();
        return gate;
    }
}
