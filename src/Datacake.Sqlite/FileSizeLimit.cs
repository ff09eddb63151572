
namespace Datacake.Sqlite;

/// <summary>
/// The maximum size of a file. Some of its pages are reserved for commits that make room: a delete also writes something, so data in a file
/// without free pages could never be deleted.
/// </summary>
sealed class FileSizeLimit
{
    const int MinReserve = 16;

    readonly Connection _connection;
    readonly string _path;
    readonly long _maxBytes;
    readonly long _pageBytes;
    readonly long _maxPages;
    readonly Statement _pages;
    readonly Statement _freePages;

    /// <summary>Sets the maximum size of the file at a path.</summary>
    public FileSizeLimit(Connection connection, string path, long maxBytes)
    {
        _connection = connection;
        _path = path;
        _maxBytes = maxBytes;
        _pageBytes = connection.QueryInteger("PRAGMA page_size");
        _maxPages = maxBytes / _pageBytes;
        // If the file is already larger, deletes must still be able to make room.
        long pages = connection.QueryInteger("PRAGMA page_count");
        connection.Execute($"PRAGMA max_page_count = {(pages > _maxPages ? pages + Reserve : _maxPages)}");
        _pages = connection.Prepare("PRAGMA page_count");
        _freePages = connection.Prepare("PRAGMA freelist_count");
    }

    /// <summary>Throws if the open transaction leaves too few free pages.</summary>
    /// <exception cref="Storage.StorageException">The transaction would use the reserve.</exception>
    public void ThrowIfIntoReserve()
    {
        long unused = _maxPages - _connection.QueryInteger(_pages);
        if (unused < Reserve && unused + _connection.QueryInteger(_freePages) < Reserve)
            throw _connection.LimitError(_maxBytes);
    }

    /// <summary>
    /// Throws if a commit without room has reached the limit. SQLite reports a full disk and a full file with the same error: the limit is
    /// the cause if the disk has room for the rest of the file. Called when no transaction is open.
    /// </summary>
    /// <exception cref="Storage.StorageException">The limit is the cause.</exception>
    public void ThrowIfCause()
    {
        long unusedBytes = (_maxPages - _connection.QueryInteger(_pages) + _connection.QueryInteger(_freePages)) * _pageBytes;
        if ((Storage.DurableFile.FreeSpaceAt(_path) ?? long.MaxValue) >= unusedBytes)
            throw _connection.LimitError(_maxBytes);
    }

    long Reserve => Math.Max(_maxPages / 16, MinReserve);
}
