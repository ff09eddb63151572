using Datacake.Storage;

namespace Datacake.Sqlite;

/// <summary>A backup that is open for reading only. Each snapshot has its own connection, and all see the same: nobody changes the file.</summary>
sealed class SqliteBackup : IStorage
{
    static readonly SqliteStorageOptions Options = new();

    readonly string _path;

    public SqliteBackup(string path, string description, CancellationToken cancellationToken)
    {
        _path = path;
        Description = description;
        using var connection = Connection.OpenUnchanging(path, description, Options);
        using (connection.InterruptWhen(cancellationToken))
        {
            if (FileFormat.Check(connection, description))
                throw connection.Damaged("it has no tables");
            Upkeep.CheckContents(connection);
        }
    }

    public string Description { get; }

    public ValueTask<IStorageSnapshot> OpenSnapshotAsync(CancellationToken cancellationToken = default)
    {
        cancellationToken.ThrowIfCancellationRequested();
        return new(new Snapshot(new Reader(Connection.OpenUnchanging(_path, Description, Options))));
    }

    public ValueTask CommitAsync(WriteBatch batch, Durability durability, CancellationToken cancellationToken = default) => throw new StorageException(
        StorageError.Inaccessible, $"The {Description} is open for reading only. Restore it to another path, and open the store there.");

    public ValueTask DisposeAsync() => ValueTask.CompletedTask;

    sealed class Snapshot(Reader reader) : IStorageSnapshot
    {
        readonly Lock _reading = new();

        public ValueTask<ReadOnlyMemory<byte>?> GetAsync(ReadOnlyMemory<byte> key, CancellationToken cancellationToken = default)
        {
            cancellationToken.ThrowIfCancellationRequested();
            lock (_reading)
                return new(reader.Get(key.Span));
        }

        public ValueTask<IReadOnlyList<StorageEntry>> ScanAsync(
            KeyRange range, ScanDirection direction, int maxEntries, CancellationToken cancellationToken = default)
        {
            ArgumentOutOfRangeException.ThrowIfNegativeOrZero(maxEntries);
            cancellationToken.ThrowIfCancellationRequested();
            lock (_reading)
                return new(reader.Scan(range, direction, maxEntries));
        }

        public void Dispose()
        {
            lock (_reading)
                reader.Dispose();
        }
    }
}
