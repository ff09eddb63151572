using System.Globalization;
using Datacake.Storage;
using Npgsql;

namespace Datacake.PostgreSql;

/// <summary>
/// The ownership of a store. Each owner has a number of its own, the epoch, which every commit checks in its transaction. While the owner's session
/// lives, it holds an advisory lock for its epoch, and it renews a lease: the lock tells at once that a process has ended, and the lease that one is paused.
/// </summary>
sealed class Ownership
{
    static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(25);
    static readonly TimeSpan LockTimeout = TimeSpan.FromSeconds(5);

    readonly Database _database;
    readonly TimeSpan _lease;
    readonly long _epoch;
    Session _session;           // Of the owner's last connection.

    Ownership(Database database, TimeSpan lease, long epoch, Session session)
    {
        _database = database;
        _lease = lease;
        _epoch = epoch;
        _session = session;
    }

    public long Epoch => _epoch;

    /// <summary>Becomes the owner of a store, whose tables exist.</summary>
    /// <param name="connection">The session of the owner.</param>
    /// <param name="database">The database.</param>
    /// <param name="options">The options of the store.</param>
    /// <returns>The ownership, and the state of the store.</returns>
    /// <exception cref="StorageException">The store has an owner that is alive.</exception>
    public static async ValueTask<(Ownership Ownership, StoreState State)> TakeAsync(
        NpgsqlConnection connection, Database database, PostgreSqlStorageOptions options)
    {
        using var deadline = new CancellationTokenSource(options.OwnerTimeout);
        while (true)
        {
            Present present = await ReadAsync(connection, database, "").ConfigureAwait(false);
            bool isAlive = present.Owner is not null && await HasSessionAsync(connection, present.Lock).ConfigureAwait(false);
            // After a restart of the server, no session is left, although the owner may be about to connect again.
            bool mayReturn = present.Owner is not null && present.IsLeased && present.IsServerNewer;
            if (isAlive && present.IsLeased && deadline.IsCancellationRequested)
            {
                throw new StorageException(
                    StorageError.AlreadyOpen,
                    $"The {database.Description} is already open: {present.Owner} has owned it since {present.Since}. A store can have only one owner. "
                        + $"Close the other one first. If that process is paused, retry when its lease has ended, in {present.LeaseSeconds} seconds.");
            }
            if ((isAlive && present.IsLeased) || mayReturn)
            {
                await Task.Delay(Pause).ConfigureAwait(false);
                continue;
            }
            if (isAlive)
                await EndSessionAsync(connection, present.Session).ConfigureAwait(false);
            var ownership = new Ownership(database, options.LeaseDuration, present.Epoch + 1, present.Own);
            if (await ownership.TryTakeAsync(connection, present, isAlive).ConfigureAwait(false))
                return (ownership, new StoreState(present.Commits, present.Table));
        }
    }

    /// <summary>Returns the name of the owner whose session lives, or null if there is none.</summary>
    public static async ValueTask<string?> OwnerAsync(NpgsqlConnection connection, Database database)
    {
        Present present = await ReadAsync(connection, database, "").ConfigureAwait(false);
        return present.Owner is not null && await HasSessionAsync(connection, present.Lock).ConfigureAwait(false) ? present.Owner : null;
    }

    /// <summary>
    /// Reads the state of the store after the owner's session has ended. Returns with an open transaction, which has the lock of the store:
    /// every transaction of the former session is then committed or rolled back. Nothing is written that needs room, so that this succeeds on a full disk.
    /// </summary>
    /// <exception cref="StorageException">Another process has taken the store over.</exception>
    public async ValueTask<StoreState> ReturnAsync(NpgsqlConnection connection)
    {
        await EndSessionAsync(connection, _session).ConfigureAwait(false);
        await connection.ExecuteAsync(string.Create(CultureInfo.InvariantCulture, $"BEGIN; SET LOCAL lock_timeout = {LockTimeout.TotalMilliseconds}")).ConfigureAwait(false);
        Present present = await ReadAsync(connection, _database, "FOR UPDATE").ConfigureAwait(false);
        ThrowIfTakenOver(present);
        await connection.ExecuteAsync("SELECT pg_advisory_lock($1)", Changes.Parameter(present.Lock)).ConfigureAwait(false);
        _session = present.Own;
        return new StoreState(present.Commits, present.Table);
    }

    /// <summary>Returns the parameters of <see cref="Statements.Commit"/>.</summary>
    public NpgsqlParameter[] ParametersOfCommit(long number, string synchronousCommit) =>
        [Changes.Parameter(_epoch), Changes.Parameter(number), Changes.Parameter(_lease), Changes.Parameter(synchronousCommit)];

    /// <summary>Renews the lease, and returns the positions of the server's log, or null if another process has taken the store over.</summary>
    public async ValueTask<(long End, long Flushed)?> RenewAsync(NpgsqlConnection connection)
    {
        object[]? row = await connection.ReadAsync(
            $"""
            UPDATE {StoreFormat.StoreTable(_database.Schema)} SET lease_ends = clock_timestamp() + $2, backend = $3, backend_started = $4, origin = {Origin(_database)}
            WHERE epoch = $1
            RETURNING set_config('synchronous_commit', 'off', true), {Statements.LogPositions}
            """,
            Changes.Parameter(_epoch), Changes.Parameter(_lease), Changes.Parameter(_session.Backend), Changes.Parameter(_session.Started)).ConfigureAwait(false);
        return row is null ? null : ((long)row[1], (long)row[2]);
    }

    /// <summary>Gives the store up, so that the next opener need not wait.</summary>
    public ValueTask ReleaseAsync(NpgsqlConnection connection) => connection.ExecuteAsync(
        $"UPDATE {StoreFormat.StoreTable(_database.Schema)} SET owner = NULL, lease_ends = NULL, backend = NULL, backend_started = NULL WHERE epoch = $1",
        Changes.Parameter(_epoch));

    async ValueTask<bool> TryTakeAsync(NpgsqlConnection connection, Present expected, bool isAlive)
    {
        await connection.ExecuteAsync("BEGIN").ConfigureAwait(false);
        try
        {
            Present present = await ReadAsync(connection, _database, "FOR UPDATE").ConfigureAwait(false);
            // Another opener may have been faster, or a paused owner may have continued.
            if (present.Epoch != expected.Epoch || present.Commits != expected.Commits || (isAlive && present.IsLeased))
            {
                await connection.ExecuteAsync("ROLLBACK").ConfigureAwait(false);
                return false;
            }
            await connection.ExecuteAsync(
                $"""
                UPDATE {StoreFormat.StoreTable(_database.Schema)}
                SET epoch = $1, owner = $2, owner_since = clock_timestamp(), lease_ends = clock_timestamp() + $3, origin = $4,
                    backend = $5, backend_started = $6
                """,
                Changes.Parameter(_epoch), Changes.Parameter($"process {Environment.ProcessId} on {Environment.MachineName}"), Changes.Parameter(_lease),
                Changes.Parameter(present.Origin), Changes.Parameter(_session.Backend), Changes.Parameter(_session.Started)).ConfigureAwait(false);
            await connection.ExecuteAsync("SELECT pg_advisory_lock($1)", Changes.Parameter(present.NextLock)).ConfigureAwait(false);
            if (present.StoredOrigin is not null && present.StoredOrigin != present.Origin)
                await MarkAsRestoredAsync(connection, _database, present.Table).ConfigureAwait(false);
            await connection.ExecuteAsync("COMMIT").ConfigureAwait(false);
            return true;
        }
        catch
        {
            await connection.RollBackAsync().ConfigureAwait(false);
            throw;
        }
    }

    /// <summary>Puts the mark of a restored store, as part of a transaction.</summary>
    public static ValueTask MarkAsRestoredAsync(NpgsqlConnection connection, Database database, int table) => connection.ExecuteAsync(
        $"INSERT INTO {StoreFormat.EntriesTable(database.Schema, table)} (key, value) VALUES ($1, '') ON CONFLICT (key) DO UPDATE SET value = ''",
        Changes.Parameter(RestoreMark.Key));

    void ThrowIfTakenOver(Present present)
    {
        if (present.Epoch == _epoch)
            return;
        string owner = present.Owner is null ? "another process, which has closed it since" : $"{present.Owner} at {present.Since}";
        throw new StorageException(
            StorageError.AlreadyOpen,
            $"The {_database.Description} was taken over by {owner}, because this process had not renewed its lease of {_lease.TotalSeconds} seconds, or had lost its connection. "
                + "Nothing is written any longer. Stop one of the two processes; if this one is to continue, open the store again after the other has closed it.");
    }

    /// <summary>Returns whether the session that owns a lock lives.</summary>
    static async ValueTask<bool> HasSessionAsync(NpgsqlConnection connection, long key)
    {
        object[]? row = await connection.ReadAsync("SELECT pg_try_advisory_lock($1) AND pg_advisory_unlock($1)", Changes.Parameter(key)).ConfigureAwait(false);
        return row is not [true];
    }

    /// <summary>Ends the session of a former owner, which may hold the lock of the store in a transaction that it cannot complete.</summary>
    static async ValueTask EndSessionAsync(NpgsqlConnection connection, Session session)
    {
        try
        {
            await connection.ExecuteAsync(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid = $1 AND backend_start = $2 AND pid <> pg_backend_pid()",
                Changes.Parameter(session.Backend), Changes.Parameter(session.Started)).ConfigureAwait(false);
        }
        catch (PostgresException e) when (e.SqlState == PostgresErrorCodes.InsufficientPrivilege)
        {
            // The session of another user ends when the server notices that its client is gone.
        }
    }

    static async ValueTask<Present> ReadAsync(NpgsqlConnection connection, Database database, string locking)
    {
        string table = StoreFormat.StoreTable(database.Schema);
        object[]? row = await connection.ReadAsync($"""
            SELECT epoch, commits, entries, owner, to_char(owner_since AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI:SS "UTC"'), coalesce(lease_ends > clock_timestamp(), false),
                coalesce(ceil(extract(epoch FROM lease_ends - clock_timestamp())), 0)::int8,
                coalesce(pg_postmaster_start_time() > backend_started, false), coalesce(backend, 0), coalesce(backend_started, to_timestamp(0)),
                pg_backend_pid(), (SELECT backend_start FROM pg_stat_activity WHERE pid = pg_backend_pid()),
                hashtextextended('datacake ' || {Id(database)} || ' ' || epoch, 0), hashtextextended('datacake ' || {Id(database)} || ' ' || (epoch + 1), 0),
                origin, {Origin(database)}
            FROM {table} {locking}
            """).ConfigureAwait(false);
        if (row is null)
            throw new StorageException(StorageError.Corrupt, $"The {database.Description} is damaged: the table {table} has no row.");
        return new Present(
            (long)row[0], (long)row[1], (int)row[2], row[3] as string, row[4] as string ?? "", (bool)row[5], (long)row[6], (bool)row[7],
            new Session((int)row[8], (DateTime)row[9]), new Session((int)row[10], (DateTime)row[11]), (long)row[12], (long)row[13], row[14] as string, (string)row[15]);
    }

    /// <summary>Returns the SQL of the identity of the store's table.</summary>
    static string Id(Database database) => $"'{StoreFormat.StoreTable(database.Schema).Replace("'", "''", StringComparison.Ordinal)}'::regclass::oid::text";

    /// <summary>
    /// Returns the SQL of the place where the data come from. It changes with the cluster of databases (another one has another identifier), the timeline of its log
    /// (each recovery up to some point and each failover begins a new one), the database, and the table (a restored one is another).
    /// </summary>
    static string Origin(Database database) => $"""
        CASE WHEN pg_is_in_recovery() THEN '' ELSE
            (SELECT system_identifier FROM pg_control_system()) || '/' || left(pg_walfile_name(pg_current_wal_lsn()), 8) || '/'
                || (SELECT oid FROM pg_database WHERE datname = current_database()) || '/' || {Id(database)}
        END
        """;

    /// <summary>The row of a store, and what the server knows of its owner.</summary>
    sealed record Present(
        long Epoch, long Commits, int Table, string? Owner, string Since, bool IsLeased, long LeaseSeconds, bool IsServerNewer, Session Session, Session Own,
        long Lock, long NextLock, string? StoredOrigin, string Origin);

    /// <summary>A session of the server. Its number alone can be that of a later one.</summary>
    readonly record struct Session(int Backend, DateTime Started);
}

/// <summary>The number of commits of a store, and the number of its table of entries.</summary>
readonly record struct StoreState(long Commits, int Table);
