using Datacake.Storage;
using Npgsql;

namespace Datacake.PostgreSql;

/// <summary>The long-running operations on a store. Each uses its own connection, and cancellation stops it.</summary>
sealed class Upkeep(Database database)
{
    /// <summary>Returns the size of all tables of the store and their indexes, in bytes.</summary>
    public ValueTask<long> GetSizeAsync(CancellationToken cancellationToken) => RunAsync(
        async connection =>
        {
            object size = await ReadAsync(
                connection,
                "SELECT coalesce(sum(pg_total_relation_size(pg_class.oid)), 0)::int8 FROM pg_class JOIN pg_namespace ON pg_namespace.oid = relnamespace WHERE nspname = $1 AND relkind = 'r'",
                cancellationToken, Changes.Parameter(database.SchemaName)).ConfigureAwait(false);
            return (long)size;
        },
        cancellationToken);

    /// <summary>
    /// Reads all entries twice, in the order of the table and by the index, and compares what they have. The server reports pages and values that it cannot read.
    /// </summary>
    public async ValueTask CheckAsync(CancellationToken cancellationToken) => await RunAsync(
        async connection =>
        {
            await connection.ExecuteAsync("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY").ConfigureAwait(false);
            int table = (int)await ReadAsync(connection, $"SELECT entries FROM {StoreFormat.StoreTable(database.Schema)}", cancellationToken).ConfigureAwait(false);
            string entries = StoreFormat.EntriesTable(database.Schema, table);
            // The hash of a key and its value, of which the sum does not depend on the order.
            const string Sum = "count(*)::text || ' entries with the sum ' || coalesce(sum(('x' || left(md5(key || '\\x00' || value), 15))::bit(60)::int8), 0)";
            await connection.ExecuteAsync("SET LOCAL enable_seqscan = on; SET LOCAL enable_indexscan = off; SET LOCAL enable_indexonlyscan = off").ConfigureAwait(false);
            string inTable = (string)await ReadAsync(connection, $"SELECT {Sum} FROM {entries}", cancellationToken).ConfigureAwait(false);
            await connection.ExecuteAsync("SET LOCAL enable_seqscan = off; SET LOCAL enable_indexscan = on; SET LOCAL enable_indexonlyscan = on").ConfigureAwait(false);
            string inIndex = (string)await ReadAsync(connection, $"SELECT {Sum} FROM (SELECT key, value FROM {entries} ORDER BY key OFFSET 0) AS ordered", cancellationToken).ConfigureAwait(false);
            if (inTable != inIndex)
            {
                throw new StorageException(
                    StorageError.Corrupt,
                    $"The {database.Description} is damaged: the table has {inTable}, but its index leads to {inIndex}. Rebuild the index (REINDEX), or restore the database from a backup.");
            }
            return true;
        },
        cancellationToken).ConfigureAwait(false);

    /// <summary>Creates a store from a backup, in one transaction.</summary>
    public static async ValueTask RestoreAsync(string backup, Database database, CancellationToken cancellationToken)
    {
        BackupFile file = await BackupFile.OpenAsync(backup, cancellationToken).ConfigureAwait(false);
        await using (file.ConfigureAwait(false))
        {
            await new Upkeep(database).RunAsync(
                async connection =>
                {
                    await StoreFormat.CreateAsync(connection, database, () => FillAsync(connection, database, file, cancellationToken)).ConfigureAwait(false);
                    return true;
                },
                cancellationToken).ConfigureAwait(false);
        }
    }

    static async ValueTask FillAsync(NpgsqlConnection connection, Database database, BackupFile file, CancellationToken cancellationToken)
    {
        const int FirstTable = 1;
        NpgsqlBinaryImporter importer = await connection.BeginBinaryImportAsync(
            $"COPY {StoreFormat.EntriesTable(database.Schema, FirstTable)} (key, value) FROM STDIN (FORMAT binary)", CancellationToken.None).ConfigureAwait(false);
        await using (importer.ConfigureAwait(false))
        {
            foreach (StorageEntry entry in file.ReadAll())
            {
                cancellationToken.ThrowIfCancellationRequested();
                await importer.StartRowAsync(CancellationToken.None).ConfigureAwait(false);
                await importer.WriteAsync(entry.Key, CancellationToken.None).ConfigureAwait(false);
                await importer.WriteAsync(entry.Value, CancellationToken.None).ConfigureAwait(false);
            }
            await importer.CompleteAsync(CancellationToken.None).ConfigureAwait(false);
        }
        await Ownership.MarkAsRestoredAsync(connection, database, FirstTable).ConfigureAwait(false);
    }

    async ValueTask<T> RunAsync<T>(Func<NpgsqlConnection, ValueTask<T>> operation, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        NpgsqlConnection connection = await database.ConnectAsync(cancellationToken).ConfigureAwait(false);
        await using (connection.ConfigureAwait(false))
        {
            try
            {
                return await operation(connection).ConfigureAwait(false);
            }
            catch (Exception e) when (Database.IsFailure(e))
            {
                throw database.Explain(e);
            }
        }
    }

    static async ValueTask<object> ReadAsync(NpgsqlConnection connection, string sql, CancellationToken cancellationToken, params NpgsqlParameter[] parameters)
    {
        using var command = new NpgsqlCommand(sql, connection) { CommandTimeout = 0 };
        command.Parameters.AddRange(parameters);
        return (await command.ExecuteScalarAsync(cancellationToken).ConfigureAwait(false))!;
    }
}
