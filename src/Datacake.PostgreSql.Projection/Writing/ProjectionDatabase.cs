using System.IO.Hashing;
using System.Text;
using Npgsql;

namespace Datacake.PostgreSql.Projection.Writing;

/// <summary>The connections for the table of a keyspace. Their application name says so, and ends those of a former owner of the table.</summary>
sealed class ProjectionDatabase : IAsyncDisposable
{
    // Joins find the rows of a batch by the primary key: the temporary tables have no statistics. A lock that a report holds, or a session that was suspended, does not stop the table forever.
    const string SessionSettings =
        "-c jit=off -c enable_hashjoin=off -c enable_mergejoin=off -c lock_timeout=10s -c idle_in_transaction_session_timeout=60s -c statement_timeout=0 "
            + "-c tcp_keepalives_idle=30 -c tcp_keepalives_interval=5 -c tcp_keepalives_count=4";

    const int PreparedStatements = 32;

    readonly NpgsqlDataSource _source;

    /// <exception cref="ArgumentException">The connection string is malformed. The message does not contain it.</exception>
    public ProjectionDatabase(string connectionString, string projection, string schema, string keyspace)
    {
        NpgsqlConnectionStringBuilder settings;
        try
        {
            settings = new NpgsqlConnectionStringBuilder(connectionString);
        }
        catch (Exception e) when (e is ArgumentException or FormatException or InvalidCastException)
        {
            // The message of an unknown name can contain a part of a password with a semicolon in it.
            throw new ArgumentException(
                "The connection string is not one of Npgsql. Write it as Host=…;Database=…;Username=…;Password=…, and put a value that contains a semicolon in quotation marks.", nameof(connectionString));
        }
        settings.ApplicationName = ApplicationNameOf(projection, schema, keyspace);
        settings.Pooling = false;
        settings.Enlist = false;
        settings.Multiplexing = false;
        settings.MaxAutoPrepare = PreparedStatements;
        settings.AutoPrepareMinUsages = 2;
        settings.Options = settings.Options is { Length: > 0 } own ? $"{SessionSettings} {own}" : SessionSettings;
        var builder = new NpgsqlSlimDataSourceBuilder(settings.ConnectionString);
        builder.EnableTransportSecurity();
        builder.EnableIntegratedSecurity();
        builder.EnableJsonTypes();
        _source = builder.Build();
    }

    /// <summary>Returns the application name of the sessions that write the table of a keyspace. A name has at most 63 bytes, so it has a hash.</summary>
    public static string ApplicationNameOf(string projection, string schema, string keyspace) =>
        $"Datacake.Projection.{XxHash64.HashToUInt64(Encoding.UTF8.GetBytes($"{schema}\0{projection}\0{keyspace}")):x16}";

    public ValueTask<NpgsqlConnection> ConnectAsync(CancellationToken cancellationToken) => _source.OpenConnectionAsync(cancellationToken);

    public ValueTask DisposeAsync() => _source.DisposeAsync();
}
