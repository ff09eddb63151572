namespace Datacake.Tests;

/// <summary>The system clock with a wall clock that is wrong by a fixed offset.</summary>
sealed class ShiftedTime(TimeSpan offset = default) : TimeProvider
{
    long _offset = offset.Ticks;

    /// <summary>Gets or sets how far the wall clock is ahead of the real time.</summary>
    public TimeSpan Offset
    {
        get => TimeSpan.FromTicks(Volatile.Read(ref _offset));
        set => Volatile.Write(ref _offset, value.Ticks);
    }

    public override DateTimeOffset GetUtcNow() => base.GetUtcNow() + Offset;
}
