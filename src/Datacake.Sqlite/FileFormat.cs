using Datacake.Storage;

namespace Datacake.Sqlite;

/// <summary>What a file of this provider says about itself, and the creation of one.</summary>
static class FileFormat
{
    // "DCke" in ASCII, in the header field that SQLite has for it.
    const long ApplicationId = 0x44436B65;

    const long Version = 1;

    /// <summary>Creates the table in a new file, and refuses a file that is not a store or has a newer format.</summary>
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
                    $"The {description} has format version {version}, and this version of Datacake.Sqlite knows up to {Version}. "
                        + "Update the package.");
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
        // The disk's own cache is flushed too, where the operating system does that only on demand.
        connection.Execute("PRAGMA fullfsync = ON");
        connection.Execute("PRAGMA checkpoint_fullfsync = ON");
        if (isEmpty)
        {
            // Without row ids an entry is in one tree instead of two.
            connection.Execute(
                $"""
                BEGIN IMMEDIATE;
                CREATE TABLE entries (key BLOB PRIMARY KEY NOT NULL, value BLOB NOT NULL) WITHOUT ROWID;
                PRAGMA application_id = {ApplicationId};
                PRAGMA user_version = {Version};
                COMMIT;
                """);
        }
    }
}
