using Datacake.Storage;

namespace Datacake.Lmdb;

/// <summary>
/// The greatest size of a file. Of that, some is kept free for commits that make room: LMDB writes each page that it changes to another place, so that a file
/// without any free page could never be made smaller.
/// </summary>
sealed unsafe class FileSizeLimit
{
    const uint FreeList = 0;            // LMDB's database of free pages
    const long LeastReserveBytes = 4 * 1024 * 1024;

    readonly LmdbEnvironment _environment;
    readonly Engine _engine;
    readonly nint _handle;
    readonly long _maxPages;
    readonly long _reserve;             // in pages

    /// <summary>Sets the size. Of a file that is larger already, deletes make room, too.</summary>
    public FileSizeLimit(LmdbEnvironment environment, Engine engine, nint handle, long maxBytes, long fileBytes)
    {
        _environment = environment;
        _engine = engine;
        _handle = handle;
        long reserveBytes = Math.Max(maxBytes / 16, Math.Min(maxBytes / 4, LeastReserveBytes));
        _maxPages = maxBytes / Environment.SystemPageSize;
        _reserve = reserveBytes / Environment.SystemPageSize;
        Bytes = fileBytes > maxBytes ? fileBytes + reserveBytes : maxBytes;
    }

    /// <summary>The size beyond which the file does not grow.</summary>
    public long Bytes { get; }

    /// <summary>Refuses a batch that would leave too little free.</summary>
    /// <exception cref="StorageException">It would.</exception>
    public void ThrowIfIntoReserve(WriteBatch batch)
    {
        long needed = _reserve + PagesOf(batch);
        _environment.Check(_engine.EnvInfo(_handle, out EnvironmentInfo info));
        long used = (long)info.LastPage + 1;
        long unused = _maxPages - used;
        // The list is as long as there were commits whose pages nothing has taken yet; to count takes time, which a file that has room to grow in is spared.
        if (unused < needed && unused + Math.Min(CountFreePages(), used) < needed)
            throw _environment.FullError();
    }

    /// <summary>Returns about how many pages a batch takes. Those that it replaces come free later.</summary>
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
                // Each entry has the pages that one commit has freed, behind their number.
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
