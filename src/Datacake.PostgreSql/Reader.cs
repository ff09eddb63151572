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
    volatile int _table;

    public Reader(Database database, NpgsqlConnection connection)
    {
        _database = database;
        _connection = connection;
    }

    /// <summary>Gets the moment that the current transaction sees, or null if there is none.</summary>
    public long? Moment { get; private set; }

    /// <summary>Gets whether a read has failed, and with it the transaction. What it saw can only be read on another connection, at the same moment.</summary>
    public bool IsBroken { get; private set; }

    /// <summary>Gets the epoch of the owner that the current transaction sees.</summary>
    public long Epoch { get; private set; }

    /// <summary>Gets the number of commits that the current transaction sees.</summary>
    public long Commits { get; private set; }

    /// <summary>Gets the number of the table that the current transaction reads, or 0 if it is not known. Can be read by any thread.</summary>
    public int Table => _table;

    /// <summary>Begins a transaction, after the previous one has ended. This also fixes what the transaction sees.</summary>
    public async ValueTask BeginAsync(long moment)
    {
        try
        {
            using var batch = new NpgsqlBatch(_connection);
            if (Moment is not null)
                Changes.Add(batch, "COMMIT");
            Moment = null;
            _table = 0;
            Changes.Add(batch, "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY");
            Changes.Add(batch, $"SELECT epoch, commits, entries FROM {StoreFormat.StoreTable(_database.Schema)}");
            NpgsqlDataReader reader = await batch.ExecuteReaderAsync().ConfigureAwait(false);
            await using (reader.ConfigureAwait(false))
            {
                await reader.ReadAsync().ConfigureAwait(false);
                Epoch = reader.GetInt64(0);
                Commits = reader.GetInt64(1);
                int table = reader.GetInt32(2);
                if (_statements?.Table != table)
                    _statements = new Statements(_database.Schema, table);
                _table = table;
            }
            Moment = moment;
        }
        catch (Exception e) when (Database.IsFailure(e))
        {
            throw _database.Explain(e);
        }
    }

    /// <summary>Ends the transaction, so that the server no longer keeps what it sees.</summary>
    public async ValueTask EndAsync()
    {
        if (Moment is null)
            return;
        Moment = null;
        _table = 0;
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
        try
        {
            using NpgsqlCommand command = Create(_statements!.Get, Changes.Parameter(key));
            NpgsqlDataReader reader = await command.ExecuteReaderAsync().ConfigureAwait(false);
            await using (reader.ConfigureAwait(false))
            {
                if (!await reader.ReadAsync().ConfigureAwait(false))
                    return null;
                return reader.GetFieldValue<byte[]>(0);
            }
        }
        catch (Exception e) when (Database.IsFailure(e))
        {
            throw Lost(e);
        }
    }

    public async ValueTask<IReadOnlyList<StorageEntry>> ScanAsync(KeyRange range, ScanDirection direction, int maxEntries)
    {
        var entries = new List<StorageEntry>();
        if (!range.IsEmpty)
        {
            await ReadAsync(
                ScanOf(range, direction, maxEntries), reader => entries.Add(new StorageEntry(reader.GetFieldValue<byte[]>(0), reader.GetFieldValue<byte[]>(1)))).ConfigureAwait(false);
        }
        return entries;
    }

    public async ValueTask ScanAsync(KeyRange range, ScanDirection direction, int maxEntries, EntryPage page)
    {
        if (!range.IsEmpty)
            await ReadAsync(ScanOf(range, direction, maxEntries), reader => page.Add(reader.GetFieldValue<byte[]>(0), reader.GetFieldValue<byte[]>(1))).ConfigureAwait(false);
    }

    public ValueTask GetManyAsync(IReadOnlyList<ReadOnlyMemory<byte>> keys, EntryPage page) => ReadAsync(
        Create(_statements!.GetMany, Changes.Parameter<ReadOnlyMemory<byte>[]>([.. keys])),
        reader => page.Add(reader.GetFieldValue<byte[]>(0), reader.GetFieldValue<byte[]>(1)));

    public void Dispose() => _connection.Dispose();

    NpgsqlCommand ScanOf(KeyRange range, ScanDirection direction, int maxEntries)
    {
        NpgsqlCommand command = Create(
            _statements!.Scan(direction, range.End is not null), Changes.Parameter(range.Start), Changes.Parameter(Math.Min(maxEntries, MaxPageEntries)));
        if (range.End is { } end)
            command.Parameters.Add(Changes.Parameter(end));
        return command;
    }

    NpgsqlCommand Create(string sql, params ReadOnlySpan<NpgsqlParameter> parameters)
    {
        var command = new NpgsqlCommand(sql, _connection);
        foreach (NpgsqlParameter parameter in parameters)
            command.Parameters.Add(parameter);
        return command;
    }

    async ValueTask ReadAsync(NpgsqlCommand command, Action<NpgsqlDataReader> onRow)
    {
        try
        {
            using (command)
            {
                NpgsqlDataReader reader = await command.ExecuteReaderAsync().ConfigureAwait(false);
                await using (reader.ConfigureAwait(false))
                {
                    while (await reader.ReadAsync().ConfigureAwait(false))
                        onRow(reader);
                }
            }
        }
        catch (Exception e) when (Database.IsFailure(e))
        {
            throw Lost(e);
        }
    }

    StorageException Lost(Exception failure)
    {
        IsBroken = true;
        StorageException explained = _database.Explain(failure);
        return new StorageException(explained.Error, $"{explained.Message} The snapshot is lost. Open another one, and read again.", failure);
    }
}
