using System.Globalization;

namespace Datacake.Crdt;

/// <summary>A remote stamp leads this node's clock by more than <see cref="HybridLogicalClock.MaxLead"/>.</summary>
public sealed class ClockDriftException : Exception
{
    /// <summary>Creates the exception.</summary>
    public ClockDriftException(HlcTimestamp stamp, byte localNode, DateTimeOffset localTime)
        : base(string.Create(CultureInfo.InvariantCulture,
            $"Node {localNode} refused the stamp {stamp} of node {stamp.Node}. The stamp is of {stamp.Time:u}, the wall clock of node {localNode} shows "
            + $"{localTime:u}, and stamps may lead by at most {HybridLogicalClock.MaxLead.TotalDays:0} days. Set the wall clock of node {localNode} right if it "
            + $"is wrong; if the cluster's clocks were once that far ahead, accept its stamps explicitly."))
    {
        Stamp = stamp;
        LocalTime = localTime;
    }

    /// <summary>The stamp that was refused.</summary>
    public HlcTimestamp Stamp { get; }

    /// <summary>The time that this machine's wall clock showed.</summary>
    public DateTimeOffset LocalTime { get; }
}
