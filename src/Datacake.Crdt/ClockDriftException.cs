using System.Globalization;

namespace Datacake.Crdt;

/// <summary>
/// The exception that is thrown when a remote stamp leads this node's clock by too much; see <see cref="HybridLogicalClock.Accepts"/>.
/// </summary>
public sealed class ClockDriftException : Exception
{
    /// <summary>Creates the exception.</summary>
    public ClockDriftException(HlcTimestamp stamp, byte localNode, DateTimeOffset localTime)
        : base(string.Create(CultureInfo.InvariantCulture,
            $"Node {localNode} refused the stamp {stamp} of node {stamp.Node}. The time of the stamp is {stamp.Time:u}, but the wall clock "
            + $"of node {localNode} shows {localTime:u}. A stamp may lead it by at most {HybridLogicalClock.MaxLead.TotalDays:0} days. "
            + $"Correct the wall clock of node {localNode} if it is wrong. If the clocks of the cluster were once that far ahead, accept "
            + $"its stamps explicitly."))
    {
        Stamp = stamp;
        LocalTime = localTime;
    }

    /// <summary>Gets the stamp that was refused.</summary>
    public HlcTimestamp Stamp { get; }

    /// <summary>Gets the time that this machine's wall clock showed.</summary>
    public DateTimeOffset LocalTime { get; }
}
