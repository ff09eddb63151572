using Datacake.Storage;

namespace Datacake.Lmdb;

/// <summary>An open LMDB file: its map, its one writer, and what its error codes mean.</summary>
sealed unsafe class LmdbEnvironment : IDisposable
{
    const int FormatVersion = 1;

    // The map should grow before it is full: when an eighth of it is left.
    const int GrowAheadDivisor = 8;

    readonly string _description;
    readonly LmdbStorageOptions _options;
    readonly Engine _engine;
    readonly nint _handle;
    readonly uint _pageSize;
    readonly uint _database;
    long _mapBytes;
    EnvironmentFlags _durabilityFlags;
    bool _hasUnflushed;

    public LmdbEnvironment(string path, string description, LmdbStorageOptions options)
    {
        _description = description;
        _options = options;
        _engine = Engine.Load(path, description);
        Check(_engine.EnvCreate(out _handle));
        try
        {
            // LMDB takes a map as large as the file if it is given less; the file should also have room to grow in it.
            long fileBytes = File.Exists(path) ? new FileInfo(path).Length : 0;
            MapBytes = Math.Max(options.MapBytes, 2 * fileBytes);
            Check(_engine.EnvSetMaxReaders(_handle, options.MaxSnapshots));
            const uint Mode = 0b110_110_100;   // rw-rw-r--, less what the umask takes away
            Check(_engine.EnvOpen(_handle, path, EnvironmentFlags.NoSubDirectory | EnvironmentFlags.NoThreadLocalStorage, Mode));
            Check(_engine.EnvStat(_handle, out EnvironmentStatistics statistics));
            _pageSize = statistics.PageSize;
            _database = PrepareFormat();
        }
        catch
        {
            Dispose();
            throw;
        }
    }

    /// <summary>The address space of the file. It may be set only while no transaction is open.</summary>
    long MapBytes
    {
        get => _mapBytes;
        set
        {
            long bytes = Math.Min(value, _options.MaxFileBytes ?? long.MaxValue) / Environment.SystemPageSize * Environment.SystemPageSize;
            _mapBytes = bytes;
            Check(_engine.EnvSetMapSize(_handle, bytes));
        }
    }

    public bool CanGrow => _mapBytes + Environment.SystemPageSize <= (_options.MaxFileBytes ?? long.MaxValue);

    /// <summary>Whether the file has nearly filled its map, so that it should grow at the next opportunity.</summary>
    public bool ShouldGrow
    {
        get
        {
            Check(_engine.EnvInfo(_handle, out EnvironmentInfo info));
            return CanGrow && (long)info.LastPage * _pageSize > _mapBytes - _mapBytes / GrowAheadDivisor;
        }
    }

    /// <summary>Doubles the map. No transaction may be open.</summary>
    public void Grow() => MapBytes = checked(2 * _mapBytes);

    /// <summary>Commits a batch; false, and nothing is done, if it does not fit into the map.</summary>
    public bool TryCommit(WriteBatch batch, Durability durability)
    {
        UseDurability(durability);
        Check(_engine.TxnBegin(_handle, TransactionFlags.None, out nint transaction));
        try
        {
            Result result = Apply(transaction, batch.Operations);
            // A batch that changes nothing would not be written, and would flush none of those before it.
            if (result == Result.Success && durability == Durability.Flushed && _hasUnflushed)
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
            _hasUnflushed = durability == Durability.Buffered;
            return true;
        }
        finally
        {
            if (transaction != 0)
                _engine.TxnAbort(transaction);
        }
    }

    /// <summary>Opens a read transaction, which sees this moment.</summary>
    public ReadTransaction BeginRead()
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
        result = _engine.CursorOpen(transaction, _database, out nint cursor);
        if (result != Result.Success)
        {
            _engine.TxnAbort(transaction);
            Check(result);
        }
        return new ReadTransaction(_engine, this, transaction, cursor, _database);
    }

    public void Check(Result result)
    {
        if (result != Result.Success)
            throw Error(result);
    }

    public void Dispose() => _engine.EnvClose(_handle);

    Result Apply(nint transaction, ReadOnlySpan<WriteOperation> operations)
    {
        foreach (ref readonly WriteOperation operation in operations)
        {
            Result result = Apply(transaction, operation);
            if (result != Result.Success)
                return result;
        }
        return Result.Success;
    }

    Result Apply(nint transaction, in WriteOperation operation)
    {
        var storedKey = StoredKey.OfEntry(operation.Key.Span);
        fixed (byte* key = storedKey.Bytes)
        {
            var keyValue = new Value(key, storedKey.Bytes.Length);
            if (operation.Value is not { } value)
            {
                Result deleted = _engine.Del(transaction, _database, keyValue);
                return deleted == Result.NotFound ? Result.Success : deleted;
            }
            fixed (byte* data = value.Span)
                return _engine.Put(transaction, _database, keyValue, new Value(data, value.Length));
        }
    }

    /// <summary>
    /// A flushed commit forces its pages to the disk and then the page that makes them valid; a buffered one only the former, so that
    /// a loss of power may cost the last commit and never the file. Without either a loss of power could leave the latter on the disk
    /// alone.
    /// </summary>
    void UseDurability(Durability durability)
    {
        EnvironmentFlags flags = durability == Durability.Flushed ? 0
            : _options.RiskFileOnPowerLoss ? EnvironmentFlags.NoSync
            : EnvironmentFlags.NoMetaSync;
        if (flags == _durabilityFlags)
            return;
        Check(_engine.EnvSetFlags(_handle, EnvironmentFlags.NoSync | EnvironmentFlags.NoMetaSync, on: false));
        if (flags != 0)
            Check(_engine.EnvSetFlags(_handle, flags, on: true));
        _durabilityFlags = flags;
    }

    /// <summary>Opens the file's one database, marks a new file, and refuses one that is not a store or has a newer format.</summary>
    uint PrepareFormat()
    {
        var format = StoredKey.Format;
        fixed (byte* key = format.Bytes)
        {
            var keyValue = new Value(key, format.Bytes.Length);
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
        var format = StoredKey.Format;
        byte version = FormatVersion;
        fixed (byte* key = format.Bytes)
            return _engine.Put(transaction, database, new Value(key, format.Bytes.Length), new Value(&version, 1));
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
                    + "that wrote it, or start with an empty store, which the other nodes fill again."),
            Result.Invalid or Result.Corrupted or Result.PageNotFound => (
                StorageError.Corrupt,
                $"The {_description} is damaged, or not an LMDB file at all: {reason}. Restore it from a backup, or move it away and "
                    + "start with an empty store, which the other nodes fill again."),
            Result.TransactionFull => (
                StorageError.Failed,
                $"The {_description} cannot take so large a batch: {reason}. Nothing of it was stored. Commit it in parts."),
            Result.Panic => (
                StorageError.Failed, $"The {_description} failed while it wrote: {reason}. Close the store and open it again."),
            _ when IsSystemError(result, unix: [28, 122], windows: [39, 112]) => (
                StorageError.Full,
                $"The disk of the {_description} is full: {reason}. Nothing of this batch was stored, and what was before is unharmed. "
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

    static bool IsSystemError(Result result, ReadOnlySpan<int> unix, ReadOnlySpan<int> windows) =>
        (OperatingSystem.IsWindows() ? windows : unix).Contains((int)result);
}
