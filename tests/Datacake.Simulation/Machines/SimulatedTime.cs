using Datacake.Crdt;
using Datacake.EventualConsistency.Replication;

namespace Datacake.Simulation.Machines;

/// <summary>The time of the simulated world, which passes only on demand.</summary>
sealed class SimulatedTime
{
    /// <summary>The step by which time passes and clocks are wrong: 64 of them make up the lease of a clock [R1].</summary>
    public static readonly TimeSpan Unit = StampLimit.Lease / 64;

    public DateTimeOffset Now { get; private set; } = HlcTimestamp.Epoch + (1000 * Unit);

    public void Pass(TimeSpan time) => Now += time;
}
