using Datacake.Storage;

namespace Datacake.Sqlite;

/// <summary>
/// A reading connection with its prepared statements. Between <see cref="Begin"/> and <see cref="End"/> it sees one fixed state of the store,
/// called a moment. Not thread-safe.
/// </summary>
sealed class Reader : IDisposable
{
    // Limits the size of a page that contains large values.
    const int MaxPageBytes = 4 * 1024 * 1024;

    const int KeysPerRun = 32;

    static readonly string GetManyText =
        $"""
        SELECT entries.key, value FROM (VALUES {string.Join(", ", Enumerable.Range(1, KeysPerRun).Select(parameter => $"(?{parameter})"))}) AS sought
            CROSS JOIN entries ON entries.key = sought.column1
        """;

    readonly Connection _connection;
    readonly EntryCollector _collector;
    readonly Statement _pin;
    readonly Statement _get;
    readonly Statement _getMany;
    readonly Statement _getLarge;
    readonly Statement _forward;
    readonly Statement _forwardToEnd;
    readonly Statement _reverse;
    readonly Statement _reverseFromEnd;

    // Prepared when they are first used.
    Statement _forwardCollected;
    Statement _forwardToEndCollected;
    Statement _reverseCollected;
    Statement _reverseFromEndCollected;
    Statement _count;
    Statement _countToEnd;
    Statement _skip;
    Statement _skipToEnd;
    Statement _skipReverse;
    Statement _skipReverseFromEnd;

    // The keys of a GetMany call, pinned so that SQLite can read them in place. Allocated at the first one: a node may have thousands of readers at rest.
    byte[]? _sought;
    bool _hasLarge;     // True while a large value is being read.

    public Reader(Connection connection)
    {
        _connection = connection;
        _collector = new EntryCollector(connection);
        // This does not read from the entries table, because another open cursor there would slow down writes.
        _pin = connection.Prepare("SELECT EXISTS (SELECT 1 FROM sqlite_schema)");
        _get = connection.Prepare("SELECT value FROM entries WHERE key = ?1");
        _getMany = connection.Prepare(GetManyText);
        _getLarge = connection.Prepare("SELECT value FROM large_values WHERE id = ?1");
        _forward = connection.Prepare("SELECT key, value FROM entries WHERE key >= ?1 AND key < ?2 ORDER BY key");
        _forwardToEnd = connection.Prepare("SELECT key, value FROM entries WHERE key >= ?1 ORDER BY key");
        _reverse = connection.Prepare("SELECT key, value FROM entries WHERE key >= ?1 AND key < ?2 ORDER BY key DESC");
        _reverseFromEnd = connection.Prepare("SELECT key, value FROM entries WHERE key >= ?1 ORDER BY key DESC");
    }

    byte[] SoughtKeys => _sought ??= GC.AllocateUninitializedArray<byte>(KeysPerRun * (WriteBatch.MaxKeyLength + 1), pinned: true);

    /// <summary>Gets the moment that the reader sees, as counted by <see cref="SqliteStorage"/>, or <see langword="null"/> if none.</summary>
    public long? Moment { get; private set; }

    /// <summary>Fixes the state that the reader sees until <see cref="End"/>.</summary>
    public void Begin(long moment)
    {
        // A statement that has not finished keeps its read transaction open, which saves a BEGIN and a COMMIT.
        Moment = moment;
        _connection.Step(_pin);
    }

    /// <summary>Releases the moment.</summary>
    public void End()
    {
        if (Moment is not null)
            Connection.Reset(_pin);
        Moment = null;
    }

    public ReadOnlyMemory<byte>? Get(ReadOnlySpan<byte> key)
    {
        try
        {
            _connection.Bind(_get, 1, key);
            if (!_connection.Step(_get))
                return null;
            return ValueOf(_get, 0).ToArray();
        }
        finally
        {
            Reset(_get);
        }
    }

    public void GetMany(IReadOnlyList<ReadOnlyMemory<byte>> keys, EntryPage page)
    {
        for (int start = 0; start < keys.Count; start += KeysPerRun)
            GetMany(keys, start, Math.Min(keys.Count, start + KeysPerRun), page);
    }

    public List<StorageEntry> Scan(in KeyRange range, ScanDirection direction, int maxEntries)
    {
        var page = new List<StorageEntry>();
        Statement scan = BeginScan(range, direction);
        try
        {
            int bytes = 0;
            while (page.Count < maxEntries && bytes < MaxPageBytes && _connection.Step(scan))
            {
                StorageEntry entry = Copy(Connection.Blob(scan, 0), ValueOf(scan, 1));
                page.Add(entry);
                bytes += entry.Key.Length + entry.Value.Length;
            }
            return page;
        }
        finally
        {
            Reset(scan);
        }
    }

    public void Scan(in KeyRange range, ScanDirection direction, int maxEntries, EntryPage page)
    {
        Statement scan = (direction, range.End) switch
        {
            (ScanDirection.Forward, null) => Prepared(ref _forwardToEndCollected, "SELECT key, value FROM entries WHERE key >= ?1 AND NOT collected(key, value) ORDER BY key"),
            (ScanDirection.Forward, _) => Prepared(ref _forwardCollected, "SELECT key, value FROM entries WHERE key >= ?1 AND key < ?2 AND NOT collected(key, value) ORDER BY key"),
            (_, null) => Prepared(ref _reverseFromEndCollected, "SELECT key, value FROM entries WHERE key >= ?1 AND NOT collected(key, value) ORDER BY key DESC"),
            _ => Prepared(ref _reverseCollected, "SELECT key, value FROM entries WHERE key >= ?1 AND key < ?2 AND NOT collected(key, value) ORDER BY key DESC"),
        };
        try
        {
            Bind(scan, range);
            _collector.Collect(_connection, scan, page, maxEntries, MaxPageBytes, ValueOf);
        }
        finally
        {
            Reset(scan);
        }
    }

    public long Count(in KeyRange range)
    {
        var count = range.End is null
            ? Prepared(ref _countToEnd, "SELECT count(*) FROM entries WHERE key >= ?1")
            : Prepared(ref _count, "SELECT count(*) FROM entries WHERE key >= ?1 AND key < ?2");
        try
        {
            Bind(count, range);
            _connection.Step(count);
            return Native.ColumnInteger(count, 0);
        }
        finally
        {
            Connection.Reset(count);
        }
    }

    /// <summary>Returns the key that comes after a number of others in a range; null if there is none.</summary>
    public ReadOnlyMemory<byte>? Skip(in KeyRange range, ScanDirection direction, long number)
    {
        var skip = (direction, range.End) switch
        {
            (ScanDirection.Forward, null) => Prepared(ref _skipToEnd, "SELECT key FROM entries WHERE key >= ?1 ORDER BY key LIMIT 1 OFFSET ?3"),
            (ScanDirection.Forward, _) => Prepared(ref _skip, "SELECT key FROM entries WHERE key >= ?1 AND key < ?2 ORDER BY key LIMIT 1 OFFSET ?3"),
            (_, null) => Prepared(ref _skipReverseFromEnd, "SELECT key FROM entries WHERE key >= ?1 ORDER BY key DESC LIMIT 1 OFFSET ?3"),
            _ => Prepared(ref _skipReverse, "SELECT key FROM entries WHERE key >= ?1 AND key < ?2 ORDER BY key DESC LIMIT 1 OFFSET ?3"),
        };
        try
        {
            Bind(skip, range);
            _connection.Bind(skip, 3, number);
            if (!_connection.Step(skip))
                return null;
            return Connection.Blob(skip, 0).ToArray();
        }
        finally
        {
            Connection.Reset(skip);
        }
    }

    public void Dispose()
    {
        _connection.Dispose();
        _collector.Dispose();
    }

    /// <summary>Looks up several keys with one statement. Starting and ending a statement takes half as long as finding a key.</summary>
    void GetMany(IReadOnlyList<ReadOnlyMemory<byte>> keys, int start, int end, EntryPage page)
    {
        try
        {
            var free = SoughtKeys.AsSpan();
            for (int i = start; i < end; i++)
            {
                var key = keys[i].Span;
                // Longer keys do not exist in the table, so a longer key can be cut off without matching anything.
                key = key[..Math.Min(key.Length, WriteBatch.MaxKeyLength + 1)];
                key.CopyTo(free);
                _connection.BindInPlace(_getMany, i - start + 1, free[..key.Length]);
                free = free[key.Length..];
            }
            for (int parameter = end - start + 1; parameter <= KeysPerRun; parameter++)
                _connection.BindNull(_getMany, parameter);
            while (_connection.Step(_getMany))
                page.Add(Connection.Blob(_getMany, 0), ValueOf(_getMany, 1));
        }
        finally
        {
            Reset(_getMany);
        }
    }

    /// <summary>Returns the statement that scans a range, positioned before its first row.</summary>
    Statement BeginScan(in KeyRange range, ScanDirection direction)
    {
        Statement scan = (direction, range.End) switch
        {
            (ScanDirection.Forward, null) => _forwardToEnd,
            (ScanDirection.Forward, _) => _forward,
            (_, null) => _reverseFromEnd,
            _ => _reverse,
        };
        Bind(scan, range);
        return scan;
    }

    Statement Prepared(ref Statement statement, string text) => statement.Handle == 0 ? statement = _connection.Prepare(text) : statement;

    void Bind(Statement statement, in KeyRange range)
    {
        _connection.Bind(statement, 1, range.Start.Span);
        if (range.End is { } end)
            _connection.Bind(statement, 2, end.Span);
    }

    /// <summary>Returns the value of the current row, in SQLite's memory.</summary>
    ReadOnlySpan<byte> ValueOf(Statement row, int column)
    {
        if (!Connection.IsInteger(row, column))
            return Connection.Blob(row, column);
        Connection.Reset(_getLarge);
        _connection.Bind(_getLarge, 1, Native.ColumnInteger(row, column));
        _hasLarge = true;
        return _connection.Step(_getLarge) ? Connection.Blob(_getLarge, 0) : throw _connection.Damaged("a large value is missing");
    }

    /// <summary>Resets a statement, and the one that reads large values if it was used.</summary>
    void Reset(Statement row)
    {
        Connection.Reset(row);
        if (_hasLarge)
            Connection.Reset(_getLarge);
        _hasLarge = false;
    }

    static StorageEntry Copy(ReadOnlySpan<byte> key, ReadOnlySpan<byte> value)
    {
        // Sharing one array for both halves the allocations of a scan.
        byte[] bytes = GC.AllocateUninitializedArray<byte>(key.Length + value.Length);
        key.CopyTo(bytes);
        value.CopyTo(bytes.AsSpan(key.Length));
        return new StorageEntry(bytes.AsMemory(0, key.Length), bytes.AsMemory(key.Length));
    }
}
