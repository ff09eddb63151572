using System.Globalization;

namespace Datacake.Crdt;

/// <summary>A remote stamp is further ahead of this machine's clock than clocks may differ: one of the two clocks is wrong.</summary>
public sealed class ClockDriftException : Exception
{
    /// <summary>Creates the exception.</summary>
    public ClockDriftException(HlcTimestamp stamp, byte localNode, DateTimeOffset localTime)
        : base(string.Create(CultureInfo.InvariantCulture,
            $"Refused the stamp {stamp} of node {stamp.Node}: its clock shows {stamp.Time:u}, the clock of this node ({localNode}) shows "
            + $"{localTime:u}, and they may differ by at most {HybridLogicalClock.MaxDrift.TotalSeconds:0} s. "
            + $"Set the wrong one of the two clocks right (NTP)."))
    {
        Stamp = stamp;
        LocalTime = localTime;
    }

    /// <summary>The stamp that was refused.</summary>
    public HlcTimestamp Stamp { get; }

    /// <summary>What this machine's clock showed.</summary>
    public DateTimeOffset LocalTime { get; }
}
