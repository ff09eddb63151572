using Datacake.Storage;

namespace Datacake.PostgreSql;

/// <summary>
/// The SQL of reads and commits. A compaction moves the entries into a table with the next number, so that snapshots keep reading the previous one.
/// </summary>
sealed class Statements
{
    // A page is limited on the server, so that a long page of large values is not sent. The first entry is always part of it.
    const int MaxPageBytes = 1024 * 1024;

    readonly string _store;
    readonly string _entries;

    public Statements(string schema, int table)
    {
        Table = table;
        _store = StoreFormat.StoreTable(schema);
        _entries = StoreFormat.EntriesTable(schema, table);
        Get = $"SELECT value FROM {_entries} WHERE key = $1";
        GetMany = $"SELECT e.key, e.value FROM unnest($1) WITH ORDINALITY AS sought (key, number) JOIN {_entries} AS e ON e.key = sought.key ORDER BY sought.number";
        Commit = $"""
            UPDATE {_store} SET commits = $2, lease_ends = clock_timestamp() + $3 WHERE epoch = $1 AND commits = $2 - 1
            RETURNING set_config('synchronous_commit', $4, true), {LogPositions}
            """;
        Delete = $"DELETE FROM {_entries} WHERE key = ANY ($1) AND {Owned("$2", "$3")}";
        Put = $"INSERT INTO {_entries} (key, value) SELECT $1, $2 WHERE {Owned("$3", "$4")} {Replace}";
        PutMany = $"INSERT INTO {_entries} (key, value) SELECT key, value FROM unnest($1, $2) AS put (key, value) WHERE {Owned("$3", "$4")} {Replace}";
    }

    const string Replace = "ON CONFLICT (key) DO UPDATE SET value = excluded.value";

    /// <summary>The ends of the server's log: of what is inserted, and of what is on the disk.</summary>
    public const string LogPositions = "(pg_current_wal_insert_lsn() - '0/0')::int8, (pg_current_wal_flush_lsn() - '0/0')::int8";

    /// <summary>Gets the number of the table of entries.</summary>
    public int Table { get; }

    public string Get { get; }

    public string GetMany { get; }

    /// <summary>Gets the statement that begins a commit: it takes the lock of the store, and changes nothing for a former owner.</summary>
    public string Commit { get; }

    public string Delete { get; }

    public string Put { get; }

    public string PutMany { get; }

    /// <summary>Returns the query for a page of a range. The parameters are the start, the maximum number of entries, and the end if there is one.</summary>
    public string Scan(ScanDirection direction, bool hasEnd)
    {
        string order = direction == ScanDirection.Forward ? "ORDER BY key" : "ORDER BY key DESC";
        string end = hasEnd ? " AND key < $3" : "";
        return $"""
            SELECT key, value
            FROM (
                SELECT key, value, sum(octet_length(value)) OVER ({order} ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) AS bytes
                FROM (SELECT key, value FROM {_entries} WHERE key >= $1{end} {order} LIMIT $2) AS page
            ) AS measured
            WHERE bytes IS NULL OR bytes < {MaxPageBytes}
            {order}
            """;
    }

    /// <summary>Returns the condition that the transaction has changed the row of the store, which it does first, and only for the owner.</summary>
    string Owned(string epoch, string commits) => $"EXISTS (SELECT FROM {_store} WHERE epoch = {epoch} AND commits = {commits})";
}
