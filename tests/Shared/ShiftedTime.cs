namespace Datacake.Tests;

/// <summary>The clock of the system, with a wall clock that is wrong by an offset.</summary>
sealed class ShiftedTime(TimeSpan offset = default) : TimeProvider
{
    long _offset = offset.Ticks;

    /// <summary>The lead of the wall clock over the real time.</summary>
    public TimeSpan Offset
    {
        get => TimeSpan.FromTicks(Volatile.Read(ref _offset));
        set => Volatile.Write(ref _offset, value.Ticks);
    }

    public override DateTimeOffset GetUtcNow() => base.GetUtcNow() + Offset;
}
