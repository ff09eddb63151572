namespace Datacake.Trials.Worker;

/// <summary>The system's time with a wall clock that is wrong by an adjustable amount. Timers are right.</summary>
sealed class ShiftedTime : TimeProvider
{
    long _offsetTicks;

    public TimeSpan Offset
    {
        get => TimeSpan.FromTicks(Interlocked.Read(ref _offsetTicks));
        set => Interlocked.Exchange(ref _offsetTicks, value.Ticks);
    }

    public override DateTimeOffset GetUtcNow() => base.GetUtcNow() + Offset;
}
