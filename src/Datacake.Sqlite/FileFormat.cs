using Datacake.Storage;

namespace Datacake.Sqlite;

/// <summary>The file format of this provider: its identification, its version and its tables.</summary>
static class FileFormat
{
    // "DCke" in ASCII, in SQLite's header field for application ids.
    const long ApplicationId = 0x44436B65;

    /// <summary>The layout version that this library reads and writes. Version 1, which used triggers, was never released.</summary>
    public const long Version = 2;

    // Without row ids, an entry is in one tree instead of two. But SQLite reads a whole entry to compare its key if the entry does not fit
    // into the page, so a search among large values would read several of them. Large values are therefore in a separate table, and their
    // id takes the place of the value. The writer removes a large value together with its entry. A trigger could do so as well, but where a
    // trigger may run, SQLite keeps an undo log for each statement, which takes a fifth of the time of a put.
    static readonly string Schema =
        $"""
        BEGIN IMMEDIATE;
        CREATE TABLE entries (key BLOB PRIMARY KEY NOT NULL, value NOT NULL) WITHOUT ROWID;
        CREATE TABLE large_values (id INTEGER PRIMARY KEY, value BLOB NOT NULL);
        PRAGMA application_id = {ApplicationId};
        PRAGMA user_version = {Version};
        COMMIT;
        """;

    /// <summary>
    /// Returns the maximum total length of key and value for an entry to fit into a page of the tree, where each page must hold four entries.
    /// </summary>
    /// <remarks>
    /// See "B-tree Cell Payload Overflow" in the description of SQLite's file format. The result excludes the header of the record, which
    /// consists of the varints of its own size and of two types.
    /// </remarks>
    public static int MaxEntryBytes(int pageSize) => (pageSize - 12) * 64 / 255 - 23 - 16;

    /// <summary>Refuses a file that is not a store or has another format. Returns true if the file is new and has no tables.</summary>
    public static bool Check(Connection connection, string description)
    {
        long application = connection.QueryInteger("PRAGMA application_id");
        bool isEmpty = connection.QueryInteger("SELECT count(*) FROM sqlite_schema") == 0;
        if (application != ApplicationId && !(application == 0 && isEmpty))
        {
            throw new StorageException(
                StorageError.Foreign,
                $"The {description} is the database of another program (its application id is {application}). It was not changed. "
                    + "Choose another path.");
        }
        if (application == ApplicationId)
        {
            long version = connection.QueryInteger("PRAGMA user_version");
            if (version > Version)
            {
                throw new StorageException(
                    StorageError.NewerFormat,
                    $"The {description} has format version {version}, but this version of Datacake.Sqlite supports only versions up to "
                        + $"{Version}. Update the package.");
            }
            if (version < Version)
            {
                throw new StorageException(
                    StorageError.Failed,
                    $"The {description} has format version {version} of a Datacake.Sqlite before the first release. This version supports only "
                        + $"version {Version}. The file was not changed. Move it away and start with an empty store, which the other nodes "
                        + "refill (set TakeOverNodeId).");
            }
        }
        return isEmpty;
    }

    /// <summary>Creates the tables of a new file, and refuses a file that is not a store or has another format.</summary>
    public static void Prepare(Connection connection, string description, int pageSize)
    {
        bool isEmpty = Check(connection, description);
        // The page size must be set before WAL mode writes the first page. On a file that already has pages, neither statement changes any.
        connection.Execute($"PRAGMA page_size = {pageSize}");
        if (connection.Query("PRAGMA journal_mode = WAL") != "wal")
        {
            throw new StorageException(
                StorageError.Failed,
                $"The {description} cannot use WAL mode, because its file system does not support shared memory. Choose a local disk.");
        }
        FlushDevices(connection);
        if (isEmpty)
            connection.Execute(Schema);
    }

    /// <summary>Makes a connection also flush the cache of the disk device, on operating systems that do so only on request.</summary>
    public static void FlushDevices(Connection connection)
    {
        connection.Execute("PRAGMA fullfsync = ON");
        connection.Execute("PRAGMA checkpoint_fullfsync = ON");
    }
}
