namespace Datacake.Simulation.Machines;

/// <summary>A machine's wall clock, which may be wrong and can be set.</summary>
sealed class SimulatedClock(SimulatedTime time) : TimeProvider
{
    /// <summary>Gets or sets how far the clock leads the world's time.</summary>
    public TimeSpan Offset { get; set; }

    public override long TimestampFrequency => TimeSpan.TicksPerSecond;

    public override DateTimeOffset GetUtcNow() => time.Now + Offset;

    /// <summary>Returns the world's time, which no machine can set.</summary>
    public override long GetTimestamp() => time.Now.Ticks;
}
