using Datacake.Storage;

namespace Datacake.Lmdb;

/// <summary>A backup that is open for reading only.</summary>
sealed class LmdbBackup : IStorage
{
    readonly Readers _readers;

    public LmdbBackup(string path, string description, CancellationToken cancellationToken)
    {
        Description = description;
        // LMDB trusts its file, and a damaged one could crash the process.
        using (var check = new StructureCheck(path, description))
            check.Run(mayLosePages: false, cancellationToken);
        _readers = new Readers(new LmdbEnvironment(path, description));
    }

    public string Description { get; }

    public ValueTask<IStorageSnapshot> OpenSnapshotAsync(CancellationToken cancellationToken = default)
    {
        cancellationToken.ThrowIfCancellationRequested();
        var transaction = _readers.TryRent() ?? throw new ObjectDisposedException(nameof(LmdbBackup));
        return new(new LmdbSnapshot(_readers, transaction));
    }

    public ValueTask CommitAsync(WriteBatch batch, Durability durability, CancellationToken cancellationToken = default) => throw new StorageException(
        StorageError.Inaccessible, $"The {Description} is open for reading only. Restore it to another path, and open the store there.");

    public ValueTask DisposeAsync()
    {
        _readers.Retire();
        return ValueTask.CompletedTask;
    }
}
