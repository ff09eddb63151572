using System.Data;
using Datacake.Storage;
using Npgsql;

namespace Datacake.PostgreSql;

/// <summary>
/// The session that writes a store, and its replacement after a break. A commit is one message to the server, with one answer. If the connection breaks before the
/// answer, the number of commits in the store tells whether the batch was applied. Not thread-safe, except where a member says so.
/// </summary>
sealed class Writer
{
    readonly Database _database;
    readonly PostgreSqlStorageOptions _options;
    readonly Ownership _ownership;
    readonly UnflushedBatches _unflushed = new();
    readonly string _flushed;               // The value of synchronous_commit for a flushed commit.
    NpgsqlConnection? _connection;          // null after a break
    Statements _statements;
    long _committed;                        // The number of acknowledged commits. Interlocked.
    bool _isInDoubt;                        // Another commit was sent, and its answer was lost.
    StorageException? _refusal;             // The reason why nothing can be written any more.
    volatile bool _mustRecover;

    Writer(Database database, PostgreSqlStorageOptions options, NpgsqlConnection connection, Ownership ownership, StoreState state, string flushed)
    {
        _database = database;
        _options = options;
        _connection = connection;
        _ownership = ownership;
        _committed = state.Commits;
        _statements = new Statements(database.Schema, state.Table);
        _flushed = flushed;
    }

    /// <summary>Gets whether <see cref="RecoverAsync()"/> must run before the store is read or written. Can be read by any thread.</summary>
    public bool MustRecover => _mustRecover;

    /// <summary>Makes the next caller recover, because a reader has found the store in another state than this process has left it. Can be called by any thread.</summary>
    public void Doubt() => _mustRecover = true;

    /// <summary>Gets the number of acknowledged commits. Can be read by any thread.</summary>
    public long Committed => Interlocked.Read(ref _committed);

    /// <summary>Gets the epoch of the owner. Can be read by any thread.</summary>
    public long Epoch => _ownership.Epoch;

    /// <summary>Gets the number of the table of entries.</summary>
    public int Table => _statements.Table;

    /// <summary>Opens a store, or creates it, and becomes its owner.</summary>
    public static async ValueTask<Writer> OpenAsync(Database database, PostgreSqlStorageOptions options)
    {
        NpgsqlConnection connection = await database.ConnectAsync().ConfigureAwait(false);
        try
        {
            await StoreFormat.PrepareAsync(connection, database).ConfigureAwait(false);
            var (ownership, state) = await Ownership.TakeAsync(connection, database, options).ConfigureAwait(false);
            await StoreFormat.DropUnusedAsync(connection, database, state.Table).ConfigureAwait(false);
            // The administrator may have chosen that commits wait for a standby, too.
            string configured = (string)(await connection.ReadAsync("SHOW synchronous_commit").ConfigureAwait(false))![0];
            return new Writer(database, options, connection, ownership, state, configured is "off" ? "on" : configured);
        }
        catch (Exception e)
        {
            await connection.DisposeAsync().ConfigureAwait(false);
            if (Database.IsFailure(e))
                throw database.Explain(e);
            throw;
        }
    }

    /// <summary>Commits a batch. If the connection is lost, finds out whether the batch was applied, and applies it if not.</summary>
    /// <exception cref="StorageException">The batch was not applied, unless the message says that its outcome is unknown.</exception>
    public async ValueTask CommitAsync(WriteBatch batch, Durability durability)
    {
        if (_mustRecover)
            await RecoverAsync().ConfigureAwait(false);
        ThrowIfRefused();
        var changes = Changes.Of(batch);
        CancellationTokenSource? deadline = null;
        try
        {
            while (!await TryCommitAsync(changes, durability).ConfigureAwait(false))
            {
                deadline ??= new CancellationTokenSource(_options.ReconnectTimeout);
                if (await RecoverAsync(deadline.Token).ConfigureAwait(false))
                    return;
            }
        }
        finally
        {
            deadline?.Dispose();
        }
    }

    /// <summary>Connects again if the connection is lost, and brings what this process knows of the store and what the server has into agreement.</summary>
    /// <exception cref="StorageException">The server cannot be reached, or the store has another owner or has lost acknowledged batches.</exception>
    public async ValueTask RecoverAsync()
    {
        if (!_mustRecover)
            return;
        using var deadline = new CancellationTokenSource(_options.ReconnectTimeout);
        await RecoverAsync(deadline.Token).ConfigureAwait(false);
    }

    /// <summary>Renews the lease, unless the connection is lost.</summary>
    public async ValueTask RenewAsync()
    {
        if (_connection is null || _refusal is not null)
            return;
        try
        {
            if (await _ownership.RenewAsync(_connection).ConfigureAwait(false) is { } log)
                _unflushed.Note(log.End, log.Flushed);
            else
                _mustRecover = true;
        }
        catch (Exception e) when (Database.IsFailure(e))
        {
            if (_connection.State != ConnectionState.Open)
                Disconnect();
        }
    }

    /// <summary>
    /// Moves the entries into a new table, in the order of their keys and without free space, and returns its number. Snapshots keep reading the table before.
    /// </summary>
    public async ValueTask<int> CompactAsync(CancellationToken cancellationToken)
    {
        if (_mustRecover)
            await RecoverAsync().ConfigureAwait(false);
        ThrowIfRefused();
        int table = Table + 1;
        string schema = _database.Schema;
        NpgsqlConnection connection = _connection!;
        try
        {
            using (var command = new NpgsqlCommand($"BEGIN; SET LOCAL enable_seqscan = on; {StoreFormat.CreateEntries(schema, table)}", connection) { CommandTimeout = 0 })
                await command.ExecuteNonQueryAsync(CancellationToken.None).ConfigureAwait(false);
            await RunAsync($"INSERT INTO {StoreFormat.EntriesTable(schema, table)} SELECT key, value FROM {StoreFormat.EntriesTable(schema, Table)} ORDER BY key").ConfigureAwait(false);
            await RunAsync(StoreFormat.CreateKey(schema, table)).ConfigureAwait(false);
            object[]? owned = await connection.ReadAsync(
                $"UPDATE {StoreFormat.StoreTable(schema)} SET entries = $3 WHERE epoch = $1 AND commits = $2 RETURNING set_config('synchronous_commit', $4, true)",
                Changes.Parameter(Epoch), Changes.Parameter(Committed), Changes.Parameter(table), Changes.Parameter(_flushed)).ConfigureAwait(false);
            _mustRecover |= owned is null;
            await connection.ExecuteAsync(owned is null ? "ROLLBACK" : "COMMIT").ConfigureAwait(false);
        }
        catch (Exception e) when (Database.IsFailure(e) || e is OperationCanceledException)
        {
            await connection.RollBackAsync().ConfigureAwait(false);
            if (connection.State != ConnectionState.Open)
                Disconnect();
            if (e is OperationCanceledException)
                throw;
            throw _database.Explain(e);
        }
        if (_mustRecover)
            await RecoverAsync().ConfigureAwait(false);
        _unflushed.Clear();
        _statements = new Statements(schema, table);
        return table;

        async ValueTask RunAsync(string sql)
        {
            using var command = new NpgsqlCommand(sql, connection) { CommandTimeout = 0 };
            await command.ExecuteNonQueryAsync(cancellationToken).ConfigureAwait(false);
        }
    }

    /// <summary>Drops the tables that compactions have left. The caller ensures that no snapshot reads them. Returns false if that failed.</summary>
    public async ValueTask<bool> TryDropUnusedAsync()
    {
        if (_connection is not { } connection || _refusal is not null)
            return false;
        try
        {
            await StoreFormat.DropUnusedAsync(connection, _database, Table).ConfigureAwait(false);
            return true;
        }
        catch (Exception e) when (Database.IsFailure(e))
        {
            if (connection.State != ConnectionState.Open)
                Disconnect();
            return false;
        }
    }

    /// <summary>Gives the store up and closes the connection.</summary>
    public async ValueTask CloseAsync()
    {
        if (_connection is not { } connection)
            return;
        try
        {
            if (_refusal is null)
                await _ownership.ReleaseAsync(connection).ConfigureAwait(false);
        }
        catch (Exception e) when (Database.IsFailure(e))
        {
            // The session ends anyway, and with it the ownership.
        }
        Disconnect();
    }

    /// <summary>Sends a batch. Returns false if the outcome is unknown, or the store is not as this process has left it.</summary>
    async ValueTask<bool> TryCommitAsync(Changes changes, Durability durability)
    {
        NpgsqlConnection connection = _connection!;
        bool mustFlush = durability == Durability.Flushed || _unflushed.IsFull;
        long number = Committed + 1;
        bool isOwner = false;
        using var batch = new NpgsqlBatch(connection);
        Changes.Add(batch, _statements.Commit, _ownership.ParametersOfCommit(number, mustFlush ? _flushed : "off"));
        changes.AddTo(batch, _statements, Epoch, number);
        try
        {
            // Without an explicit one, all statements are one transaction, which is committed when the server has read all of them.
            NpgsqlDataReader reader = await batch.ExecuteReaderAsync(CancellationToken.None).ConfigureAwait(false);
            await using (reader.ConfigureAwait(false))
            {
                if (await reader.ReadAsync(CancellationToken.None).ConfigureAwait(false))
                {
                    isOwner = true;
                    _unflushed.Note(reader.GetInt64(1), reader.GetInt64(2));
                }
                while (await reader.NextResultAsync(CancellationToken.None).ConfigureAwait(false))
                {
                }
            }
        }
        catch (Exception e) when (Database.IsFailure(e))
        {
            if (connection.State != ConnectionState.Open)
                Disconnect();
            if (Database.IsAnswer(e))
                throw _database.Explain(e);
            Disconnect();
            _isInDoubt = true;
            return false;
        }
        if (!isOwner)
        {
            _mustRecover = true;
            return false;
        }
        Interlocked.Exchange(ref _committed, number);
        if (mustFlush)
            _unflushed.Clear();
        else
            _unflushed.Add(number, changes.Copy());
        return true;
    }

    /// <summary>Returns true if the commit in doubt was applied.</summary>
    async ValueTask<bool> RecoverAsync(CancellationToken deadline)
    {
        ThrowIfRefused();
        try
        {
            return await Database.RetryAsync(TryRecoverAsync, deadline).ConfigureAwait(false);
        }
        catch (StorageException e) when (_isInDoubt && _refusal is null)
        {
            throw new StorageException(
                e.Error,
                $"The connection was lost during a commit, whose outcome is unknown until the server can be reached: before anything else is read or written, the store finds "
                    + $"out whether the batch was applied. {e.Message}",
                e);
        }
    }

    async ValueTask<bool> TryRecoverAsync()
    {
        NpgsqlConnection connection = _connection ?? await _database.ConnectAsync().ConfigureAwait(false);
        _connection = connection;
        try
        {
            StoreState state = await _ownership.ReturnAsync(connection).ConfigureAwait(false);
            bool isApplied = _isInDoubt && state.Commits == Committed + 1;
            if (state.Commits < Committed)
                await CommitAgainAsync(connection, state).ConfigureAwait(false);
            else if (state.Commits > Committed && !isApplied)
                throw Refuse(StorageError.Failed, $"has {state.Commits - Committed} commits that this process has not made", "Another program has changed its tables. Open the store again");
            await connection.ExecuteAsync($"SET LOCAL synchronous_commit = {_flushed}; COMMIT").ConfigureAwait(false);
            if (isApplied)
                Interlocked.Increment(ref _committed);
            _unflushed.Clear();
            _isInDoubt = false;
            _mustRecover = false;
            if (_statements.Table != state.Table)
                _statements = new Statements(_database.Schema, state.Table);
            return isApplied;
        }
        catch (Exception e) when (Database.IsFailure(e))
        {
            Disconnect();
            throw _database.Explain(e);
        }
        catch (StorageException e)
        {
            // It is for good: another owner, or acknowledged batches that are gone.
            _refusal ??= e;
            Disconnect();
            throw;
        }
    }

    /// <summary>Commits the batches again that the server has lost in a crash.</summary>
    async ValueTask CommitAgainAsync(NpgsqlConnection connection, StoreState state)
    {
        long lost = Committed - state.Commits;
        if (_unflushed.After(state.Commits) is not { } batches)
        {
            await Ownership.MarkAsRestoredAsync(connection, _database, state.Table).ConfigureAwait(false);
            await connection.ExecuteAsync($"SET LOCAL synchronous_commit = {_flushed}; COMMIT").ConfigureAwait(false);
            throw Refuse(
                StorageError.Failed,
                $"has lost {lost} acknowledged commits, some of them flushed: it was restored from a backup, or failed over to a standby that was behind",
                "The store was marked as restored. Open it again");
        }
        var statements = new Statements(_database.Schema, state.Table);
        await connection.ExecuteAsync($"UPDATE {StoreFormat.StoreTable(_database.Schema)} SET commits = $1", Changes.Parameter(Committed)).ConfigureAwait(false);
        foreach (Changes changes in batches)
        {
            using var batch = new NpgsqlBatch(connection);
            changes.AddTo(batch, statements, Epoch, Committed);
            if (batch.BatchCommands.Count > 0)
                await batch.ExecuteNonQueryAsync(CancellationToken.None).ConfigureAwait(false);
        }
    }

    void ThrowIfRefused()
    {
        if (_refusal is { } refusal)
            throw new StorageException(refusal.Error, refusal.Message, refusal);
    }

    StorageException Refuse(StorageError error, string reason, string remedy) =>
        _refusal = new StorageException(error, $"The {_database.Description} {reason}. {remedy}.");

    void Disconnect()
    {
        _mustRecover = true;
        _connection?.Dispose();
        _connection = null;
    }
}
