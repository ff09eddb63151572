namespace Datacake.Node.Tests;

/// <summary>The system's clock, whose wall clock is wrong by an offset that can be changed.</summary>
sealed class ShiftedTime(TimeSpan offset) : TimeProvider
{
    long _offset = offset.Ticks;

    public TimeSpan Offset
    {
        get => TimeSpan.FromTicks(Volatile.Read(ref _offset));
        set => Volatile.Write(ref _offset, value.Ticks);
    }

    public override DateTimeOffset GetUtcNow() => base.GetUtcNow() + Offset;
}
