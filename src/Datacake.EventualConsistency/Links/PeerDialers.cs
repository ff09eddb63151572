using Datacake.Node;

namespace Datacake.EventualConsistency.Links;

/// <summary>
/// The dialers of all members other than this node. A member has a dialer from when gossip sees it until it leaves or is forgotten.
/// </summary>
sealed class PeerDialers(SessionContext context, SessionRunner sessions) : IAsyncDisposable
{
    readonly PeerDialer?[] _dialers = new PeerDialer?[byte.MaxValue + 1];       // by node id; changed by one caller at a time

    /// <summary>Starts, updates or stops the dialer of a member that has changed. Called by one caller at a time.</summary>
    public async ValueTask UpdateAsync(MembershipChange change)
    {
        var member = change.Member;
        if (member.NodeId == context.Node.Id)
            return;
        bool isWanted = member.State != MemberState.Left && change.Kind != MembershipChangeKind.Forgotten;
        ref var dialer = ref _dialers[member.NodeId];
        if (isWanted && dialer is not null)
            dialer.Update(member);
        else if (isWanted)
            dialer = new PeerDialer(context, sessions, member);
        else
            await StopAsync(member.NodeId).ConfigureAwait(false);
    }

    /// <summary>Wakes the dialer of a member, because the session with it was opened or has ended.</summary>
    public void OnSessionChanged(byte peer) => _dialers[peer]?.OnSessionChanged();

    /// <summary>Stops dialing, and ends the sessions that this node has dialed.</summary>
    public async ValueTask DisposeAsync() =>
        await Task.WhenAll(Enumerable.Range(0, _dialers.Length).Select(peer => StopAsync(peer).AsTask())).ConfigureAwait(false);

    async ValueTask StopAsync(int peer)
    {
        if (Interlocked.Exchange(ref _dialers[peer], null) is { } dialer)
            await dialer.DisposeAsync().ConfigureAwait(false);
    }
}
