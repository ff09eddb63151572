using Datacake.Storage;

namespace Datacake.Sqlite;

/// <summary>The options for opening a SQLite file. The defaults suit stores from a few megabytes to many gigabytes.</summary>
public sealed class SqliteStorageOptions
{
    /// <summary>
    /// Gets or sets the size of the page cache of a connection, in bytes. The default is 8 MiB. The writer and each pooled reader have
    /// their own cache, and the operating system caches the file as well. Increase this value if the frequently used part of the store is
    /// larger.
    /// </summary>
    public long CacheBytes { get; set; } = 8 * 1024 * 1024;

    /// <summary>
    /// Gets or sets the page size of a new file, in bytes: a power of two from 512 to 65536. The default is 4096. An entry larger than a
    /// quarter of a page is stored on separate pages, so 8192 or 16384 suits stores whose values mostly have a few thousand bytes. An
    /// existing file keeps its page size.
    /// </summary>
    public int PageSize { get; set; } = 4096;

    /// <summary>
    /// Gets or sets the number of idle connections that are kept for later snapshots. The default is twice the number of processors. Any
    /// number of snapshots can be open at once. If there is no idle connection, a snapshot opens a new one, which takes a fraction of a
    /// millisecond.
    /// </summary>
    public int MaxPooledReaders { get; set; } = 2 * Environment.ProcessorCount;

    /// <summary>
    /// Gets or sets the size at which the write-ahead log is moved into the file, in bytes. The default is 16 MiB. A larger value means
    /// fewer but longer moves and fewer writes in total; a smaller value means less disk space and a faster start after a crash. Commits
    /// continue during a move, but wait when the log has four times this size. While a snapshot is open, the log keeps everything committed
    /// since and can grow larger.
    /// </summary>
    public long CheckpointBytes { get; set; } = 16 * 1024 * 1024;

    /// <summary>
    /// Gets or sets how long a call waits before it fails when another program, such as the sqlite3 shell or a backup tool, has locked the
    /// file. The default is 5 seconds.
    /// </summary>
    public TimeSpan BusyTimeout { get; set; } = TimeSpan.FromSeconds(5);

    /// <summary>
    /// Gets or sets the maximum size of the file, in bytes: at least 64 pages. The default is no limit. A commit that needs more fails with
    /// <see cref="StorageError.Full"/>. Deletes make room again: a sixteenth of the size, but at least 16 pages, is reserved for them
    /// (<see cref="WriteBatch.MayUseReserve"/>). The limit does not include the write-ahead log.
    /// </summary>
    public long? MaxFileBytes { get; set; }

    /// <summary>
    /// Gets or sets whether the structure of the file is checked when it is opened. The default is <see langword="true"/>. The checksums
    /// that a node adds to its entries cannot reveal a page that the disk has written to the place of another one: such a page hides
    /// entries without any error. The check reads the whole file at the speed of the disk (about 1 GB per second if the operating system
    /// has cached the file), and a damaged file is refused with <see cref="StorageError.Corrupt"/>.
    /// </summary>
    public bool CheckOnOpen { get; set; } = true;

    internal static SqliteStorageOptions From(Action<SqliteStorageOptions>? configure)
    {
        var options = new SqliteStorageOptions();
        configure?.Invoke(options);
        return options;
    }

    internal SqliteStorageOptions Clone() => (SqliteStorageOptions)MemberwiseClone();

    internal void Validate()
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(CacheBytes, 64 * 1024, nameof(CacheBytes));
        if (PageSize is < 512 or > 65536 || !int.IsPow2(PageSize))
            throw new ArgumentOutOfRangeException(nameof(PageSize), PageSize, "The page size must be a power of two from 512 to 65536.");
        ArgumentOutOfRangeException.ThrowIfNegative(MaxPooledReaders, nameof(MaxPooledReaders));
        ArgumentOutOfRangeException.ThrowIfLessThan(CheckpointBytes, 65536, nameof(CheckpointBytes));
        if (MaxFileBytes is { } maxFileBytes)
            ArgumentOutOfRangeException.ThrowIfLessThan(maxFileBytes, 64 * PageSize, nameof(MaxFileBytes));
        ArgumentOutOfRangeException.ThrowIfLessThan(BusyTimeout, TimeSpan.Zero, nameof(BusyTimeout));
        ArgumentOutOfRangeException.ThrowIfGreaterThan(BusyTimeout, TimeSpan.FromHours(1), nameof(BusyTimeout));
    }
}
