namespace Datacake.Testing;

/// <summary>The system clock with a wall clock that is wrong by a chosen offset. Timers run in real time. Thread-safe.</summary>
public sealed class TestClock : TimeProvider
{
    long _offset;

    /// <summary>Gets or sets how far the wall clock is ahead of the real time. Default: zero.</summary>
    public TimeSpan Offset
    {
        get => TimeSpan.FromTicks(Volatile.Read(ref _offset));
        set => Volatile.Write(ref _offset, value.Ticks);
    }

    /// <inheritdoc/>
    public override DateTimeOffset GetUtcNow() => base.GetUtcNow() + Offset;
}
