using Datacake.Storage;

namespace Datacake.PostgreSql;

/// <summary>
/// A store in a schema of a PostgreSQL database. One connection writes, and snapshots are read transactions on further connections.
/// </summary>
/// <remarks>
/// A commit is one transaction of the server. A <see cref="Durability.Flushed"/> batch is on the disk of the server when the commit returns. A
/// <see cref="Durability.Buffered"/> batch survives the end of this process; if the server crashes, this process commits it again. While a snapshot is read,
/// the server keeps everything that was replaced or deleted since, so dispose snapshots as soon as possible.
/// </remarks>
public sealed class PostgreSqlStorage : IDurableStorage
{
    static readonly TimeSpan TickTime = TimeSpan.FromSeconds(1);

    readonly PostgreSqlStorageOptions _options;
    readonly Database _database;
    readonly SemaphoreSlim _changing = new(1);  // Held by a change of the store, which first waits for snapshots to get their readers.
    readonly SemaphoreSlim _writing = new(1);   // Taken after the other one. Whoever holds it does not wait for readers, which may wait for a recovery.
    readonly Writer _writer;                    // Under _writing.
    readonly Readers _readers;
    readonly Upkeep _upkeep;
    readonly CancellationTokenSource _closing = new();
    readonly Task _ticking;
    bool _hasUnusedTable;                       // Under _writing.
    volatile bool _disposed;                    // Set under both.

    /// <summary>Opens the store, or creates its schema and tables.</summary>
    /// <param name="connectionString">
    /// The connection string of Npgsql, such as <c>Host=db;Database=shop;Username=hub;Password=…</c>. The database must exist.
    /// </param>
    /// <param name="options">The options for opening the store. Later changes to this object have no effect.</param>
    /// <exception cref="StorageException">
    /// The server cannot be reached or refuses the user, the store is open elsewhere, or the schema belongs to another program or has a newer format.
    /// </exception>
    /// <exception cref="ArgumentException">The connection string is malformed or names no host, or an option is out of range.</exception>
    public PostgreSqlStorage(string connectionString, PostgreSqlStorageOptions options)
    {
        ArgumentNullException.ThrowIfNull(options);
        _options = options.Clone();
        _options.Validate();
        _database = new Database(connectionString, _options);
        try
        {
            // A store is opened by a constructor, which cannot be asynchronous. The thread pool has no context that could wait for this thread.
            _writer = Task.Run(() => Writer.OpenAsync(_database, _options).AsTask()).GetAwaiter().GetResult();
        }
        catch
        {
            _database.Dispose();
            throw;
        }
        _readers = new Readers(_database, _options, _writer, RecoverAsync);
        _upkeep = new Upkeep(_database);
        _ticking = Task.Run(TickAsync);
    }

    /// <inheritdoc cref="PostgreSqlStorage(string, PostgreSqlStorageOptions)"/>
    /// <param name="connectionString">The connection string.</param>
    /// <param name="configure">Sets the options for opening the store.</param>
    public PostgreSqlStorage(string connectionString, Action<PostgreSqlStorageOptions> configure)
        : this(connectionString, PostgreSqlStorageOptions.From(configure))
    {
    }

    /// <inheritdoc cref="PostgreSqlStorage(string, PostgreSqlStorageOptions)"/>
    /// <param name="connectionString">The connection string.</param>
    public PostgreSqlStorage(string connectionString)
        : this(connectionString, new PostgreSqlStorageOptions())
    {
    }

    /// <inheritdoc/>
    public string Description => _database.Description;

    /// <inheritdoc/>
    public async ValueTask<IStorageSnapshot> OpenSnapshotAsync(CancellationToken cancellationToken = default)
    {
        cancellationToken.ThrowIfCancellationRequested();
        ObjectDisposedException.ThrowIf(_disposed, this);
        // What is wrong is reported here rather than with the first read.
        if (_writer.MustRecover)
            await RecoverAsync().ConfigureAwait(false);
        return await _readers.OpenAsync(cancellationToken).ConfigureAwait(false);
    }

    /// <inheritdoc/>
    public async ValueTask CommitAsync(WriteBatch batch, Durability durability, CancellationToken cancellationToken = default)
    {
        await ChangeAsync(() => _writer.CommitAsync(batch, durability), cancellationToken).ConfigureAwait(false);
    }

    /// <inheritdoc/>
    public async ValueTask BackUpAsync(string path, CancellationToken cancellationToken = default)
    {
        ArgumentException.ThrowIfNullOrWhiteSpace(path);
        using IStorageSnapshot snapshot = await OpenSnapshotAsync(cancellationToken).ConfigureAwait(false);
        await BackupFile.WriteAsync(path, $"backup of the {Description}", snapshot, cancellationToken).ConfigureAwait(false);
    }

    /// <inheritdoc/>
    public async ValueTask CompactAsync(CancellationToken cancellationToken = default)
    {
        await ChangeAsync(
            async () =>
            {
                await _writer.CompactAsync(cancellationToken).ConfigureAwait(false);
                _hasUnusedTable = true;
            },
            cancellationToken).ConfigureAwait(false);
        await _readers.EndIdleAsync().ConfigureAwait(false);
        await WriteAsync(DropUnusedAsync).ConfigureAwait(false);
    }

    /// <inheritdoc/>
    public async ValueTask CheckAsync(CancellationToken cancellationToken = default)
    {
        ObjectDisposedException.ThrowIf(_disposed, this);
        await _upkeep.CheckAsync(cancellationToken).ConfigureAwait(false);
    }

    /// <inheritdoc/>
    public async ValueTask<long> GetSizeOnDiskAsync(CancellationToken cancellationToken = default)
    {
        ObjectDisposedException.ThrowIf(_disposed, this);
        return await _upkeep.GetSizeAsync(cancellationToken).ConfigureAwait(false);
    }

    ValueTask<IStorage> IDurableStorage.OpenBackupAsync(string path, CancellationToken cancellationToken) => OpenBackupAsync(path, cancellationToken);

    /// <inheritdoc cref="IDurableStorage.OpenBackupAsync"/>
    public static async ValueTask<IStorage> OpenBackupAsync(string path, CancellationToken cancellationToken = default)
    {
        ArgumentException.ThrowIfNullOrWhiteSpace(path);
        return await BackupFile.OpenAsync(path, cancellationToken).ConfigureAwait(false);
    }

    /// <summary>Checks a backup that <see cref="BackUpAsync"/> created, and creates a store from it.</summary>
    /// <param name="backup">The path of the backup. It is not changed.</param>
    /// <param name="connectionString">The connection string of the new store.</param>
    /// <param name="configure">Sets the options of the new store. Its schema must be empty, or not exist.</param>
    /// <param name="cancellationToken">A token that stops the copying. A canceled call leaves no store behind.</param>
    /// <exception cref="StorageException">
    /// The backup is damaged, the schema is not empty, or the server cannot be written. No part of a store is left behind.
    /// </exception>
    public static async ValueTask RestoreAsync(
        string backup, string connectionString, Action<PostgreSqlStorageOptions>? configure = null, CancellationToken cancellationToken = default)
    {
        ArgumentException.ThrowIfNullOrWhiteSpace(backup);
        var options = PostgreSqlStorageOptions.From(configure);
        options.Validate();
        using var database = new Database(connectionString, options);
        await Upkeep.RestoreAsync(backup, database, cancellationToken).ConfigureAwait(false);
    }

    /// <summary>
    /// Marks a closed store as restored, so that a node that opens it knows that the store may be older than what the node has told others. Call this after
    /// the files of the server were replaced with an older copy, which the store cannot see by itself.
    /// </summary>
    /// <param name="connectionString">The connection string of the store.</param>
    /// <param name="configure">Sets the options of the store.</param>
    /// <exception cref="StorageException">The store is open, or cannot be written.</exception>
    public static async ValueTask MarkAsRestoredAsync(string connectionString, Action<PostgreSqlStorageOptions>? configure = null)
    {
        var storage = await Task.Run(() => new PostgreSqlStorage(connectionString, PostgreSqlStorageOptions.From(configure))).ConfigureAwait(false);
        await using (storage.ConfigureAwait(false))
            await RestoreMark.WriteAsync(storage).ConfigureAwait(false);
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        await _changing.WaitAsync().ConfigureAwait(false);
        try
        {
            if (_disposed)
                return;
            // Open snapshots stay readable.
            await _readers.EndMomentAsync().ConfigureAwait(false);
            await _closing.CancelAsync().ConfigureAwait(false);
            await _ticking.ConfigureAwait(false);
            await _writing.WaitAsync().ConfigureAwait(false);
            _disposed = true;
            await _writer.CloseAsync().ConfigureAwait(false);
            _writing.Release();
        }
        finally
        {
            _changing.Release();
        }
        _readers.Dispose();
        _closing.Dispose();
    }

    /// <summary>Changes the store between two moments.</summary>
    async ValueTask ChangeAsync(Func<ValueTask> change, CancellationToken cancellationToken)
    {
        await _changing.WaitAsync(cancellationToken).ConfigureAwait(false);
        try
        {
            ObjectDisposedException.ThrowIf(_disposed, this);
            await _readers.EndMomentAsync().ConfigureAwait(false);
            try
            {
                await WriteAsync(change).ConfigureAwait(false);
            }
            finally
            {
                _readers.BeginMoment();
            }
        }
        finally
        {
            _changing.Release();
        }
    }

    /// <summary>Uses the writer.</summary>
    async ValueTask WriteAsync(Func<ValueTask> operation)
    {
        await _writing.WaitAsync().ConfigureAwait(false);
        try
        {
            ObjectDisposedException.ThrowIf(_disposed, this);
            await operation().ConfigureAwait(false);
        }
        finally
        {
            _writing.Release();
        }
    }

    ValueTask RecoverAsync() => WriteAsync(_writer.RecoverAsync);

    /// <summary>Drops the table that a compaction has left, unless a snapshot reads it.</summary>
    async ValueTask DropUnusedAsync()
    {
        if (_hasUnusedTable && _readers.AllRead(_writer.Table))
            _hasUnusedTable = !await _writer.TryDropUnusedAsync().ConfigureAwait(false);
    }

    /// <summary>Renews the lease in time, and ends transactions that nobody reads, until the store is closed.</summary>
    async Task TickAsync()
    {
        using var timer = new PeriodicTimer(_options.LeaseDuration / 4 < TickTime ? _options.LeaseDuration / 4 : TickTime);
        TimeSpan untilRenewal = _options.LeaseDuration / 4;
        while (!_closing.IsCancellationRequested)
        {
            await timer.WaitForNextTickAsync(_closing.Token).AsTask().ContinueWith(static _ => { }, TaskScheduler.Default).ConfigureAwait(false);
            await _readers.EndIdleAsync().ConfigureAwait(false);
            untilRenewal -= timer.Period;
            if (untilRenewal > TimeSpan.Zero || _closing.IsCancellationRequested)
                continue;
            untilRenewal = _options.LeaseDuration / 4;
            // A commit that is under way renews the lease, too.
            if (!await _writing.WaitAsync(0).ConfigureAwait(false))
                continue;
            try
            {
                if (!_disposed)
                {
                    await _writer.RenewAsync().ConfigureAwait(false);
                    await DropUnusedAsync().ConfigureAwait(false);
                }
            }
            finally
            {
                _writing.Release();
            }
        }
    }
}
