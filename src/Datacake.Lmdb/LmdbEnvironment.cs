using System.Runtime.CompilerServices;
using Datacake.Storage;

namespace Datacake.Lmdb;

/// <summary>An open LMDB file: its map, its writer, and the translation of its error codes.</summary>
sealed unsafe class LmdbEnvironment : IDisposable
{
    const int FormatVersion = 1;

    const int MaxEntriesPerFill = 10_000;

    // The size of one reader in LMDB's reader table, and an upper bound for the size of the table's header.
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
    volatile bool _isLost;                     // True if the map could not grow and no longer exists.
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
            // LMDB enlarges a map that is smaller than the file. The map should also leave room for the file to grow.
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

    /// <summary>Opens a file that nobody changes meanwhile, for reading. No reader table is created. The caller has checked the structure.</summary>
    public LmdbEnvironment(string path, string description)
    {
        _path = path;
        _description = description;
        _options = new LmdbStorageOptions();
        _engine = Engine.Load(path, description);
        Check(_engine.EnvCreate(out _handle));
        try
        {
            const EnvironmentFlags Flags = EnvironmentFlags.NoSubDirectory | EnvironmentFlags.NoThreadLocalStorage | EnvironmentFlags.ReadOnly | EnvironmentFlags.NoLock;
            Check(_engine.EnvOpen(_handle, path, Flags, mode: 0));
            _database = ReadFormat();
        }
        catch
        {
            Dispose();
            throw;
        }
    }

    /// <summary>Gets or sets the address space of the file, in bytes.</summary>
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

    /// <summary>Doubles the map, which moves it to another address. There must be no active reads and no open write transaction.</summary>
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
            // LMDB has already released the old map.
            _isLost = true;
            throw;
        }
    }

    /// <summary>Throws if the map no longer exists, because it must not be accessed then.</summary>
    public void ThrowIfLost()
    {
        if (_isLost)
        {
            throw new StorageException(
                StorageError.Failed,
                $"The {_description} could not be mapped again after it had grown, and cannot be read. No data is lost. Close the store and "
                    + "open it again.");
        }
    }

    /// <summary>Creates the exception for a commit that does not fit into a file of the maximum size.</summary>
    public StorageException FullError() => new(
        StorageError.Full,
        $"The {_description} has reached its maximum size of {_options.MaxFileBytes} bytes. Nothing of this operation was stored, and "
            + "earlier data is intact. Delete data, for which some space is reserved, or raise "
            + $"{nameof(LmdbStorageOptions.MaxFileBytes)}, which takes effect when the store is opened again.");

    /// <summary>Commits a batch. Returns false and does nothing if the batch does not fit into the map.</summary>
    public bool TryCommit(WriteBatch batch, Syncing syncing, WriteFlags flags = WriteFlags.None)
    {
        ThrowIfLost();
        Use(syncing);
        if (!batch.MayUseReserve)
            _limit?.ThrowIfIntoReserve(batch);
        Check(_engine.TxnBegin(_handle, TransactionFlags.None, out nint transaction));
        try
        {
            Result result = Apply(transaction, batch, flags);
            // LMDB does not write a transaction that changes nothing, which would leave earlier buffered batches unflushed.
            if (result == Result.Success && syncing == Syncing.Full && _hasUnflushed)
                result = PutFormat(transaction, _database);
            if (result == Result.Success)
            {
                nint ended = transaction;
                transaction = 0;   // A commit frees the transaction even if it fails.
                result = _engine.TxnCommit(ended);
            }
            if (result == Result.MapFull)
                return false;
            Check(result);
            // LMDB writes its metadata last, to a descriptor with O_DSYNC, which does not flush the cache of the disk on macOS.
            if (syncing == Syncing.Full && OperatingSystem.IsMacOS())
                Check(_engine.EnvSync(_handle));
            _hasUnflushed = syncing != Syncing.Full;
            return true;
        }
        finally
        {
            if (transaction != 0)
                _engine.TxnAbort(transaction);
        }
    }

    /// <summary>Writes the entries of a snapshot into this new file, without free space, and flushes the file to the disk.</summary>
    public void Fill(LmdbSnapshot source, CancellationToken cancellationToken)
    {
        var batch = new WriteBatch();
        KeyRange range = KeyRange.All;
        while (source.Scan(range, ScanDirection.Forward, MaxEntriesPerFill) is { Count: > 0 } page)
        {
            cancellationToken.ThrowIfCancellationRequested();
            batch.Clear();
            // Everything that fit into the file is allowed to fit into its copy.
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

    /// <summary>Opens a read transaction, which sees the current state of the store.</summary>
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

    /// <summary>Begins a read transaction of LMDB. The caller must abort it.</summary>
    public nint BeginReadTransaction()
    {
        Result result = _engine.TxnBegin(_handle, TransactionFlags.ReadOnly, out nint transaction);
        if (result == Result.ReadersFull)
        {
            throw new StorageException(
                StorageError.Failed,
                $"The {_description} already has {_options.MaxSnapshots} open snapshots, which is the limit. Dispose snapshots sooner, or raise "
                    + $"{nameof(LmdbStorageOptions.MaxSnapshots)}.");
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

    Result Apply(nint transaction, WriteBatch batch, WriteFlags flags)
    {
        using OrderedOperations operations = batch.InBestOrder();
        for (int i = 0; i < operations.Count; i++)
        {
            Result result = Apply(transaction, operations[i], flags);
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
    /// Creates LMDB's reader table with all of its disk blocks. LMDB itself would map a sparse file: on a full disk, the first reader that
    /// touches another page of the table would crash the process.
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

    /// <summary>Flushes the name of a new file to the disk. LMDB flushes only the contents.</summary>
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
    /// Throws if the file is damaged or truncated. LMDB trusts its file, and reading or writing a damaged one can crash the process. A
    /// sound file may lack unused pages at its end, so only the whole structure is conclusive. Few sound files are shorter than stated in
    /// their metadata, however, so a short file is always checked.
    /// </summary>
    static void RefuseDamagedFile(string path, string description, bool isThorough)
    {
        if (!File.Exists(path) || new FileInfo(path).Length == 0)
            return;
        using var check = new StructureCheck(path, description);
        if (isThorough || check.IsShort)
            check.Run(mayLosePages: true, CancellationToken.None);
    }

    /// <summary>
    /// Opens the database of the file and marks a new file with the format version. Throws if the file is not a store or has a newer format.
    /// </summary>
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

    /// <summary>Opens the database of a file that is only read. Throws if the file is not a store or has a newer format.</summary>
    uint ReadFormat()
    {
        fixed (byte* key = StoredKey.Format)
        {
            nint transaction = BeginReadTransaction();
            try
            {
                Check(_engine.DbiOpen(transaction, out uint database));
                Result found = _engine.Get(transaction, database, new Value(key, StoredKey.Format.Length), out Value value);
                if (found == Result.NotFound)
                    throw new StorageException(StorageError.Foreign, $"The {_description} is not a store. It was not changed. Pass the file of a backup.");
                Check(found);
                RefuseNewerFormat(value.Span);
                nint ended = transaction;
                transaction = 0;
                Check(_engine.TxnCommit(ended));   // keeps the database open
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
                $"The {_description} contains the data of another program. It was not changed. Choose another path.");
        }
    }

    void RefuseNewerFormat(ReadOnlySpan<byte> version)
    {
        if (version is [<= FormatVersion])
            return;
        throw new StorageException(
            StorageError.NewerFormat,
            $"The {_description} has format version {Convert.ToHexString(version)}, but this version of Datacake.Lmdb supports only versions "
                + $"up to {FormatVersion}. Update the package.");
    }

    StorageException Error(Result result)
    {
        string reason = _engine.Describe(result);
        (StorageError error, string message) = result switch
        {
            Result.VersionMismatch => (
                StorageError.NewerFormat,
                $"The {_description} was written by a different version of LMDB. The loaded version is {_engine.Version}: {reason}. Use the "
                    + "version that wrote the file, or start with an empty store, which the other nodes refill (set TakeOverNodeId)."),
            Result.Invalid or Result.Corrupted or Result.PageNotFound => (
                StorageError.Corrupt,
                $"The {_description} is damaged or not an LMDB file: {reason}. Restore it from a backup, or move it away and start with an empty "
                    + "store, which the other nodes refill (set TakeOverNodeId)."),
            Result.TransactionFull => (
                StorageError.Failed,
                $"The batch is too large for the {_description}: {reason}. Nothing of the batch was stored. Commit it in several parts."),
            Result.Panic => (
                StorageError.Failed, $"Writing to the {_description} failed: {reason}. Close the store and open it again."),
            _ when IsSystemError(result, unix: [28, 69, 122], windows: [39, 112]) || IsShortWrite(result) => (
                StorageError.Full,
                $"The disk of the {_description} is full: {reason}. Nothing of this operation was stored, and earlier data is intact. "
                    + "Free some space and retry."),
            _ when IsSystemError(result, unix: [1, 2, 13, 20, 21, 30], windows: [2, 3, 5]) => (
                StorageError.Inaccessible,
                $"The {_description} cannot be opened or written: {reason}. Check the path, and the permissions of this process on the file and "
                    + "its directory."),
            _ when IsSystemError(result, unix: [12], windows: [8, 14, 1455]) => (
                StorageError.Failed,
                $"The {_description} cannot be mapped: {reason}. It needs {_mapBytes} bytes of address space. Lower "
                    + $"{nameof(LmdbStorageOptions.MapBytes)}, or raise the limit of this process (ulimit -v)."),
            _ => (StorageError.Failed, $"The {_description} failed: {reason}."),
        };
        return new StorageException(error, message);
    }

    /// <summary>Returns whether a write was cut short because the disk is full. LMDB 0.9 reports this as an I/O error (EIO).</summary>
    bool IsShortWrite(Result result) => result == Result.ShortWrite
        || IsSystemError(result, unix: [5], windows: []) && new DriveInfo(_path).AvailableFreeSpace < Environment.SystemPageSize;

    static bool IsSystemError(Result result, ReadOnlySpan<int> unix, ReadOnlySpan<int> windows) =>
        (OperatingSystem.IsWindows() ? windows : unix).Contains((int)result);
}
