using Datacake.Storage;

namespace Datacake.Sqlite;

/// <summary>What a file of this provider says about itself, and how one is made.</summary>
static class FileFormat
{
    // "DCke" in ASCII, in the header field that SQLite has for it.
    const long ApplicationId = 0x44436B65;

    /// <summary>The version of the layout that this library reads and writes. The first one, which had triggers, was never released.</summary>
    public const long Version = 2;

    // Without row ids an entry is in one tree instead of two. But SQLite reads the whole of an entry to compare its key once it does not
    // fit into the page, so that a search among large values would read several of them. These are in a table of their own, under a number
    // that stands in place of the value; the writer removes it with the entry. A trigger would, too; but where one may run, SQLite keeps what
    // each statement changes to undo it, which is a fifth of a put.
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
    /// The bytes of key and value that an entry may have and still fit into a page of the tree, of which each must hold four.
    /// </summary>
    /// <remarks>
    /// From the chapter "B-tree Cell Payload Overflow" of SQLite's file format, less the record's header: the varints of its own size and
    /// of two types.
    /// </remarks>
    public static int MaxEntryBytes(int pageSize) => (pageSize - 12) * 64 / 255 - 23 - 16;

    /// <summary>Creates the tables of a new file, and refuses a file that is not a store or has another format.</summary>
    public static void Prepare(Connection connection, string description, int pageSize)
    {
        long application = connection.QueryInteger("PRAGMA application_id");
        bool isEmpty = connection.QueryInteger("SELECT count(*) FROM sqlite_schema") == 0;
        if (application != ApplicationId && !(application == 0 && isEmpty))
        {
            throw new StorageException(
                StorageError.Foreign,
                $"The {description} is a database of another program (its application id is {application}). Nothing was changed in it. "
                    + "Choose another path.");
        }
        if (application == ApplicationId)
        {
            long version = connection.QueryInteger("PRAGMA user_version");
            if (version > Version)
            {
                throw new StorageException(
                    StorageError.NewerFormat,
                    $"The {description} has format version {version}, and this version of Datacake.Sqlite knows version {Version}. "
                        + "Update the package.");
            }
            if (version < Version)
            {
                throw new StorageException(
                    StorageError.Failed,
                    $"The {description} has format version {version}, of a Datacake.Sqlite from before the first release, and this one knows "
                        + $"version {Version}. Nothing was changed in it. Move it away and start with an empty store, which the other nodes fill again (set TakeOverNodeId).");
            }
        }
        // The page size must be chosen before WAL mode writes the first page. On a file that has pages neither statement changes any.
        connection.Execute($"PRAGMA page_size = {pageSize}");
        if (connection.Query("PRAGMA journal_mode = WAL") != "wal")
        {
            throw new StorageException(
                StorageError.Failed,
                $"The {description} cannot be put into WAL mode: its file system does not support shared memory. Choose a local disk.");
        }
        FlushDevices(connection);
        if (isEmpty)
            connection.Execute(Schema);
    }

    /// <summary>Lets a connection flush the disk's own cache, too, where the operating system does that only on demand.</summary>
    public static void FlushDevices(Connection connection)
    {
        connection.Execute("PRAGMA fullfsync = ON");
        connection.Execute("PRAGMA checkpoint_fullfsync = ON");
    }
}
