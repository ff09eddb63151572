using SQLitePCL;

namespace Datacake.Sqlite;

/// <summary>
/// The maximum size of a file. Some of its pages are reserved for commits that make room: a delete also writes something, so data in a file
/// without free pages could never be deleted.
/// </summary>
sealed class FileSizeLimit
{
    const int MinReserve = 16;

    readonly Connection _connection;
    readonly long _maxPages;
    readonly sqlite3_stmt _pages;
    readonly sqlite3_stmt _freePages;

    /// <summary>Sets the maximum size, in pages.</summary>
    public FileSizeLimit(Connection connection, long maxPages)
    {
        _connection = connection;
        _maxPages = maxPages;
        // If the file is already larger, deletes must still be able to make room.
        long pages = connection.QueryInteger("PRAGMA page_count");
        connection.Execute($"PRAGMA max_page_count = {(pages > maxPages ? pages + Reserve : maxPages)}");
        _pages = connection.Prepare("PRAGMA page_count");
        _freePages = connection.Prepare("PRAGMA freelist_count");
    }

    /// <summary>Throws if the open transaction leaves too few free pages.</summary>
    /// <exception cref="Storage.StorageException">The transaction would use the reserve.</exception>
    public void ThrowIfIntoReserve()
    {
        long unused = _maxPages - _connection.QueryInteger(_pages);
        if (unused < Reserve && unused + _connection.QueryInteger(_freePages) < Reserve)
            throw _connection.FullError($"{Reserve} of its {_maxPages} pages are reserved for deletes");
    }

    long Reserve => Math.Max(_maxPages / 16, MinReserve);
}
