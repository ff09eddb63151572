using Datacake.PostgreSql.Projection.Tables;
using Npgsql;

namespace Datacake.PostgreSql.Projection.Writing;

/// <summary>The tables of a keyspace in the database: creates them, adds columns, and refuses those that do not match.</summary>
/// <param name="connection">The connection, in a transaction.</param>
/// <param name="table">The tables as the model has them.</param>
/// <param name="mark">The comment that marks the tables of this projection and keyspace.</param>
sealed class TableSchema(NpgsqlConnection connection, Table table, string mark)
{
    /// <summary>Creates what is missing, and returns a list of it; empty if nothing was.</summary>
    /// <exception cref="InvalidOperationException">A table or column exists and does not match.</exception>
    public async Task<IReadOnlyList<string>> EnsureAsync(CancellationToken cancellationToken)
    {
        var created = new List<string>();
        string key = SqlName.List(table.Key.Select(static column => column.Name));
        await EnsureAsync(table.Name, table.Columns, $", PRIMARY KEY ({key})", created, cancellationToken).ConfigureAwait(false);
        foreach (var child in table.Children)
        {
            string parent = SqlName.List(child.Columns.Take(table.KeyCount).Select(static column => column.Name));
            int before = created.Count;
            await EnsureAsync(
                child.Name, child.Columns, $", FOREIGN KEY ({parent}) REFERENCES {table.Quote(table.Name)} ({key}) ON DELETE CASCADE", created, cancellationToken).ConfigureAwait(false);
            if (created.Count > before && created[before] == child.Name)
                await connection.ExecuteAsync($"CREATE INDEX ON {table.Quote(child.Name)} ({parent})", cancellationToken).ConfigureAwait(false);
        }
        if (table.Children.Count > 0)
            await EnsureViewAsync(cancellationToken).ConfigureAwait(false);
        return created;
    }

    async Task EnsureAsync(string name, IReadOnlyList<Column> columns, string constraint, List<string> created, CancellationToken cancellationToken)
    {
        if (await ReadAsync(name, "r", cancellationToken).ConfigureAwait(false) is not { } existing)
        {
            string list = string.Join(", ", columns.Select(static column => $"{SqlName.Quote(column.Name)} {column.Type}"));
            await connection.ExecuteAsync($"CREATE TABLE {table.Quote(name)} ({list}{constraint})", cancellationToken).ConfigureAwait(false);
            await connection.ExecuteAsync($"COMMENT ON TABLE {table.Quote(name)} IS {SqlName.QuoteText(mark)}", cancellationToken).ConfigureAwait(false);
            created.Add(name);
            return;
        }
        foreach (var column in columns)
        {
            if (!existing.TryGetValue(column.Name, out string? type))
            {
                bool isKey = columns.Take(table.KeyCount).Contains(column);
                if (isKey)
                {
                    throw new InvalidOperationException(
                        $"The table {table.Schema}.{name} has no column '{column.Name}' for {column.Source}, which is a part of the key. Drop the table, which is then created and loaded again, "
                            + "or give it another name.");
                }
                await connection.ExecuteAsync($"ALTER TABLE {table.Quote(name)} ADD COLUMN {SqlName.Quote(column.Name)} {column.Type}", cancellationToken).ConfigureAwait(false);
                created.Add($"{name}.{column.Name}");
            }
            else if (type != column.Type.Sql)
            {
                throw new InvalidOperationException(
                    $"The column '{column.Name}' of the table {table.Schema}.{name} has the type {type}, but {column.Source} needs {column.Type}. Drop the column (ALTER TABLE {table.Quote(name)} "
                        + $"DROP COLUMN {SqlName.Quote(column.Name)} CASCADE), which is then added and filled again, or give the property another column with Column.");
            }
        }
    }

    /// <summary>Creates the view of the entities with their collections. The columns that it has stay where they are, so that views on it stay, too.</summary>
    async Task EnsureViewAsync(CancellationToken cancellationToken)
    {
        var existing = await ReadAsync(table.ViewName, "v", cancellationToken).ConfigureAwait(false) ?? [];
        var wanted = table.Columns.Select(static column => (Name: column.Name, Sql: $"t.{SqlName.Quote(column.Name)}")).Concat(table.Children.Select(child => (Name: child.View, Sql: SelectItems(child)))).ToArray();
        if (existing.Keys.Any(name => wanted.All(column => column.Name != name)))
        {
            await connection.ExecuteAsync($"DROP VIEW {table.Quote(table.ViewName)}", cancellationToken).ConfigureAwait(false);
            existing.Clear();
        }
        string[] order = [.. existing.Keys];
        var columns = wanted.OrderBy(column => Array.IndexOf(order, column.Name) is >= 0 and var index ? index : int.MaxValue).Select(static column => $"{column.Sql} AS {SqlName.Quote(column.Name)}");
        await connection.ExecuteAsync(
            $"CREATE OR REPLACE VIEW {table.Quote(table.ViewName)} AS SELECT {string.Join(", ", columns)} FROM {table.Quote(table.Name)} t", cancellationToken).ConfigureAwait(false);
        await connection.ExecuteAsync($"COMMENT ON VIEW {table.Quote(table.ViewName)} IS {SqlName.QuoteText(mark)}", cancellationToken).ConfigureAwait(false);
    }

    string SelectItems(ChildTable child)
    {
        int first = table.KeyCount + (child.Collection == CollectionKind.Set ? 0 : 1);
        Column[] parts = [.. child.Columns.Skip(first)];
        string item = parts is [{ Name: "value" }] ? "c.value" : $"jsonb_build_object({string.Join(", ", parts.Select(static part => $"{SqlName.QuoteText(part.Name)}, c.{SqlName.Quote(part.Name)}"))})";
        string all = child.Collection switch
        {
            CollectionKind.List => $"coalesce(jsonb_agg({item} ORDER BY c.position), '[]')",
            CollectionKind.Set => $"coalesce(jsonb_agg({item} ORDER BY c.value), '[]')",
            _ => $"coalesce(jsonb_object_agg(c.key, {item}), '{{}}')",
        };
        return $"(SELECT {all} FROM {table.Quote(child.Name)} c WHERE {Join(child, "c", "t")})";
    }

    /// <summary>Returns the condition that rows of a child table belong to rows with the columns of the key.</summary>
    string Join(ChildTable child, string childAlias, string parentAlias) =>
        string.Join(" AND ", child.Columns.Zip(table.Key, (own, parent) => $"{childAlias}.{SqlName.Quote(own.Name)} = {parentAlias}.{SqlName.Quote(parent.Name)}"));

    /// <summary>Returns the columns of a table or view with their types, in their order; null if it does not exist.</summary>
    /// <exception cref="InvalidOperationException">It exists and does not belong to the projection.</exception>
    async Task<OrderedDictionary<string, string>?> ReadAsync(string name, string kind, CancellationToken cancellationToken)
    {
        var rows = await connection.QueryAsync(
            "SELECT c.relkind::text, obj_description(c.oid, 'pg_class'), a.attname::text, format_type(a.atttypid, a.atttypmod) FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace "
                + "LEFT JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped WHERE n.nspname = $1 AND c.relname = $2 ORDER BY a.attnum",
            cancellationToken, new NpgsqlParameter { Value = table.Schema }, new NpgsqlParameter { Value = name }).ConfigureAwait(false);
        if (rows.Count == 0)
            return null;
        if (!Equals(rows[0][0], kind) || !Equals(rows[0][1], mark))
        {
            throw new InvalidOperationException(
                $"The table or view {table.Schema}.{name} exists and is not the one of this projection, which would replace its rows. Give the table another name with Name, or another schema, or drop it. "
                    + $"The projection knows its tables by the comment '{mark}'.");
        }
        var columns = new OrderedDictionary<string, string>();
        foreach (object?[] row in rows.Where(static row => row[2] is not null))
            columns.Add((string)row[2]!, (string)row[3]!);
        return columns;
    }
}
