using Example;

namespace Datacake.Storage.Specification.Tests;

/// <summary>
/// A store in a folder with a mistake that shows only after a crash, and then at whatever moment that comes. The name of the folder says which.
/// </summary>
sealed class CarelessStorage(IStorage storage, string carelessness) : IStorage
{
    /// <summary>A commit is acknowledged before it is written: the second one after it does that.</summary>
    public const string AcknowledgesFirst = "acknowledges-first";

    /// <summary>Of a batch the last operation is written by its commit, and the others by the next one.</summary>
    public const string TearsBatches = "tears-batches";

    /// <summary>Nothing is forced to the disk.</summary>
    public const string NeverFlushes = "never-flushes";

    readonly Queue<WriteBatch> _unwritten = [];
    WriteOperation[] _rest = [];

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
            WriteOperation[] operations = batch.Operations.ToArray();
            await storage.CommitAsync(BatchOf([.. _rest, operations[^1]]), durability, cancellationToken);
            _rest = operations[..^1];
            return;
        }
        _unwritten.Enqueue(batch);
        if (_unwritten.Count > 2)
            await storage.CommitAsync(_unwritten.Dequeue(), durability, cancellationToken);
    }

    public ValueTask DisposeAsync() => storage.DisposeAsync();

    static WriteBatch BatchOf(params WriteOperation[] operations)
    {
        var batch = new WriteBatch();
        foreach (WriteOperation operation in operations)
        {
            if (operation.Value is { } value)
                batch.Put(operation.Key, value);
            else
                batch.Delete(operation.Key);
        }
        return batch;
    }
}
