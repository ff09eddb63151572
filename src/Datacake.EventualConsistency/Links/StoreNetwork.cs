using Datacake.EventualConsistency.Membership;
using Datacake.Node;

namespace Datacake.EventualConsistency.Links;

/// <summary>
/// The network side of a store: dials its members, accepts the sessions that they dial, and follows what gossip says about them.
/// </summary>
sealed class StoreNetwork : IAsyncDisposable
{
    readonly SessionContext _context;
    readonly CurrentMembership _membership;
    readonly Action _onNews;
    readonly PeerDialers _dialers;
    readonly SessionService _service;
    readonly Task _following;

    /// <summary>Starts to open sessions.</summary>
    /// <param name="context">The parts of the store.</param>
    /// <param name="membership">The view of the members, which is refreshed when gossip reports a change.</param>
    /// <param name="onNews">Called after each change that gossip reports.</param>
    public StoreNetwork(SessionContext context, CurrentMembership membership, Action onNews)
    {
        _context = context;
        _membership = membership;
        _onNews = onNews;
        var sessions = new SessionRunner(context);
        _dialers = new PeerDialers(context, sessions);
        _service = new SessionService(context, sessions);
        context.Links.Changed += _dialers.OnSessionChanged;
        context.Node.Server.AddService(_service);
        _following = Task.Run(FollowGossipAsync);
    }

    /// <summary>Ends the sessions with peers that gossip has reported as down for a while. Called on the commit loop.</summary>
    public void EndSilentSessions()
    {
        if (_context.Links.All.Count == 0)
            return;
        var members = _context.Host.Members;
        foreach (var link in _context.Links.All)
        {
            if (!link.Verdict.IsOver(members.FirstOrDefault(member => member.NodeId == link.Peer)?.State, _context.Node.TimeProvider))
                continue;
            _context.Links.Remove(link);
            _context.Replica.CloseSession(link.Peer, link.Session);
            link.End(new LinkEnd("its heartbeats have stopped"));
        }
    }

    /// <summary>Ends all sessions. The context's token must be canceled before.</summary>
    public async ValueTask DisposeAsync()
    {
        _context.Node.Server.RemoveService(_service.Name);
        await _following.ConfigureAwait(false);
        _context.Links.Changed -= _dialers.OnSessionChanged;
        await _dialers.DisposeAsync().ConfigureAwait(false);
        await _service.StopAsync().ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
    }

    async Task FollowGossipAsync()
    {
        try
        {
            await foreach (var change in _context.Host.WatchMembersAsync(_context.Stopping).ConfigureAwait(false))
            {
                await _dialers.UpdateAsync(change).ConfigureAwait(false);
                await RefreshAsync().ConfigureAwait(false);
                _onNews();
            }
        }
        catch (OperationCanceledException) when (_context.Stopping.IsCancellationRequested)
        {
            // The store is closing.
        }
    }

    async ValueTask RefreshAsync()
    {
        try
        {
            await _context.Loop.RunAsync((_, _) =>
            {
                _membership.RefreshFromGossip();
                return ValueTask.FromResult(true);
            }, _context.Stopping).ConfigureAwait(false);
        }
        catch (Exception)
        {
            // The store is closing, or its storage refuses a batch, which is logged. The next tick looks at gossip again.
        }
    }
}
