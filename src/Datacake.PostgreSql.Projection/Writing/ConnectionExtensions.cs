using Npgsql;

namespace Datacake.PostgreSql.Projection.Writing;

/// <summary>Short forms for statements and copies.</summary>
static class ConnectionExtensions
{
    /// <summary>The maximum time of a statement that touches all rows.</summary>
    const int LongSeconds = 3600;

    /// <summary>Runs a statement, and returns the number of rows that it has changed.</summary>
    public static async Task<int> ExecuteAsync(this NpgsqlConnection connection, string sql, CancellationToken cancellationToken, params NpgsqlParameter[] parameters)
    {
        using var command = Create(connection, sql, parameters);
        return await command.ExecuteNonQueryAsync(cancellationToken).ConfigureAwait(false);
    }

    /// <summary>Runs a statement that touches all rows of a table.</summary>
    public static async Task ExecuteLongAsync(this NpgsqlConnection connection, string sql, CancellationToken cancellationToken)
    {
        using var command = Create(connection, sql, []);
        command.CommandTimeout = LongSeconds;
        await command.ExecuteNonQueryAsync(cancellationToken).ConfigureAwait(false);
    }

    /// <summary>Returns the rows of a query, whose values are null where the database has none.</summary>
    public static async Task<List<object?[]>> QueryAsync(this NpgsqlConnection connection, string sql, CancellationToken cancellationToken, params NpgsqlParameter[] parameters)
    {
        using var command = Create(connection, sql, parameters);
        var reader = await command.ExecuteReaderAsync(cancellationToken).ConfigureAwait(false);
        await using var closing = reader.ConfigureAwait(false);
        var rows = new List<object?[]>();
        while (await reader.ReadAsync(cancellationToken).ConfigureAwait(false))
            rows.Add([.. Enumerable.Range(0, reader.FieldCount).Select(i => reader.IsDBNull(i) ? null : reader.GetValue(i))]);
        return rows;
    }

    static NpgsqlCommand Create(NpgsqlConnection connection, string sql, NpgsqlParameter[] parameters)
    {
        var command = new NpgsqlCommand(sql, connection);
        command.Parameters.AddRange(parameters);
        return command;
    }
}
