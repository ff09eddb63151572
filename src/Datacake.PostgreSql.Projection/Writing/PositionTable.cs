using System.Globalization;
using Datacake.EventualConsistency;
using Datacake.PostgreSql.Projection.Tables;
using Npgsql;

namespace Datacake.PostgreSql.Projection.Writing;

/// <summary>The row of a projected keyspace in the table <c>datacake_projection</c>: how far the table of the keyspace is, and which term of the projection may write it.</summary>
/// <param name="schema">The schema.</param>
/// <param name="projection">The name of the projection.</param>
/// <param name="keyspace">The name of the keyspace.</param>
sealed class PositionTable(string schema, string projection, string keyspace)
{
    const string Name = "datacake_projection";

    // One transaction at a time creates tables, because the server does not serialize CREATE … IF NOT EXISTS.
    const long CreationLock = 0x64617461_63616b65;

    readonly string _table = $"{SqlName.Quote(schema)}.{Name}";

    /// <summary>Creates the schema and the table if they are missing. Other projections wait until the transaction ends.</summary>
    public async Task CreateAsync(NpgsqlConnection connection, CancellationToken cancellationToken)
    {
        await connection.ExecuteAsync($"SELECT pg_advisory_xact_lock({CreationLock})", cancellationToken).ConfigureAwait(false);
        // CREATE SCHEMA IF NOT EXISTS needs the right to create schemas although the schema exists.
        if ((await connection.QueryAsync("SELECT 1 FROM pg_namespace WHERE nspname = $1", cancellationToken, new NpgsqlParameter { Value = schema }).ConfigureAwait(false)).Count == 0)
            await connection.ExecuteAsync($"CREATE SCHEMA {SqlName.Quote(schema)}", cancellationToken).ConfigureAwait(false);
        await connection.ExecuteAsync(
            $"CREATE TABLE IF NOT EXISTS {_table} (projection text, keyspace text, table_name text, cluster text, position text, epoch bigint NOT NULL, updated_at timestamptz, PRIMARY KEY (projection, keyspace))",
            cancellationToken).ConfigureAwait(false);
    }

    /// <summary>Makes a term the owner of the row, and returns the cluster and the position of the former one. Sessions of the former owner are ended.</summary>
    /// <exception cref="InvalidOperationException">A later term owns the row.</exception>
    public async Task<(string? Cluster, WatchPosition? Position)> ClaimAsync(
        NpgsqlConnection connection, string cluster, long epoch, string table, CancellationToken cancellationToken)
    {
        if (await ReadAsync("").ConfigureAwait(false) is [var other, _, long before] && before > epoch && Equals(other, cluster))
            throw TakenOver();
        // A process that was suspended in the middle of a transaction still holds its locks.
        await connection.ExecuteAsync(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = current_setting('application_name') AND datname = current_database() AND usename = current_user "
                + "AND pid <> pg_backend_pid()", cancellationToken).ConfigureAwait(false);
        await connection.ExecuteAsync(
            $"INSERT INTO {_table} (projection, keyspace, epoch) VALUES ($1, $2, 0) ON CONFLICT DO NOTHING", cancellationToken, [.. Key]).ConfigureAwait(false);
        object?[] row = (await ReadAsync(" FOR UPDATE").ConfigureAwait(false))!;
        if ((long)row[2]! > epoch && Equals(row[0], cluster))
            throw TakenOver();
        await connection.ExecuteAsync(
            $"UPDATE {_table} SET epoch = $3, cluster = $4, table_name = $5 WHERE projection = $1 AND keyspace = $2", cancellationToken,
            [.. Key, new NpgsqlParameter { Value = epoch }, new NpgsqlParameter { Value = cluster }, new NpgsqlParameter { Value = table }]).ConfigureAwait(false);
        return ((string?)row[0], WatchPosition.TryParse((string?)row[1], out var position) ? position : null);

        async Task<object?[]?> ReadAsync(string suffix) => (await connection.QueryAsync(
            $"SELECT cluster, position, epoch FROM {_table} WHERE projection = $1 AND keyspace = $2{suffix}", cancellationToken, [.. Key]).ConfigureAwait(false)).FirstOrDefault();
    }

    /// <summary>Saves the position as part of a transaction; null if the table has to be loaded.</summary>
    /// <exception cref="InvalidOperationException">A later term owns the row.</exception>
    public async Task SaveAsync(NpgsqlConnection connection, WatchPosition? position, string cluster, long epoch, CancellationToken cancellationToken)
    {
        int count = await connection.ExecuteAsync(
            $"UPDATE {_table} SET position = $5, updated_at = now() WHERE projection = $1 AND keyspace = $2 AND epoch = $3 AND cluster = $4", cancellationToken,
            [
                .. Key, new NpgsqlParameter { Value = epoch }, new NpgsqlParameter { Value = cluster },
                new NpgsqlParameter { Value = (object?)position?.ToString() ?? DBNull.Value, NpgsqlDbType = NpgsqlTypes.NpgsqlDbType.Text },
            ]).ConfigureAwait(false);
        if (count != 1)
            throw TakenOver();
    }

    IEnumerable<NpgsqlParameter> Key => [new() { Value = projection }, new() { Value = keyspace }];

    InvalidOperationException TakenOver() => new(
        $"The keyspace {keyspace} was not written by the projection '{projection}', because another node has taken it over, or its row in {schema}.{Name} was deleted. If no other node runs it, "
            + "delete the row; the table is then loaded again.");

    /// <summary>Returns the text form of a cluster's identity.</summary>
    public static string TextOf(ulong cluster) => cluster.ToString("x16", CultureInfo.InvariantCulture);
}
