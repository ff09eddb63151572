using Datacake.Storage;
using SQLitePCL;

namespace Datacake.Sqlite;

/// <summary>
/// A connection that reads, with its statements. Between <see cref="Begin"/> and <see cref="TryEnd"/> it sees one moment. Not thread-safe.
/// </summary>
sealed class Reader : IDisposable
{
    // A page ends after this many bytes, so that large values do not make it large.
    const int MaxPageBytes = 4 * 1024 * 1024;

    readonly Connection _connection;
    readonly sqlite3_stmt _begin;
    readonly sqlite3_stmt _pin;
    readonly sqlite3_stmt _end;
    readonly sqlite3_stmt _get;
    readonly sqlite3_stmt _getLarge;
    readonly sqlite3_stmt _forward;
    readonly sqlite3_stmt _forwardToEnd;
    readonly sqlite3_stmt _reverse;
    readonly sqlite3_stmt _reverseFromEnd;

    public Reader(Connection connection)
    {
        _connection = connection;
        _begin = connection.Prepare("BEGIN");
        _pin = connection.Prepare("SELECT 1 FROM entries LIMIT 1");
        _end = connection.Prepare("COMMIT");
        _get = connection.Prepare("SELECT value FROM entries WHERE key = ?1");
        _getLarge = connection.Prepare("SELECT value FROM large_values WHERE id = ?1");
        _forward = connection.Prepare("SELECT key, value FROM entries WHERE key >= ?1 AND key < ?2 ORDER BY key");
        _forwardToEnd = connection.Prepare("SELECT key, value FROM entries WHERE key >= ?1 ORDER BY key");
        _reverse = connection.Prepare("SELECT key, value FROM entries WHERE key >= ?1 AND key < ?2 ORDER BY key DESC");
        _reverseFromEnd = connection.Prepare("SELECT key, value FROM entries WHERE key >= ?1 ORDER BY key DESC");
    }

    /// <summary>Fixes what the reader sees, until <see cref="TryEnd"/>.</summary>
    public void Begin()
    {
        _connection.Run(_begin);
        // SQLite takes the snapshot at the first read, not at BEGIN.
        _connection.Run(_pin);
    }

    /// <summary>Lets the moment go. If that fails the reader is of no use any more: disposing it ends the transaction too.</summary>
    public bool TryEnd()
    {
        raw.sqlite3_step(_end);
        raw.sqlite3_reset(_end);
        return !_connection.InTransaction;
    }

    public ReadOnlyMemory<byte>? Get(ReadOnlySpan<byte> key)
    {
        try
        {
            _connection.Bind(_get, 1, key);
            if (!_connection.Step(_get))
                return null;
            return CopyEntry([], _get, 0).Value;
        }
        finally
        {
            raw.sqlite3_reset(_get);
        }
    }

    public List<StorageEntry> Scan(in KeyRange range, ScanDirection direction, int maxEntries)
    {
        var page = new List<StorageEntry>();
        sqlite3_stmt scan = (direction, range.End) switch
        {
            (ScanDirection.Forward, null) => _forwardToEnd,
            (ScanDirection.Forward, _) => _forward,
            (_, null) => _reverseFromEnd,
            _ => _reverse,
        };
        try
        {
            _connection.Bind(scan, 1, range.Start.Span);
            if (range.End is { } end)
                _connection.Bind(scan, 2, end.Span);
            int bytes = 0;
            while (page.Count < maxEntries && bytes < MaxPageBytes && _connection.Step(scan))
            {
                StorageEntry entry = CopyEntry(raw.sqlite3_column_blob(scan, 0), scan, 1);
                page.Add(entry);
                bytes += entry.Key.Length + entry.Value.Length;
            }
            return page;
        }
        finally
        {
            raw.sqlite3_reset(scan);
        }
    }

    public void Dispose() => _connection.Dispose();

    /// <summary>Copies a key and the value of the current row out of SQLite's memory, which the next step takes back.</summary>
    StorageEntry CopyEntry(ReadOnlySpan<byte> key, sqlite3_stmt row, int valueColumn)
    {
        if (raw.sqlite3_column_type(row, valueColumn) != raw.SQLITE_INTEGER)
            return Copy(key, raw.sqlite3_column_blob(row, valueColumn));
        try
        {
            _connection.Bind(_getLarge, 1, raw.sqlite3_column_int64(row, valueColumn));
            if (!_connection.Step(_getLarge))
                throw _connection.Damaged("a large value is missing");
            return Copy(key, raw.sqlite3_column_blob(_getLarge, 0));
        }
        finally
        {
            raw.sqlite3_reset(_getLarge);
        }
    }

    static StorageEntry Copy(ReadOnlySpan<byte> key, ReadOnlySpan<byte> value)
    {
        // One array for both: half the allocations of a scan.
        byte[] bytes = GC.AllocateUninitializedArray<byte>(key.Length + value.Length);
        key.CopyTo(bytes);
        value.CopyTo(bytes.AsSpan(key.Length));
        return new StorageEntry(bytes.AsMemory(0, key.Length), bytes.AsMemory(key.Length));
    }
}
