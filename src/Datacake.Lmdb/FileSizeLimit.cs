using Datacake.Storage;

namespace Datacake.Lmdb;

/// <summary>
/// The maximum size of a file. Some of it is reserved for commits that make room: LMDB writes each changed page to another place, so data
/// in a file without free pages could never be deleted.
/// </summary>
sealed unsafe class FileSizeLimit
{
    const uint FreeList = 0;            // LMDB's database of free pages.
    const long MinReserveBytes = 4 * 1024 * 1024;

    readonly LmdbEnvironment _environment;
    readonly Engine _engine;
    readonly nint _handle;
    readonly long _maxPages;
    readonly long _reserve;             // In pages.

    /// <summary>Sets the maximum size. If the file is already larger, deletes can still make room.</summary>
    public FileSizeLimit(LmdbEnvironment environment, Engine engine, nint handle, long maxBytes, long fileBytes)
    {
        _environment = environment;
        _engine = engine;
        _handle = handle;
        long reserveBytes = Math.Max(maxBytes / 16, Math.Min(maxBytes / 4, MinReserveBytes));
        _maxPages = maxBytes / Environment.SystemPageSize;
        _reserve = reserveBytes / Environment.SystemPageSize;
        Bytes = fileBytes > maxBytes ? fileBytes + reserveBytes : maxBytes;
    }

    /// <summary>Gets the size beyond which the file does not grow, in bytes.</summary>
    public long Bytes { get; }

    /// <summary>Throws if a batch would leave too few free pages.</summary>
    /// <exception cref="StorageException">The batch would use the reserve.</exception>
    public void ThrowIfIntoReserve(WriteBatch batch)
    {
        long needed = _reserve + PagesOf(batch);
        _environment.Check(_engine.EnvInfo(_handle, out EnvironmentInfo info));
        long used = (long)info.LastPage + 1;
        long unused = _maxPages - used;
        // The free list has an entry for each commit whose freed pages have not been reused yet. Counting takes time, so it is skipped for
        // a file that has enough room to grow.
        if (unused < needed && unused + Math.Min(CountFreePages(), used) < needed)
            throw _environment.FullError();
    }

    /// <summary>Returns the approximate number of pages that a batch needs. The pages that it replaces become free later.</summary>
    static long PagesOf(WriteBatch batch)
    {
        long bytes = 0;
        foreach (ref readonly WriteOperation operation in batch.Operations)
        {
            if (operation.Value is { } value)
                bytes += operation.Key.Length + value.Length;
        }
        return bytes / Environment.SystemPageSize + 1;
    }

    long CountFreePages()
    {
        nint transaction = _environment.BeginReadTransaction();
        try
        {
            _environment.Check(_engine.CursorOpen(transaction, FreeList, out nint cursor));
            try
            {
                long pages = 0;
                Value key = default, freed = default;
                Result result;
                // Each entry contains the number of pages that one commit has freed, followed by these pages.
                while ((result = _engine.CursorGet(cursor, ref key, ref freed, CursorOperation.Next)) == Result.Success)
                    pages += *(nint*)freed.Data;
                if (result != Result.NotFound)
                    _environment.Check(result);
                return pages;
            }
            finally
            {
                _engine.CursorClose(cursor);
            }
        }
        finally
        {
            _engine.TxnAbort(transaction);
        }
    }
}
