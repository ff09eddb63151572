using Npgsql;

namespace Datacake.PostgreSql;

/// <summary>Short forms for statements that run rarely.</summary>
static class ConnectionExtensions
{
    /// <summary>Runs a statement, or several without parameters.</summary>
    public static async ValueTask ExecuteAsync(this NpgsqlConnection connection, string sql, params NpgsqlParameter[] parameters)
    {
        using NpgsqlCommand command = Create(connection, sql, parameters);
        await command.ExecuteNonQueryAsync().ConfigureAwait(false);
    }

    /// <summary>Returns the first row of a query, or null if there is none.</summary>
    public static async ValueTask<object[]?> ReadAsync(this NpgsqlConnection connection, string sql, params NpgsqlParameter[] parameters) =>
        await connection.ReadAllAsync(sql, parameters).ConfigureAwait(false) is [var first, ..] ? first : null;

    /// <summary>Returns the rows of a query.</summary>
    public static async ValueTask<List<object[]>> ReadAllAsync(this NpgsqlConnection connection, string sql, params NpgsqlParameter[] parameters)
    {
        using NpgsqlCommand command = Create(connection, sql, parameters);
        NpgsqlDataReader reader = await command.ExecuteReaderAsync().ConfigureAwait(false);
        await using (reader.ConfigureAwait(false))
        {
            var rows = new List<object[]>();
            while (await reader.ReadAsync().ConfigureAwait(false))
            {
                object[] row = new object[reader.FieldCount];
                reader.GetValues(row);
                rows.Add(row);
            }
            return rows;
        }
    }

    /// <summary>Ends a failed transaction. A broken connection has ended it already.</summary>
    public static async ValueTask RollBackAsync(this NpgsqlConnection connection)
    {
        try
        {
            await connection.ExecuteAsync("ROLLBACK").ConfigureAwait(false);
        }
        catch (Exception e) when (Database.IsFailure(e))
        {
            // The failure before this one is more informative.
        }
    }

    static NpgsqlCommand Create(NpgsqlConnection connection, string sql, NpgsqlParameter[] parameters)
    {
        var command = new NpgsqlCommand(sql, connection);
        command.Parameters.AddRange(parameters);
        return command;
    }
}
