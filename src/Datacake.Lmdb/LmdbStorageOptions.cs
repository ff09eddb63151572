using Datacake.Storage;

namespace Datacake.Lmdb;

/// <summary>How an LMDB file is opened.</summary>
public sealed class LmdbStorageOptions
{
    /// <summary>
    /// The address space that is reserved for the file, in bytes; 64 GiB unless set. It costs neither memory nor disk. A file that needs
    /// more gets twice as much, whatever snapshots are open; but for a moment then nothing can be read.
    /// </summary>
    public long MapBytes { get; set; } = 64L * 1024 * 1024 * 1024;

    /// <summary>
    /// The size beyond which the file must not grow, in bytes, and 1 MiB at least; no limit unless set. A commit that would need more fails with
    /// <see cref="StorageError.Full"/>, and deletes make room again: a sixteenth of the size is kept for them
    /// (<see cref="WriteBatch.MayUseReserve"/>), and 4 MiB at least, or a quarter of a smaller file: LMDB writes each page that it changes to another place.
    /// </summary>
    public long? MaxFileBytes { get; set; }

    /// <summary>How many snapshots may be open at once; 1024 unless set. Each takes 64 bytes of the lock file.</summary>
    public int MaxSnapshots { get; set; } = 1024;

    /// <summary>
    /// Whether a <see cref="Durability.Buffered"/> commit leaves all writing to the operating system; false unless set.
    /// </summary>
    /// <remarks>
    /// LMDB has no log: it stays sound after a loss of power because the pages of a commit are on the disk before the page that makes
    /// them valid. So a buffered commit still waits for the disk once (a flushed one twice). With this set it does not wait
    /// at all, and is as fast as memory; but a loss of power after it may leave a file that cannot be read. A crash of the process
    /// loses nothing either way. For data that the other nodes can send again.
    /// </remarks>
    public bool RiskFileOnPowerLoss { get; set; }

    /// <summary>
    /// Whether the structure of the file is checked when it is opened; true unless set. LMDB trusts its file, and a page that the disk has changed can end the
    /// process; so the file is read once, at the speed of the disk, and a damaged one is refused with <see cref="StorageError.Corrupt"/>.
    /// </summary>
    public bool CheckOnOpen { get; set; } = true;

    internal LmdbStorageOptions Clone() => (LmdbStorageOptions)MemberwiseClone();

    internal void Validate()
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(MapBytes, 1024 * 1024, nameof(MapBytes));
        if (MaxFileBytes is { } maxFileBytes)
            ArgumentOutOfRangeException.ThrowIfLessThan(maxFileBytes, 1024 * 1024, nameof(MaxFileBytes));
        ArgumentOutOfRangeException.ThrowIfLessThan(MaxSnapshots, 1, nameof(MaxSnapshots));
        ArgumentOutOfRangeException.ThrowIfGreaterThan(MaxSnapshots, 1_000_000, nameof(MaxSnapshots));
    }
}
