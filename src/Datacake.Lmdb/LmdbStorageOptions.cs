using Datacake.Storage;

namespace Datacake.Lmdb;

/// <summary>The options for opening an LMDB file.</summary>
public sealed class LmdbStorageOptions
{
    /// <summary>
    /// Gets or sets the address space that is reserved for the file, in bytes. The default is 64 GiB. It takes neither memory nor disk
    /// space. When the file needs more, the address space doubles, even while snapshots are open. Reads are blocked briefly meanwhile.
    /// </summary>
    public long MapBytes { get; set; } = 64L * 1024 * 1024 * 1024;

    /// <summary>
    /// Gets or sets the maximum size of the file, in bytes: at least 1 MiB. The default is no limit. A commit that needs more fails with
    /// <see cref="StorageError.Full"/>. Deletes make room again: a sixteenth of the size is reserved for them, but at least 4 MiB, or a
    /// quarter if the size is below 16 MiB (<see cref="WriteBatch.MayUseReserve"/>). The reserve is needed because LMDB writes each changed
    /// page to another place.
    /// </summary>
    public long? MaxFileBytes { get; set; }

    /// <summary>
    /// Gets or sets the maximum number of open snapshots, from 1 to 1,000,000. The default is 1024. Each takes 64 bytes of the lock file.
    /// </summary>
    public int MaxSnapshots { get; set; } = 1024;

    /// <summary>
    /// Gets or sets whether a <see cref="Durability.Buffered"/> commit leaves all writing to the operating system. The default is
    /// <see langword="false"/>.
    /// </summary>
    /// <remarks>
    /// LMDB has no log. It survives a loss of power because the pages of a commit are on the disk before the page that makes them valid.
    /// Therefore, even a buffered commit waits for the disk once (a flushed commit waits twice). With this option, a buffered commit does
    /// not wait at all and is as fast as memory, but a loss of power may leave a file that cannot be read. A crash of the process loses
    /// nothing in either case. Set this option only for data that other nodes can send again.
    /// </remarks>
    public bool RiskFileOnPowerLoss { get; set; }

    /// <summary>
    /// Gets or sets whether the structure of the file is checked when it is opened. The default is <see langword="true"/>. LMDB trusts its
    /// file, and a page that the disk has damaged can crash the process. The check reads the whole file at the speed of the disk, and a
    /// damaged file is refused with <see cref="StorageError.Corrupt"/>.
    /// </summary>
    public bool CheckOnOpen { get; set; } = true;

    internal static LmdbStorageOptions From(Action<LmdbStorageOptions>? configure)
    {
        var options = new LmdbStorageOptions();
        configure?.Invoke(options);
        return options;
    }

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
