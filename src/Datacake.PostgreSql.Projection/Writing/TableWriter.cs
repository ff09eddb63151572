using Datacake.EventualConsistency;
using Datacake.PostgreSql.Projection.Tables;
using Npgsql;

namespace Datacake.PostgreSql.Projection.Writing;

/// <summary>The statements that write the rows of a keyspace, in the transaction of the caller.</summary>
sealed class TableWriter
{
    const string Stage = "pg_temp.datacake_stage", Keys = "pg_temp.datacake_keys", Deleted = "datacake_deleted";

    readonly NpgsqlConnection _connection;
    readonly Table _table;
    readonly string _target;
    readonly string _upsert;
    readonly string _delete;
    readonly Column[] _keyColumns;

    TableWriter(NpgsqlConnection connection, Table table)
    {
        (_connection, _table, _target) = (connection, table, table.Quote(table.Name));
        string columns = SqlName.List(table.Columns.Select(static column => column.Name)), key = SqlName.List(table.Key.Select(static column => column.Name));
        string[] others = [.. table.Columns.Skip(table.KeyCount).Select(static column => SqlName.Quote(column.Name))];
        string action = others.Length == 0 ? "NOTHING" : $"UPDATE SET {string.Join(", ", others.Select(static name => $"{name} = excluded.{name}"))}";
        _upsert = $"INSERT INTO {_target} ({columns}) SELECT {columns} FROM {Stage} ON CONFLICT ({key}) DO {action}";
        _delete = $"DELETE FROM {_target} t USING {Keys} k WHERE k.{Deleted} AND {Join(table.Key)}";
        _keyColumns = [.. table.Key, new Column(Deleted, ColumnType.Of(typeof(bool), false), "deletes")];
    }

    /// <summary>Prepares a session.</summary>
    public static async Task<TableWriter> CreateAsync(NpgsqlConnection connection, Table table, CancellationToken cancellationToken)
    {
        var writer = new TableWriter(connection, table);
        string key = SqlName.List(table.Key.Select(static column => column.Name));
        await connection.ExecuteAsync($"CREATE TEMP TABLE datacake_stage (LIKE {writer._target}) ON COMMIT DELETE ROWS", cancellationToken).ConfigureAwait(false);
        await connection.ExecuteAsync(
            $"CREATE TEMP TABLE datacake_keys ON COMMIT DELETE ROWS AS SELECT {key}, false AS {Deleted} FROM {writer._target} WITH NO DATA", cancellationToken).ConfigureAwait(false);
        return writer;
    }

    /// <summary>Writes the latest states of entities; null for those that are deleted.</summary>
    public async Task ApplyAsync(IReadOnlyDictionary<DocumentKey, object?> entities, CancellationToken cancellationToken)
    {
        object[] present = [.. entities.Values.OfType<object>()];
        if (present.Length < entities.Count || _table.Children.Count > 0)
        {
            await RowCopy.WriteAsync(_connection, Keys, _keyColumns, entities.Select(entity => (object?[])[.. _table.KeyOf(entity.Key), entity.Value is null]), cancellationToken).ConfigureAwait(false);
            await _connection.ExecuteAsync(_delete, cancellationToken).ConfigureAwait(false);
            foreach (var child in _table.Children)
                await _connection.ExecuteAsync($"DELETE FROM {_table.Quote(child.Name)} t USING {Keys} k WHERE {Join(child.Columns)}", cancellationToken).ConfigureAwait(false);
        }
        if (present.Length == 0)
            return;
        await RowCopy.WriteAsync(_connection, Stage, _table.Columns, present.Select(_table.RowOf), cancellationToken).ConfigureAwait(false);
        await _connection.ExecuteAsync(_upsert, cancellationToken).ConfigureAwait(false);
        await AddItemsAsync(present, cancellationToken).ConfigureAwait(false);
    }

    /// <summary>Deletes all rows.</summary>
    public async Task ClearAsync(CancellationToken cancellationToken)
    {
        // Not TRUNCATE, which would lock out readers, and show them an empty table.
        foreach (var child in _table.Children)
            await _connection.ExecuteLongAsync($"DELETE FROM {_table.Quote(child.Name)}", cancellationToken).ConfigureAwait(false);
        await _connection.ExecuteLongAsync($"DELETE FROM {_target}", cancellationToken).ConfigureAwait(false);
    }

    /// <summary>Adds the rows of entities that the cleared table does not have.</summary>
    public async Task AddAsync(IReadOnlyList<object> entities, CancellationToken cancellationToken)
    {
        await RowCopy.WriteAsync(_connection, _target, _table.Columns, entities.Select(_table.RowOf), cancellationToken).ConfigureAwait(false);
        await AddItemsAsync(entities, cancellationToken).ConfigureAwait(false);
    }

    /// <summary>Collects statistics about the rows, for the plans of reports.</summary>
    public async Task AnalyzeAsync(CancellationToken cancellationToken)
    {
        foreach (string name in _table.Children.Select(static child => child.Name).Prepend(_table.Name))
            await _connection.ExecuteLongAsync($"ANALYZE {_table.Quote(name)}", cancellationToken).ConfigureAwait(false);
    }

    async Task AddItemsAsync(IReadOnlyList<object> entities, CancellationToken cancellationToken)
    {
        foreach (var child in _table.Children)
        {
            var rows = entities.SelectMany(entity => child.RowsOf(entity, _table.RowOf(entity)[.._table.KeyCount]));
            await RowCopy.WriteAsync(_connection, _table.Quote(child.Name), child.Columns, rows, cancellationToken).ConfigureAwait(false);
        }
    }

    string Join(IEnumerable<Column> columns) =>
        string.Join(" AND ", columns.Zip(_table.Key, static (own, key) => $"t.{SqlName.Quote(own.Name)} = k.{SqlName.Quote(key.Name)}"));
}
