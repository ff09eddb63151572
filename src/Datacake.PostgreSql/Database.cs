using System.Net.Sockets;
using Datacake.Storage;
using Npgsql;

namespace Datacake.PostgreSql;

/// <summary>The connections to the database of a store, and the explanation of its errors. Thread-safe.</summary>
sealed class Database : IDisposable
{
    const int PreparedStatements = 32;

    // Every statement of a store finds its rows by the primary key, so that the plans need no statistics, which a new table does not have. A server that has lost a
    // client ends its session, and with it what the session has locked, within a minute.
    const string SessionSettings =
        "-c jit=off -c enable_seqscan=off -c enable_bitmapscan=off -c plan_cache_mode=force_generic_plan -c idle_in_transaction_session_timeout=0 "
            + "-c statement_timeout=0 -c tcp_keepalives_idle=30 -c tcp_keepalives_interval=5 -c tcp_keepalives_count=4";

    static readonly TimeSpan FirstPause = TimeSpan.FromMilliseconds(20), LongestPause = TimeSpan.FromSeconds(1);

    readonly NpgsqlDataSource _source;

    public Database(string connectionString, PostgreSqlStorageOptions options)
    {
        NpgsqlConnectionStringBuilder settings = Parse(connectionString);
        Description = $"PostgreSQL schema '{options.Schema}' of database '{settings.Database ?? settings.Username}' at {Address(settings)}";
        Schema = Quote(options.Schema);
        SchemaName = options.Schema;
        settings.ApplicationName ??= "Datacake";
        // The store keeps its connections itself: each is a session with a transaction or a lock.
        settings.Pooling = false;
        settings.CommandTimeout = (int)Math.Ceiling(options.CommandTimeout.TotalSeconds);
        settings.MaxAutoPrepare = PreparedStatements;
        settings.AutoPrepareMinUsages = 2;
        settings.Enlist = false;
        settings.Multiplexing = false;
        settings.Options = settings.Options is { Length: > 0 } own ? $"{SessionSettings} {own}" : SessionSettings;
        var builder = new NpgsqlSlimDataSourceBuilder(settings.ConnectionString);
        builder.EnableArrays();
        builder.EnableTransportSecurity();
        builder.EnableIntegratedSecurity();
        _source = builder.Build();
    }

    /// <summary>Gets the description of the store for messages: schema, database and host, without the user and the password.</summary>
    public string Description { get; }

    /// <summary>Gets the name of the schema, quoted for SQL.</summary>
    public string Schema { get; }

    /// <summary>Gets the name of the schema.</summary>
    public string SchemaName { get; }

    /// <summary>Parses a connection string.</summary>
    /// <exception cref="ArgumentException">It is malformed, or names no host. The message does not contain it.</exception>
    public static NpgsqlConnectionStringBuilder Parse(string connectionString)
    {
        ArgumentException.ThrowIfNullOrWhiteSpace(connectionString);
        NpgsqlConnectionStringBuilder settings;
        try
        {
            settings = new NpgsqlConnectionStringBuilder(connectionString);
        }
        catch (Exception e) when (e is ArgumentException or FormatException or InvalidCastException)
        {
            // The message of an unknown name can contain a part of a password with a semicolon in it.
            throw new ArgumentException(
                "The connection string is not one of Npgsql. Write it as Host=…;Database=…;Username=…;Password=…, and put a value that contains a semicolon in quotation marks.",
                nameof(connectionString));
        }
        if (string.IsNullOrWhiteSpace(settings.Host))
            throw new ArgumentException("The connection string names no host. Add Host=….", nameof(connectionString));
        return settings;
    }

    /// <summary>Returns a name quoted for SQL.</summary>
    public static string Quote(string name) => $"\"{name.Replace("\"", "\"\"", StringComparison.Ordinal)}\"";

    /// <summary>Opens a connection.</summary>
    /// <exception cref="StorageException">The server cannot be reached or refuses the connection.</exception>
    public async ValueTask<NpgsqlConnection> ConnectAsync(CancellationToken cancellationToken = default)
    {
        try
        {
            return await _source.OpenConnectionAsync(cancellationToken).ConfigureAwait(false);
        }
        catch (Exception e) when (IsFailure(e))
        {
            throw Explain(e);
        }
    }

    /// <summary>Runs an operation that needs a connection, again and again while the server cannot be reached, until the deadline has passed.</summary>
    public static async ValueTask<T> RetryAsync<T>(Func<ValueTask<T>> operation, CancellationToken deadline)
    {
        TimeSpan pause = FirstPause;
        while (true)
        {
            try
            {
                return await operation().ConfigureAwait(false);
            }
            catch (StorageException e) when (IsTransient(e.InnerException) && !deadline.IsCancellationRequested)
            {
                await Task.Delay(pause, deadline).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
                pause = pause * 2 < LongestPause ? pause * 2 : LongestPause;
            }
        }
    }

    /// <summary>Returns true if an exception is one of the database, the network or Npgsql.</summary>
    public static bool IsFailure(Exception exception) =>
        exception is NpgsqlException or IOException or SocketException or TimeoutException or InvalidOperationException and not ObjectDisposedException;

    /// <summary>Returns true if an error can be gone when the server has started, or has room for another connection.</summary>
    public static bool IsTransient(Exception? exception) => exception switch
    {
        PostgresException { SqlState: var state } => state.StartsWith("08", StringComparison.Ordinal) || state.StartsWith("57P", StringComparison.Ordinal)
            || state is PostgresErrorCodes.TooManyConnections or PostgresErrorCodes.LockNotAvailable,
        NpgsqlException { IsTransient: true } => true,
        NpgsqlException { InnerException: IOException or SocketException or TimeoutException } => true,
        InvalidOperationException => true,     // The connection broke before the call.
        IOException or SocketException or TimeoutException => true,
        _ => false,
    };

    /// <summary>
    /// Returns true if an exception is the server's answer that it has rolled the transaction back. Npgsql closes the connection after some of these answers, such as
    /// that of a full disk.
    /// </summary>
    public static bool IsAnswer(Exception exception) => exception is PostgresException { InvariantSeverity: "ERROR" };

    /// <summary>Returns the exception that tells of a failure.</summary>
    public StorageException Explain(Exception failure)
    {
        if (failure is StorageException explained)
            return explained;
        var (error, remedy) = failure is PostgresException { SqlState: var state } ? RemedyFor(state)
            : IsTransient(failure) ? (StorageError.Failed, "Check that the server runs, and that this machine reaches it.")
            : (StorageError.Failed, "");
        string message = failure is PostgresException answer ? $"{answer.MessageText} (SQLSTATE {answer.SqlState})" : Innermost(failure).Message;
        string start = error == StorageError.Full ? $"The disk of the {Description} is full: " : $"The {Description} failed: ";
        return new StorageException(error, $"{start}{message.TrimEnd('.')}. {remedy}".TrimEnd(), failure);
    }

    public void Dispose() => _source.Dispose();

    static (StorageError Error, string Remedy) RemedyFor(string state) => state switch
    {
        PostgresErrorCodes.DiskFull => (StorageError.Full, "Data committed earlier is intact. Free some space on the server and retry."),
        PostgresErrorCodes.InvalidPassword or PostgresErrorCodes.InvalidAuthorizationSpecification => (StorageError.Inaccessible, "Check the user and the password in the connection string."),
        PostgresErrorCodes.InvalidCatalogName => (StorageError.Inaccessible, "Create the database, or name another one in the connection string."),
        PostgresErrorCodes.InsufficientPrivilege => (StorageError.Inaccessible, "Grant the user CREATE on the database, or create the schema with this user as its owner."),
        PostgresErrorCodes.ReadOnlySqlTransaction => (StorageError.Inaccessible, "The server is a standby or read-only. Connect to the primary server."),
        PostgresErrorCodes.TooManyConnections => (StorageError.Failed, "Increase max_connections of the server, or decrease MaxSnapshots."),
        PostgresErrorCodes.DataCorrupted or PostgresErrorCodes.IndexCorrupted => (StorageError.Corrupt, "Restore the database from a backup, or start with an empty schema, which the other nodes refill (set TakeOverNodeId)."),
        PostgresErrorCodes.LockNotAvailable => (StorageError.Failed, "Another session has locked the tables of the store. End it, and retry."),
        _ => (StorageError.Failed, ""),
    };

    static Exception Innermost(Exception failure)
    {
        while (failure.InnerException is { } inner)
            failure = inner;
        return failure;
    }

    static string Address(NpgsqlConnectionStringBuilder settings) =>
        settings.Host!.Contains(',', StringComparison.Ordinal) || settings.Host.Contains('/', StringComparison.Ordinal) ? settings.Host : $"{settings.Host}:{settings.Port}";
}
