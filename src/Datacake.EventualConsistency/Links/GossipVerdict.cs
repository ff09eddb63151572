using Datacake.Node;

namespace Datacake.EventualConsistency.Links;

/// <summary>
/// Gossip's verdict on a peer during one session. A session of which gossip says for a while that the other side is down ends: the connection is most
/// likely gone without a word. One that was opened in spite of that verdict stays, for gossip may be wrong where the connection works.
/// </summary>
sealed class GossipVerdict
{
    /// <summary>The time that gossip has to see a peer as down before its session ends; short pauses end no session.</summary>
    static readonly TimeSpan Patience = TimeSpan.FromSeconds(3);

    bool _wasUp;
    long? _downSince;

    /// <summary>Takes note of the verdict.</summary>
    /// <returns>True if the session has to end.</returns>
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
        return time.GetElapsedTime(_downSince.Value, now) > Patience;
    }
}
