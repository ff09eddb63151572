using Example;

namespace Datacake.Storage.Specification.Tests;

/// <summary>A store in a folder with a mistake that shows only after a crash. The name of the folder says which.</summary>
sealed class CarelessStorage(IStorage storage, string carelessness) : IStorage
{
    /// <summary>A commit is acknowledged before it is written: every third one writes those that wait.</summary>
    public const string AcknowledgesFirst = "acknowledges-first";

    /// <summary>The operations of a batch are written one by one.</summary>
    public const string TearsBatches = "tears-batches";

    /// <summary>Nothing is forced to the disk.</summary>
    public const string NeverFlushes = "never-flushes";

    readonly List<WriteBatch> _waiting = [];

    public string Description => $"careless {storage.Description}";

    public static IStorage Open(string path)
    {
        FolderStorage storage = FolderStorage.Open(path);
        string name = Path.GetFileName(path);
        return name is AcknowledgesFirst or TearsBatches or NeverFlushes ? new CarelessStorage(storage, name) : storage;
    }

    public ValueTask<IStorageSnapshot> OpenSnapshotAsync(CancellationToken cancellationToken = default) =>
        storage.OpenSnapshotAsync(cancellationToken);

    public async ValueTask CommitAsync(WriteBatch batch, Durability durability, CancellationToken cancellationToken = default)
    {
        if (carelessness == NeverFlushes)
        {
            await storage.CommitAsync(batch, Durability.Buffered, cancellationToken);
            return;
        }
        if (carelessness == TearsBatches)
        {
            foreach (WriteOperation operation in batch.Operations.ToArray())
                await storage.CommitAsync(BatchOf(operation), durability, cancellationToken);
            return;
        }
        _waiting.Add(batch);
        if (_waiting.Count < 3)
            return;
        foreach (WriteBatch waiting in _waiting)
            await storage.CommitAsync(waiting, durability, cancellationToken);
        _waiting.Clear();
    }

    public ValueTask DisposeAsync() => storage.DisposeAsync();

    static WriteBatch BatchOf(WriteOperation operation)
    {
        var batch = new WriteBatch();
        if (operation.Value is { } value)
            batch.Put(operation.Key, value);
        else
            batch.Delete(operation.Key);
        return batch;
    }
}
