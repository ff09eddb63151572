using Example;

namespace Datacake.Storage.Specification.Tests;

/// <summary>
/// A folder store with a mistake that shows only after a crash, at whatever moment the crash occurs. The name of the folder selects the mistake.
/// </summary>
sealed class CarelessStorage(IStorage storage, string carelessness) : IStorage
{
    /// <summary>The mistake of acknowledging a commit before it is written: the second commit after it writes it.</summary>
    public const string AcknowledgesFirst = "acknowledges-first";

    /// <summary>The mistake of writing only the last operation of a batch in its commit, and the others in the next one.</summary>
    public const string TearsBatches = "tears-batches";

    /// <summary>The mistake of forcing nothing to the disk.</summary>
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
