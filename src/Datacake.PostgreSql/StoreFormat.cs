using Datacake.Storage;
using Npgsql;

namespace Datacake.PostgreSql;

/// <summary>The tables of a store, and the version of their layout.</summary>
static class StoreFormat
{
    /// <summary>The version of the layout that this library reads and writes.</summary>
    public const int Version = 1;

    const string StoreName = "datacake_store";
    const string EntriesPrefix = "datacake_entries_";

    // Waits for the others that open or create a store in this schema at the same moment.
    const string Serialize = "SELECT pg_advisory_xact_lock(hashtextextended('datacake schema ' || $1, 0))";

    const string Tables = """
        SELECT relname, EXISTS (SELECT FROM pg_attribute WHERE attrelid = pg_class.oid AND attname = 'format' AND NOT attisdropped)
        FROM pg_class JOIN pg_namespace ON pg_namespace.oid = relnamespace
        WHERE nspname = $1 AND relkind IN ('r', 'p', 'v', 'm', 'f', 'S')
        """;

    /// <summary>Returns the table with the one row that describes a store, in a schema whose name is quoted.</summary>
    public static string StoreTable(string schema) => $"{schema}.{StoreName}";

    /// <summary>Returns the table of entries with a number, in a schema whose name is quoted.</summary>
    public static string EntriesTable(string schema, int number) => $"{schema}.{EntriesPrefix}{number}";

    /// <summary>Returns the statement that creates a table of entries, without its key, so that it can be filled first.</summary>
    /// <remarks>Values are not compressed: they mostly are small, and reading them is fast. A large value is in pieces of its own, outside of the row.</remarks>
    public static string CreateEntries(string schema, int number)
    {
        string table = EntriesTable(schema, number);
        return $"""
            CREATE TABLE {table} (key bytea NOT NULL, value bytea NOT NULL) WITH (autovacuum_vacuum_scale_factor = 0.05);
            ALTER TABLE {table} ALTER COLUMN key SET STORAGE PLAIN, ALTER COLUMN value SET STORAGE EXTERNAL
            """;
    }

    /// <summary>Returns the statement that makes the key of a table of entries its primary key.</summary>
    public static string CreateKey(string schema, int number) => $"ALTER TABLE {EntriesTable(schema, number)} ADD PRIMARY KEY (key)";

    /// <summary>Creates the tables of a new store, and refuses a schema that is not a store or has another format.</summary>
    public static ValueTask PrepareAsync(NpgsqlConnection connection, Database database) => RunAsync(connection, database, async () =>
    {
        if (!await CheckAsync(connection, database).ConfigureAwait(false))
            await CreateAsync(connection, database).ConfigureAwait(false);
    });

    /// <summary>Creates a new store with its contents, and refuses a schema that has tables.</summary>
    public static ValueTask CreateAsync(NpgsqlConnection connection, Database database, Func<ValueTask> fill) => RunAsync(connection, database, async () =>
    {
        if (await CheckAsync(connection, database).ConfigureAwait(false))
        {
            if (await Ownership.OwnerAsync(connection, database).ConfigureAwait(false) is { } owner)
            {
                throw new StorageException(
                    StorageError.AlreadyOpen, $"The {database.Description} cannot be restored, because it already exists and is open: {owner} owns it. Name another schema.");
            }
            throw new StorageException(
                StorageError.Inaccessible, $"The {database.Description} cannot be restored, because it already exists. Name another schema, or drop or rename this one.");
        }
        await CreateAsync(connection, database).ConfigureAwait(false);
        await fill().ConfigureAwait(false);
    });

    static async ValueTask RunAsync(NpgsqlConnection connection, Database database, Func<ValueTask> operation)
    {
        await connection.ExecuteAsync("BEGIN").ConfigureAwait(false);
        try
        {
            await connection.ExecuteAsync(Serialize, Changes.Parameter(database.SchemaName)).ConfigureAwait(false);
            await operation().ConfigureAwait(false);
            await connection.ExecuteAsync("COMMIT").ConfigureAwait(false);
        }
        catch
        {
            await connection.RollBackAsync().ConfigureAwait(false);
            throw;
        }
    }

    /// <summary>Returns false if the schema has no tables or does not exist, and refuses one that is not a store or has another format.</summary>
    static async ValueTask<bool> CheckAsync(NpgsqlConnection connection, Database database)
    {
        List<object[]> tables = await connection.ReadAllAsync(Tables, Changes.Parameter(database.SchemaName)).ConfigureAwait(false);
        if (tables.Count == 0)
            return false;
        if (!tables.Exists(table => (string)table[0] == StoreName && (bool)table[1]))
        {
            throw new StorageException(
                StorageError.Foreign,
                $"The {database.Description} contains the tables of another program, such as '{tables[0][0]}'. It was not changed. Choose another schema.");
        }
        object[]? row = await connection.ReadAsync($"SELECT format FROM {StoreTable(database.Schema)}").ConfigureAwait(false);
        if (row is not [int version])
        {
            throw new StorageException(
                StorageError.Corrupt,
                $"The {database.Description} is damaged: the table {StoreName} has no row. Restore the database from a backup, or start with an empty schema, "
                    + "which the other nodes refill (set TakeOverNodeId).");
        }
        if (version > Version)
        {
            throw new StorageException(
                StorageError.NewerFormat,
                $"The {database.Description} has format version {version}, but this version of Datacake.PostgreSql supports only versions up to {Version}. "
                    + "Update the package.");
        }
        return true;
    }

    static async ValueTask CreateAsync(NpgsqlConnection connection, Database database)
    {
        string schema = database.Schema;
        if (await connection.ReadAsync("SELECT 1 FROM pg_namespace WHERE nspname = $1", Changes.Parameter(database.SchemaName)).ConfigureAwait(false) is null)
            await connection.ExecuteAsync($"CREATE SCHEMA {schema}").ConfigureAwait(false);
        await connection.ExecuteAsync($"""
            CREATE TABLE {StoreTable(schema)} (
                id boolean PRIMARY KEY DEFAULT true CHECK (id),
                format integer NOT NULL,
                epoch bigint NOT NULL DEFAULT 0,
                commits bigint NOT NULL DEFAULT 0,
                entries integer NOT NULL DEFAULT 1,
                owner text,
                owner_since timestamptz,
                lease_ends timestamptz,
                backend integer,
                backend_started timestamptz,
                origin text
            ) WITH (fillfactor = 10);
            {CreateEntries(schema, 1)};
            {CreateKey(schema, 1)};
            INSERT INTO {StoreTable(schema)} (format) VALUES ({Version});
            """).ConfigureAwait(false);
    }

    /// <summary>Drops the tables of entries that are no longer in use, unless a session still reads them. The next opener then drops them.</summary>
    public static async ValueTask DropUnusedAsync(NpgsqlConnection connection, Database database, int used)
    {
        foreach (object[] table in await connection.ReadAllAsync(Tables, Changes.Parameter(database.SchemaName)).ConfigureAwait(false))
        {
            string name = (string)table[0];
            if (!name.StartsWith(EntriesPrefix, StringComparison.Ordinal) || name == $"{EntriesPrefix}{used}")
                continue;
            try
            {
                await connection.ExecuteAsync($"SELECT set_config('lock_timeout', '200', true); DROP TABLE {database.Schema}.{Database.Quote(name)}").ConfigureAwait(false);
            }
            catch (PostgresException e) when (e.SqlState == PostgresErrorCodes.LockNotAvailable)
            {
                // A snapshot of a former owner reads it, or somebody else does.
            }
        }
    }
}
