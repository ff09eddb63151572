using Datacake.Storage;
using Npgsql;

namespace Datacake.PostgreSql;

/// <summary>
/// A connection that reads the store in transactions. All reads of a transaction see the state at its begin. Not thread-safe.
/// </summary>
sealed class Reader : IDisposable
{
    // A longer page costs memory, and is no faster.
    const int MaxPageEntries = 4096;

    readonly Database _database;
    readonly NpgsqlConnection _connection;
    Statements? _statements;
    long _epoch;                    // As of the preparation, as is the next field.
    long _leastCommits;
    bool _isOpen;                   // The server has a transaction, the current one or the one before.
    volatile int _table;

    public Reader(Database database, NpgsqlConnection connection)
    {
        _database = database;
        _connection = connection;
    }

    /// <summary>Gets the moment that the current transaction sees, or null if there is none.</summary>
    public long? Moment { get; private set; }

    /// <summary>Gets whether the current transaction has begun, which also fixes what it sees.</summary>
    public bool HasBegun { get; private set; }

    /// <summary>Gets or sets whether the connection was idle before, so that it may have broken unnoticed.</summary>
    public bool IsReused { get; set; }

    /// <summary>Gets whether a read has failed, and with it the transaction. What it saw can only be read on another connection, at the same moment.</summary>
    public bool IsBroken { get; private set; }

    /// <summary>Gets whether the store has another owner, or fewer commits than this process has made.</summary>
    public bool IsStale { get; private set; }

    /// <summary>Gets the number of the table that the current transaction reads, or 0 if it is not known. Can be read by any thread.</summary>
    public int Table => _table;

    /// <summary>Prepares a transaction, which begins together with the first read to save a round trip, or with <see cref="FixAsync"/>.</summary>
    /// <param name="moment">The moment that the transaction will see.</param>
    /// <param name="table">The number of the table of entries, as far as it is known.</param>
    /// <param name="epoch">The epoch of this process as the owner.</param>
    /// <param name="leastCommits">The number of commits that the store has at least.</param>
    public void Prepare(long moment, int table, long epoch, long leastCommits)
    {
        Moment = moment;
        HasBegun = false;
        _table = 0;
        _epoch = epoch;
        _leastCommits = leastCommits;
        UseTable(table);
    }

    /// <summary>Begins the transaction, if it has not begun.</summary>
    public async ValueTask FixAsync()
    {
        if (!HasBegun)
            await ReadAsync(static _ => null, static (_, _) => { }, 0).ConfigureAwait(false);
    }

    /// <summary>Ends the transaction, so that the server no longer keeps what it sees.</summary>
    public async ValueTask EndAsync()
    {
        Moment = null;
        HasBegun = false;
        _table = 0;
        if (!_isOpen)
            return;
        _isOpen = false;
        try
        {
            await _connection.ExecuteAsync("COMMIT").ConfigureAwait(false);
        }
        catch (Exception e) when (Database.IsFailure(e))
        {
            throw _database.Explain(e);
        }
    }

    public async ValueTask<ReadOnlyMemory<byte>?> GetAsync(ReadOnlyMemory<byte> key)
    {
        var found = new List<byte[]>(1);
        await ReadAsync(sql => Command(sql.Get, Changes.Parameter(key)), static (reader, found) => found.Add(reader.GetFieldValue<byte[]>(0)), found).ConfigureAwait(false);
        if (found.Count == 0)
            return null;
        return found[0];
    }

    public async ValueTask<IReadOnlyList<StorageEntry>> ScanAsync(KeyRange range, ScanDirection direction, int maxEntries)
    {
        var entries = new List<StorageEntry>();
        if (!range.IsEmpty)
        {
            await ReadAsync(
                sql => ScanOf(sql, range, direction, maxEntries),
                static (reader, entries) => entries.Add(new StorageEntry(reader.GetFieldValue<byte[]>(0), reader.GetFieldValue<byte[]>(1))), entries).ConfigureAwait(false);
        }
        return entries;
    }

    public async ValueTask ScanAsync(KeyRange range, ScanDirection direction, int maxEntries, EntryPage page)
    {
        if (!range.IsEmpty)
            await ReadAsync(sql => ScanOf(sql, range, direction, maxEntries), AddTo, page).ConfigureAwait(false);
    }

    public async ValueTask GetManyAsync(IReadOnlyList<ReadOnlyMemory<byte>> keys, EntryPage page)
    {
        if (keys.Count > 0)
            await ReadAsync(sql => Command(sql.GetMany, Changes.Parameter<ReadOnlyMemory<byte>[]>([.. keys])), AddTo, page).ConfigureAwait(false);
    }

    public void Dispose() => _connection.Dispose();

    static void AddTo(NpgsqlDataReader reader, EntryPage page) => page.Add(reader.GetFieldValue<byte[]>(0), reader.GetFieldValue<byte[]>(1));

    static NpgsqlBatchCommand ScanOf(Statements sql, KeyRange range, ScanDirection direction, int maxEntries)
    {
        NpgsqlBatchCommand command = Command(
            sql.Scan(direction, range.End is not null), Changes.Parameter(range.Start), Changes.Parameter(Math.Min(maxEntries, MaxPageEntries)));
        if (range.End is { } end)
            command.Parameters.Add(Changes.Parameter(end));
        return command;
    }

    static NpgsqlBatchCommand Command(string sql, params ReadOnlySpan<NpgsqlParameter> parameters)
    {
        var command = new NpgsqlBatchCommand(sql);
        foreach (NpgsqlParameter parameter in parameters)
            command.Parameters.Add(parameter);
        return command;
    }

    void UseTable(int table)
    {
        if (_statements?.Table != table)
            _statements = new Statements(_database.Schema, table);
    }

    /// <summary>Begins the transaction unless it has begun, and runs a query if there is one.</summary>
    async ValueTask ReadAsync<T>(Func<Statements, NpgsqlBatchCommand?> query, Action<NpgsqlDataReader, T> onRow, T result)
    {
        try
        {
            // A compaction may have changed the table since the reader was prepared.
            while (!await TryReadAsync(query, onRow, result).ConfigureAwait(false))
            {
            }
        }
        catch (Exception e) when (Database.IsFailure(e))
        {
            throw Lost(e);
        }
    }

    /// <summary>Returns false if the query has been made to a table that the transaction does not read.</summary>
    async ValueTask<bool> TryReadAsync<T>(Func<Statements, NpgsqlBatchCommand?> query, Action<NpgsqlDataReader, T> onRow, T result)
    {
        using var batch = new NpgsqlBatch(_connection);
        bool begins = !HasBegun;
        if (begins)
        {
            if (_isOpen)
                Changes.Add(batch, "COMMIT");
            Changes.Add(batch, "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY");
            Changes.Add(batch, $"SELECT epoch, commits, entries FROM {StoreFormat.StoreTable(_database.Schema)}");
        }
        int table = _statements!.Table;
        if (query(_statements) is { } command)
            batch.BatchCommands.Add(command);
        NpgsqlDataReader reader = await batch.ExecuteReaderAsync().ConfigureAwait(false);
        await using (reader.ConfigureAwait(false))
        {
            if (begins)
            {
                await reader.ReadAsync().ConfigureAwait(false);
                _isOpen = true;
                IsStale = reader.GetInt64(0) != _epoch || reader.GetInt64(1) < _leastCommits;
                if (IsStale)
                    throw new InvalidOperationException("The store has another owner, or has lost commits.");
                UseTable(reader.GetInt32(2));
                HasBegun = true;
                _table = _statements.Table;
                if (_table != table)
                    return false;
                await reader.NextResultAsync().ConfigureAwait(false);
            }
            while (await reader.ReadAsync().ConfigureAwait(false))
                onRow(reader, result);
        }
        return true;
    }

    StorageException Lost(Exception failure)
    {
        IsBroken = true;
        StorageException explained = _database.Explain(failure);
        return new StorageException(explained.Error, $"{explained.Message} The snapshot is lost. Open another one, and read again.", failure);
    }
}
