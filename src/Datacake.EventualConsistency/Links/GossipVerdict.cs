using Datacake.Node;

namespace Datacake.EventualConsistency.Links;

/// <summary>
/// Gossip's verdict on a peer during one session. The session ends if gossip reports the peer as down for a while, because the connection
/// has most likely broken silently. A session that was opened in spite of that verdict stays open, because gossip may be wrong while the
/// connection works.
/// </summary>
sealed class GossipVerdict
{
    /// <summary>The time for which gossip must report a peer as down before its session ends. Short pauses end no session.</summary>
    static readonly TimeSpan DownTimeout = TimeSpan.FromSeconds(3);

    bool _wasUp;
    long? _downSince;

    /// <summary>Records the verdict.</summary>
    /// <returns>True if the session must end.</returns>
    public bool IsOver(MemberState? state, TimeProvider time)
    {
        if (state != MemberState.Down || !_wasUp)
        {
            _wasUp |= state == MemberState.Up;
            _downSince = null;
            return false;
        }
        long now = time.GetTimestamp();
        _downSince ??= now;
        return time.GetElapsedTime(_downSince.Value, now) > DownTimeout;
    }
}
