using Datacake.Storage;
using SQLitePCL;

namespace Datacake.Benchmarks.Storage;

/// <summary>SQLite through its C interface, with prepared statements, a table without row ids and a write-ahead log.</summary>
sealed class RawSqliteStore : IKeyValueStore
{
    readonly sqlite3 _writer;
    readonly sqlite3 _reader;
    readonly sqlite3_stmt _begin;
    readonly sqlite3_stmt _put;
    readonly sqlite3_stmt _commit;
    readonly sqlite3_stmt _get;
    readonly sqlite3_stmt _scan;
    Durability? _durability;

    public RawSqliteStore(string path)
    {
        Batteries_V2.Init();
        _writer = Open(path);
        Execute(_writer, "PRAGMA journal_mode = WAL");
        Execute(_writer, "PRAGMA wal_autocheckpoint = 4096");
        Execute(_writer, "CREATE TABLE entries (key BLOB PRIMARY KEY NOT NULL, value BLOB NOT NULL) WITHOUT ROWID");
        _begin = Prepare(_writer, "BEGIN IMMEDIATE");
        _put = Prepare(_writer, "INSERT INTO entries (key, value) VALUES (?1, ?2) ON CONFLICT (key) DO UPDATE SET value = ?2");
        _commit = Prepare(_writer, "COMMIT");
        _reader = Open(path);
        _get = Prepare(_reader, "SELECT value FROM entries WHERE key = ?1");
        _scan = Prepare(_reader, "SELECT key, value FROM entries WHERE key >= ?1 ORDER BY key LIMIT ?2");
    }

    public void Commit(ReadOnlySpan<(byte[] Key, byte[] Value)> entries, Durability durability)
    {
        if (_durability != durability)
            Execute(_writer, durability == Durability.Flushed ? "PRAGMA synchronous = FULL" : "PRAGMA synchronous = NORMAL");
        _durability = durability;
        Run(_begin);
        foreach (var (key, value) in entries)
        {
            raw.sqlite3_bind_blob(_put, 1, key);
            raw.sqlite3_bind_blob(_put, 2, value);
            Run(_put);
        }
        Run(_commit);
    }

    public int Get(byte[] key)
    {
        raw.sqlite3_bind_blob(_get, 1, key);
        int length = -1;
        if (raw.sqlite3_step(_get) == raw.SQLITE_ROW)
            length = raw.sqlite3_column_blob(_get, 0).ToArray().Length;
        raw.sqlite3_reset(_get);
        return length;
    }

    public long Scan(byte[] from, int count)
    {
        raw.sqlite3_bind_blob(_scan, 1, from);
        raw.sqlite3_bind_int(_scan, 2, count);
        long length = 0;
        while (raw.sqlite3_step(_scan) == raw.SQLITE_ROW)
            length += raw.sqlite3_column_blob(_scan, 0).ToArray().Length + raw.sqlite3_column_blob(_scan, 1).ToArray().Length;
        raw.sqlite3_reset(_scan);
        return length;
    }

    public ValueTask DisposeAsync()
    {
        foreach (var statement in new[] { _begin, _put, _commit, _get, _scan })
            statement.Dispose();
        _reader.Dispose();
        _writer.Dispose();
        return ValueTask.CompletedTask;
    }

    static sqlite3 Open(string path)
    {
        Check(raw.sqlite3_open_v2(path, out var connection, raw.SQLITE_OPEN_READWRITE | raw.SQLITE_OPEN_CREATE | raw.SQLITE_OPEN_NOMUTEX, null), null);
        Execute(connection, "PRAGMA cache_size = -8192");
        return connection;
    }

    static void Execute(sqlite3 connection, string sql) => Check(raw.sqlite3_exec(connection, sql), connection);

    static sqlite3_stmt Prepare(sqlite3 connection, string sql)
    {
        Check(raw.sqlite3_prepare_v2(connection, sql, out var statement), connection);
        return statement;
    }

    void Run(sqlite3_stmt statement)
    {
        int result = raw.sqlite3_step(statement);
        raw.sqlite3_reset(statement);
        if (result != raw.SQLITE_DONE)
            Check(result, _writer);
    }

    static void Check(int result, sqlite3? connection)
    {
        if (result != raw.SQLITE_OK)
            throw new IOException($"SQLite failed: {(connection is null ? result.ToString(null, null) : raw.sqlite3_errmsg(connection).utf8_to_string())}");
    }
}
