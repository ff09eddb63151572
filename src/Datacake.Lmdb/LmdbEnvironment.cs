using System.Runtime.CompilerServices;
using Datacake.Storage;

namespace Datacake.Lmdb;

/// <summary>An open LMDB file: its map, its one writer, and what its error codes mean.</summary>
sealed unsafe class LmdbEnvironment : IDisposable
{
    const int FormatVersion = 1;

    const int MaxEntriesPerFill = 10_000;

    // What one reader takes of the table of readers, and its header at most.
    const int BytesPerReader = 64;
    const int TableHeaderBytes = 2 * BytesPerReader;

    readonly string _path;
    readonly string _description;
    readonly LmdbStorageOptions _options;
    readonly Engine _engine;
    readonly nint _handle;
    readonly uint _database;
    readonly FileSizeLimit? _limit;
    long _mapBytes;
    volatile bool _isLost;                     // The map could not grow, and there is none any more.
    EnvironmentFlags _syncingFlags;
    bool _hasUnflushed;

    public LmdbEnvironment(string path, string description, LmdbStorageOptions options)
    {
        _path = path;
        _description = description;
        _options = options;
        _engine = Engine.Load(path, description);
        Check(_engine.EnvCreate(out _handle));
        try
        {
            RefuseDamagedFile(path, description, options.CheckOnOpen);
            // LMDB takes a map as large as the file if it is given less; the file should also have room to grow in it.
            long fileBytes = File.Exists(path) ? new FileInfo(path).Length : 0;
            if (options.MaxFileBytes is { } maxFileBytes)
                _limit = new FileSizeLimit(this, _engine, _handle, maxFileBytes, fileBytes);
            MapBytes = Math.Max(options.MapBytes, 2 * fileBytes);
            Check(_engine.EnvSetMaxReaders(_handle, options.MaxSnapshots));
            MakeReaderTable(path);
            const uint Mode = 0b110_000_000;   // rw-------
            Check(_engine.EnvOpen(_handle, path, EnvironmentFlags.NoSubDirectory | EnvironmentFlags.NoThreadLocalStorage, Mode));
            _database = PrepareFormat();
            FlushName(path);
        }
        catch
        {
            Dispose();
            throw;
        }
    }

    /// <summary>The address space of the file.</summary>
    long MapBytes
    {
        get => _mapBytes;
        set
        {
            long bytes = Math.Min(value, _limit?.Bytes ?? long.MaxValue) / Environment.SystemPageSize * Environment.SystemPageSize;
            _mapBytes = bytes;
            Check(_engine.EnvSetMapSize(_handle, bytes));
        }
    }

    /// <summary>Doubles the map, at another address. Nothing may be reading from it, nor a write transaction be open.</summary>
    public void Grow()
    {
        if (_limit is not null && _mapBytes + Environment.SystemPageSize > _limit.Bytes)
            throw FullError();
        try
        {
            MapBytes = checked(2 * _mapBytes);
        }
        catch (StorageException)
        {
            // LMDB has let the old map go, and has no new one.
            _isLost = true;
            throw;
        }
    }

    /// <summary>Fails if the map is gone, which must not be touched then.</summary>
    public void ThrowIfLost()
    {
        if (_isLost)
        {
            throw new StorageException(
                StorageError.Failed,
                $"The {_description} could not be mapped when it had grown, and cannot be read until it is opened again. Nothing is lost.");
        }
    }

    /// <summary>The exception for a commit that does not fit into the largest file.</summary>
    public StorageException FullError() => new(
        StorageError.Full,
        $"The {_description} has reached the {_options.MaxFileBytes} bytes that it may have. Nothing of this was stored, and what was before is unharmed. "
            + $"Delete something, for which a part of it is kept, or raise {nameof(LmdbStorageOptions.MaxFileBytes)}.");

    /// <summary>Commits a batch; false, and nothing is done, if it does not fit into the map.</summary>
    public bool TryCommit(WriteBatch batch, Syncing syncing, WriteFlags flags = WriteFlags.None)
    {
        ThrowIfLost();
        Use(syncing);
        if (!batch.MayUseReserve)
            _limit?.ThrowIfIntoReserve(batch);
        Check(_engine.TxnBegin(_handle, TransactionFlags.None, out nint transaction));
        try
        {
            Result result = Apply(transaction, batch.Operations, flags);
            // A batch that changes nothing would not be written, and would flush none of those before it.
            if (result == Result.Success && syncing == Syncing.Full && _hasUnflushed)
                result = PutFormat(transaction, _database);
            if (result == Result.Success)
            {
                nint ended = transaction;
                transaction = 0;   // A commit frees it even when it fails.
                result = _engine.TxnCommit(ended);
            }
            if (result == Result.MapFull)
                return false;
            Check(result);
            _hasUnflushed = syncing != Syncing.Full;
            return true;
        }
        finally
        {
            if (transaction != 0)
                _engine.TxnAbort(transaction);
        }
    }

    /// <summary>Writes the entries of a snapshot into this new file, without gaps, and forces it to the disk.</summary>
    public void Fill(LmdbSnapshot source, CancellationToken cancellationToken)
    {
        var batch = new WriteBatch();
        KeyRange range = KeyRange.All;
        while (source.Scan(range, ScanDirection.Forward, MaxEntriesPerFill) is { Count: > 0 } page)
        {
            cancellationToken.ThrowIfCancellationRequested();
            batch.Clear();
            // What was in the file may be in its copy.
            batch.MayUseReserve = true;
            foreach (StorageEntry entry in page)
                batch.Put(entry.Key, entry.Value);
            while (!TryCommit(batch, Syncing.None, WriteFlags.Append))
                Grow();
            range = range.After(page[^1].Key);
        }
        batch.Clear();
        while (!TryCommit(batch, Syncing.Full))
            Grow();
    }

    /// <summary>Opens a read transaction, which sees this moment.</summary>
    public ReadTransaction BeginRead()
    {
        nint transaction = BeginReadTransaction();
        Result result = _engine.CursorOpen(transaction, _database, out nint cursor);
        if (result != Result.Success)
        {
            _engine.TxnAbort(transaction);
            Check(result);
        }
        return new ReadTransaction(_engine, this, transaction, cursor, _database);
    }

    /// <summary>Begins a read transaction of LMDB's, which the caller aborts.</summary>
    public nint BeginReadTransaction()
    {
        Result result = _engine.TxnBegin(_handle, TransactionFlags.ReadOnly, out nint transaction);
        if (result == Result.ReadersFull)
        {
            throw new StorageException(
                StorageError.Failed,
                $"The {_description} has {_options.MaxSnapshots} open snapshots, which is its limit. Dispose snapshots when they have "
                    + $"served, or raise {nameof(LmdbStorageOptions.MaxSnapshots)}.");
        }
        Check(result);
        return transaction;
    }

    public void Check(Result result)
    {
        if (result != Result.Success)
            throw Error(result);
    }

    public void Dispose() => _engine.EnvClose(_handle);

    Result Apply(nint transaction, ReadOnlySpan<WriteOperation> operations, WriteFlags flags)
    {
        foreach (ref readonly WriteOperation operation in operations)
        {
            Result result = Apply(transaction, operation, flags);
            if (result != Result.Success)
                return result;
        }
        return Result.Success;
    }

    [SkipLocalsInit]
    Result Apply(nint transaction, in WriteOperation operation, WriteFlags flags)
    {
        byte* buffer = stackalloc byte[StoredKey.MaxLength];
        Value key = StoredKey.OfEntry(operation.Key.Span, buffer);
        if (operation.Value is not { } value)
        {
            Result deleted = _engine.Del(transaction, _database, key);
            return deleted == Result.NotFound ? Result.Success : deleted;
        }
        fixed (byte* data = value.Span)
            return _engine.Put(transaction, _database, key, new Value(data, value.Length), flags);
    }

    void Use(Syncing syncing)
    {
        EnvironmentFlags flags = syncing switch
        {
            Syncing.Full => 0,
            Syncing.PagesOnly => EnvironmentFlags.NoMetaSync,
            _ => EnvironmentFlags.NoSync,
        };
        if (flags == _syncingFlags)
            return;
        Check(_engine.EnvSetFlags(_handle, EnvironmentFlags.NoSync | EnvironmentFlags.NoMetaSync, on: false));
        if (flags != 0)
            Check(_engine.EnvSetFlags(_handle, flags, on: true));
        _syncingFlags = flags;
    }

    /// <summary>
    /// Makes LMDB's table of readers with all of its disk blocks. LMDB makes one with none and maps it: on a full disk the first reader to
    /// use another of its pages would end the process.
    /// </summary>
    void MakeReaderTable(string path)
    {
        try
        {
            string table = StoreFiles.LockTableOf(path);
            if (File.Exists(table))
                return;
            using var file = new FileStream(table, DurableFile.ForOwner(FileMode.CreateNew, FileAccess.Write, FileShare.None));
            file.Write(new byte[TableHeaderBytes + _options.MaxSnapshots * BytesPerReader]);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            throw StorageException.FromFileSystem(_description, exception);
        }
    }

    /// <summary>LMDB forces the contents of the file to the disk, and leaves the name of a new one to the operating system.</summary>
    void FlushName(string path)
    {
        try
        {
            DurableFile.FlushDirectory(Path.GetDirectoryName(path)!);
        }
        catch (IOException exception)
        {
            throw StorageException.FromFileSystem(_description, exception);
        }
    }

    /// <summary>
    /// LMDB trusts its file: what is damaged there can end the process when it is read or written, and so can a file that was cut short. A sound one may lack pages
    /// that nothing uses, so that only the whole structure tells; but few sound files are shorter than they say.
    /// </summary>
    static void RefuseDamagedFile(string path, string description, bool isThorough)
    {
        if (!File.Exists(path) || new FileInfo(path).Length == 0)
            return;
        using var check = new StructureCheck(path, description);
        if (isThorough || check.IsShort)
            check.Run(mayLosePages: true, CancellationToken.None);
    }

    /// <summary>Opens the file's one database, marks a new file, and refuses one that is not a store or has a newer format.</summary>
    uint PrepareFormat()
    {
        fixed (byte* key = StoredKey.Format)
        {
            var keyValue = new Value(key, StoredKey.Format.Length);
            Check(_engine.TxnBegin(_handle, TransactionFlags.None, out nint transaction));
            try
            {
                Check(_engine.DbiOpen(transaction, out uint database));
                Result found = _engine.Get(transaction, database, keyValue, out Value value);
                if (found == Result.NotFound)
                {
                    RefuseForeignEntries();
                    Check(PutFormat(transaction, database));
                }
                else
                {
                    Check(found);
                    RefuseNewerFormat(value.Span);
                }
                nint ended = transaction;
                transaction = 0;
                Check(_engine.TxnCommit(ended));
                return database;
            }
            finally
            {
                if (transaction != 0)
                    _engine.TxnAbort(transaction);
            }
        }
    }

    Result PutFormat(nint transaction, uint database)
    {
        byte version = FormatVersion;
        fixed (byte* key = StoredKey.Format)
            return _engine.Put(transaction, database, new Value(key, StoredKey.Format.Length), new Value(&version, 1), WriteFlags.None);
    }

    void RefuseForeignEntries()
    {
        Check(_engine.EnvStat(_handle, out EnvironmentStatistics statistics));
        if (statistics.Entries > 0)
        {
            throw new StorageException(
                StorageError.Foreign,
                $"The {_description} holds the data of another program. Nothing was changed in it. Choose another path.");
        }
    }

    void RefuseNewerFormat(ReadOnlySpan<byte> version)
    {
        if (version is [<= FormatVersion])
            return;
        throw new StorageException(
            StorageError.NewerFormat,
            $"The {_description} has format version {Convert.ToHexString(version)}, and this version of Datacake.Lmdb knows up to "
                + $"{FormatVersion}. Update the package.");
    }

    StorageException Error(Result result)
    {
        string reason = _engine.Describe(result);
        (StorageError error, string message) = result switch
        {
            Result.VersionMismatch => (
                StorageError.NewerFormat,
                $"The {_description} was written by another version of LMDB than the loaded {_engine.Version}: {reason}. Use the version "
                    + "that wrote it, or start with an empty store, which the other nodes fill again (set TakeOverNodeId)."),
            Result.Invalid or Result.Corrupted or Result.PageNotFound => (
                StorageError.Corrupt,
                $"The {_description} is damaged, or not an LMDB file at all: {reason}. Restore it from a backup, or move it away and "
                    + "start with an empty store, which the other nodes fill again (set TakeOverNodeId)."),
            Result.TransactionFull => (
                StorageError.Failed,
                $"The {_description} cannot take so large a batch: {reason}. Nothing of it was stored. Commit it in parts."),
            Result.Panic => (
                StorageError.Failed, $"The {_description} failed while it wrote: {reason}. Close the store and open it again."),
            _ when IsSystemError(result, unix: [28, 122], windows: [39, 112]) || IsShortWrite(result) => (
                StorageError.Full,
                $"The disk of the {_description} is full: {reason}. Nothing of this was stored, and what was before is unharmed. "
                    + "Free some space and try again."),
            _ when IsSystemError(result, unix: [1, 2, 13, 20, 21, 30], windows: [2, 3, 5]) => (
                StorageError.Inaccessible,
                $"The {_description} cannot be opened or written: {reason}. Check the path, and that this process may read and write the "
                    + "file and its directory."),
            _ when IsSystemError(result, unix: [12], windows: [8, 14, 1455]) => (
                StorageError.Failed,
                $"The {_description} cannot be mapped: {reason}. It takes {_mapBytes} bytes of address space: lower "
                    + $"{nameof(LmdbStorageOptions.MapBytes)}, or raise the limit of this process (ulimit -v)."),
            _ => (StorageError.Failed, $"The {_description} failed: {reason}."),
        };
        return new StorageException(error, message);
    }

    /// <summary>Whether the file system did a write in part, because it had no more room. LMDB 0.9 makes an I/O error (EIO) of it.</summary>
    bool IsShortWrite(Result result) => result == Result.ShortWrite
        || IsSystemError(result, unix: [5], windows: []) && new DriveInfo(_path).AvailableFreeSpace < Environment.SystemPageSize;

    static bool IsSystemError(Result result, ReadOnlySpan<int> unix, ReadOnlySpan<int> windows) =>
        (OperatingSystem.IsWindows() ? windows : unix).Contains((int)result);
}
