using SQLitePCL;

namespace Datacake.Sqlite;

/// <summary>
/// The greatest size of a file. Of that, some pages are kept free for commits that make room: to delete is to note something, too, and a file without any free
/// page could never be made smaller.
/// </summary>
sealed class FileSizeLimit
{
    const int LeastReserve = 16;

    readonly Connection _connection;
    readonly long _maxPages;
    readonly sqlite3_stmt _pages;
    readonly sqlite3_stmt _freePages;

    /// <summary>Sets the size, in pages.</summary>
    public FileSizeLimit(Connection connection, long maxPages)
    {
        _connection = connection;
        _maxPages = maxPages;
        // Of a file that is larger already, deletes make room, too.
        long pages = connection.QueryInteger("PRAGMA page_count");
        connection.Execute($"PRAGMA max_page_count = {(pages > maxPages ? pages + Reserve : maxPages)}");
        _pages = connection.Prepare("PRAGMA page_count");
        _freePages = connection.Prepare("PRAGMA freelist_count");
    }

    /// <summary>Refuses the transaction under way if it leaves too few pages free.</summary>
    /// <exception cref="Storage.StorageException">It does.</exception>
    public void ThrowIfIntoReserve()
    {
        long unused = _maxPages - _connection.QueryInteger(_pages);
        if (unused < Reserve && unused + _connection.QueryInteger(_freePages) < Reserve)
            throw _connection.FullError($"{Reserve} of its {_maxPages} pages are kept for deletes");
    }

    long Reserve => Math.Max(_maxPages / 16, LeastReserve);
}
