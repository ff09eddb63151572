using Datacake.Crdt;
using Datacake.EventualConsistency.Replication;

namespace Datacake.Simulation;

/// <summary>The time of the simulated world, which passes only on demand.</summary>
sealed class SimulatedTime
{
    /// <summary>The step by which time passes and clocks are wrong: 64 of them make up the lease of a clock [R1].</summary>
    public static readonly TimeSpan Unit = StampLimit.Lease / 64;

    public DateTimeOffset Now { get; private set; } = HlcTimestamp.Epoch + (1000 * Unit);

    public void Pass(TimeSpan time) => Now += time;
}

/// <summary>A machine's wall clock, which may be wrong and can be set.</summary>
sealed class SimulatedClock(SimulatedTime time) : TimeProvider
{
    /// <summary>Gets or sets how far the clock leads the world's time.</summary>
    public TimeSpan Offset { get; set; }

    public override DateTimeOffset GetUtcNow() => time.Now + Offset;
}
