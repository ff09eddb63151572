using Datacake.PostgreSql.Projection.Tables;
using Npgsql;

namespace Datacake.PostgreSql.Projection.Writing;

/// <summary>Copies of rows into a table in the binary format, which is the fastest way.</summary>
static class RowCopy
{
    /// <summary>Adds rows to a table.</summary>
    /// <param name="connection">The connection.</param>
    /// <param name="table">The name of the table, quoted.</param>
    /// <param name="columns">The columns that the rows have.</param>
    /// <param name="rows">The rows.</param>
    /// <param name="cancellationToken">Cancels the copy.</param>
    /// <returns>The number of rows.</returns>
    public static async Task<int> WriteAsync(NpgsqlConnection connection, string table, IReadOnlyList<Column> columns, IEnumerable<object?[]> rows, CancellationToken cancellationToken)
    {
        var copy = await connection.BeginBinaryImportAsync(
            $"COPY {table} ({SqlName.List(columns.Select(static column => column.Name))}) FROM STDIN (FORMAT BINARY)", cancellationToken).ConfigureAwait(false);
        await using var ending = copy.ConfigureAwait(false);
        int count = 0;
        foreach (object?[] row in rows)
        {
            count++;
            await copy.StartRowAsync(cancellationToken).ConfigureAwait(false);
            for (int i = 0; i < row.Length; i++)
            {
                if (row[i] is { } value)
                    await columns[i].Type.WriteAsync(copy, value, cancellationToken).ConfigureAwait(false);
                else
                    await copy.WriteNullAsync(cancellationToken).ConfigureAwait(false);
            }
        }
        await copy.CompleteAsync(cancellationToken).ConfigureAwait(false);
        return count;
    }
}
