using Datacake.Storage;

namespace Datacake.Sqlite;

/// <summary>How a SQLite file is opened. The defaults suit stores of a few megabytes to many gigabytes.</summary>
public sealed class SqliteStorageOptions
{
    /// <summary>
    /// Memory for pages of the file that a connection keeps, in bytes; 8 MiB unless set. The writer has one such cache, and each reader
    /// of the pool another. The operating system caches the file besides: more helps stores whose hot part is larger than this.
    /// </summary>
    public long CacheBytes { get; set; } = 8 * 1024 * 1024;

    /// <summary>
    /// The page size of a new file in bytes, a power of two from 512 to 65536; 4096 unless set. An entry larger than a quarter of a page
    /// is spread over pages of its own, so that 8192 or 16384 suits stores whose values mostly have a few thousand bytes. A file
    /// that exists keeps its page size.
    /// </summary>
    public int PageSize { get; set; } = 4096;

    /// <summary>
    /// How many idle reader connections are kept for the next snapshots; twice the number of processors unless set. Any number of snapshots
    /// may be open at once: beyond this one, opening one costs a new connection (a fraction of a millisecond).
    /// </summary>
    public int MaxPooledReaders { get; set; } = 2 * Environment.ProcessorCount;

    /// <summary>
    /// The size at which the write-ahead log is moved into the file, in bytes; 16 MiB unless set. Larger means fewer, longer moves, and less written
    /// in all; smaller means less disk space, and a quicker start after a crash. Commits go on meanwhile, and wait when the log has four times this
    /// size. While a snapshot stays open the log keeps what was committed since, and grows beyond this.
    /// </summary>
    public long CheckpointBytes { get; set; } = 16 * 1024 * 1024;

    /// <summary>
    /// How long a call waits when another program (the sqlite3 shell, a backup tool) has locked the file before it fails;
    /// 5 seconds unless set.
    /// </summary>
    public TimeSpan BusyTimeout { get; set; } = TimeSpan.FromSeconds(5);

    /// <summary>
    /// The size beyond which the file must not grow, in bytes, and 64 pages at least; no limit unless set. A commit that would need more fails with
    /// <see cref="StorageError.Full"/>, and deletes make room again: a sixteenth of the size, and 16 pages at least, is kept for them
    /// (<see cref="WriteBatch.MayUseReserve"/>). The write-ahead log comes on top.
    /// </summary>
    public long? MaxFileBytes { get; set; }

    /// <summary>
    /// True if the structure of the file is checked when it is opened, which it is unless set. Entries have checksums, but a page that the disk has put in the
    /// place of another one hides entries, and nobody would miss them. So the file is read once, at the speed of the disk (about 1 GB a second where the
    /// operating system has it in memory), and a damaged one is refused with <see cref="StorageError.Corrupt"/>.
    /// </summary>
    public bool CheckOnOpen { get; set; } = true;

    internal SqliteStorageOptions Clone() => (SqliteStorageOptions)MemberwiseClone();

    internal void Validate()
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(CacheBytes, 64 * 1024, nameof(CacheBytes));
        if (PageSize is < 512 or > 65536 || !int.IsPow2(PageSize))
            throw new ArgumentOutOfRangeException(nameof(PageSize), PageSize, "A page size is a power of two from 512 to 65536.");
        ArgumentOutOfRangeException.ThrowIfNegative(MaxPooledReaders, nameof(MaxPooledReaders));
        ArgumentOutOfRangeException.ThrowIfLessThan(CheckpointBytes, 65536, nameof(CheckpointBytes));
        if (MaxFileBytes is { } maxFileBytes)
            ArgumentOutOfRangeException.ThrowIfLessThan(maxFileBytes, 64 * PageSize, nameof(MaxFileBytes));
        ArgumentOutOfRangeException.ThrowIfLessThan(BusyTimeout, TimeSpan.Zero, nameof(BusyTimeout));
        ArgumentOutOfRangeException.ThrowIfGreaterThan(BusyTimeout, TimeSpan.FromHours(1), nameof(BusyTimeout));
    }
}
