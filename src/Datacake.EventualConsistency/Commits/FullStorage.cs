namespace Datacake.EventualConsistency.Commits;

/// <summary>
/// The rule by which a storage that was full counts as having room again. A commit that needs less room than the refused one does not show that there is room for that one:
/// on a full disk, small commits still fit. So the storage has room once it accepts a commit that needs about as much, or once nothing was refused for a while. That while
/// doubles if the storage is refused something again soon after it, so that a store at its limit does not change its state again and again. Used by one caller at a time.
/// </summary>
/// <param name="time">The clock.</param>
sealed class FullStorage(TimeProvider time)
{
    /// <summary>The time without a refusal after which a smaller commit shows that there is room.</summary>
    public static readonly TimeSpan FirstWait = TimeSpan.FromSeconds(10);

    /// <summary>The maximum of that time, after which a refusal is also no longer a relapse.</summary>
    public static readonly TimeSpan LongestWait = TimeSpan.FromMinutes(10);

    TimeSpan _wait = FirstWait;
    long _refusedBytes;             // the room that the refused commit needs; meaningful while the storage is full
    long _refusedAt;
    long? _clearedAt;               // when the storage counted as having room, because nothing was refused for a while; otherwise null

    /// <summary>Records that the storage has refused a commit because it is full.</summary>
    /// <param name="bytes">The room that the commit needs.</param>
    public void OnRefused(long bytes)
    {
        if (_clearedAt is { } cleared)
            _wait = time.GetElapsedTime(cleared) < LongestWait ? TimeSpan.FromTicks(Math.Min(_wait.Ticks * 2, LongestWait.Ticks)) : FirstWait;
        _clearedAt = null;
        _refusedBytes = bytes;
        _refusedAt = time.GetTimestamp();
    }

    /// <summary>Records that the storage, which is full, has accepted a commit outside its reserve. Returns true if that shows that it has room again.</summary>
    /// <param name="bytes">The room that the commit needs.</param>
    public bool HasRoomAfter(long bytes)
    {
        // The same writes need a little more or less at another time, because the replica adds what it knows of others.
        if (bytes >= _refusedBytes - (_refusedBytes / 8))
        {
            _wait = FirstWait;
            return true;
        }
        if (time.GetElapsedTime(_refusedAt) < _wait)
            return false;
        _clearedAt = time.GetTimestamp();
        return true;
    }
}
