using System.Collections.Concurrent;
using Datacake.Crdt;
using Datacake.Node.Diagnostics;
using Datacake.Node.Gossip;
using Microsoft.Extensions.Logging;

namespace Datacake.Node.Network;

/// <summary>
/// The clocks of other nodes, as seen in their accepted messages. The stamps of nodes whose wall clocks agree with this machine's move the
/// cluster clock forward. A lasting difference is logged. Called by one thread at a time; the offsets can be read by any thread.
/// </summary>
sealed class PeerClocks(byte nodeId, HybridLogicalClock clock, TimeSpan maxDifference, TimeProvider time, NodeMetrics metrics, ILogger logger)
{
    /// <summary>
    /// The number of consecutive messages that must show a difference before it is logged. A single message may be late because it was in
    /// transit for long, or because this process was paused.
    /// </summary>
    const int MessagesBeforeLog = 3;

    readonly ConcurrentDictionary<byte, TimeSpan> _offsets = new();
    readonly Dictionary<byte, int> _exceeded = [];

    /// <summary>Gets the wall clock of each peer minus this machine's wall clock, according to the peer's last message.</summary>
    public IReadOnlyDictionary<byte, TimeSpan> Offsets => _offsets;

    /// <summary>Processes the clocks of the sender of an accepted message.</summary>
    public void Take(GossipSender sender)
    {
        if (sender.WallClock is not { } unixMilliseconds || sender.Id.NodeId is not { } peer)
            return;
        var now = time.GetUtcNow();
        var theirs = DateTimeOffset.FromUnixTimeMilliseconds(Math.Clamp(unixMilliseconds, 0, DateTimeOffset.MaxValue.ToUnixTimeMilliseconds()));
        _offsets[peer] = theirs - now;
        var isExceeded = (theirs - now).Duration() > maxDifference;
        Log(peer, sender.Id, now, theirs, isExceeded);
        if (isExceeded || sender.Stamp == 0)
            return;
        var stamp = new HlcTimestamp(sender.Stamp);
        metrics.DriftSeen(stamp.Time - now);
        if (clock.Accepts(stamp))
            clock.AdvanceTo(stamp);
    }

    void Log(byte peer, GossipId id, DateTimeOffset now, DateTimeOffset theirs, bool isExceeded)
    {
        var count = isExceeded ? Math.Min(_exceeded.GetValueOrDefault(peer) + 1, MessagesBeforeLog + 1) : 0;
        if (count == MessagesBeforeLog)
            NodeLog.ClocksDiffer(logger, nodeId, now, id, theirs, (theirs - now).Duration(), maxDifference);
        else if (!isExceeded && _exceeded.GetValueOrDefault(peer) >= MessagesBeforeLog)
            NodeLog.ClocksAgree(logger, nodeId, now, id, theirs);
        _exceeded[peer] = count;
    }
}
