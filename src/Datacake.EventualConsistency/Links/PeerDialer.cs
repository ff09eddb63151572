using System.Globalization;
using Datacake.EventualConsistency.Membership;
using Datacake.Node;
using Datacake.Rpc;

namespace Datacake.EventualConsistency.Links;

/// <summary>
/// Dials one member whenever there is no session with it. Either side of two members dials, for it may be the only one that can reach the other; the one with the
/// higher id waits a little longer, so that mostly one of them does.
/// </summary>
sealed class PeerDialer : IAsyncDisposable
{
    static readonly TimeSpan FirstRetry = TimeSpan.FromMilliseconds(50);
    static readonly TimeSpan LastRetry = TimeSpan.FromSeconds(5);

    /// <summary>A session that lasted less counts as a failed attempt.</summary>
    static readonly TimeSpan ShortSession = TimeSpan.FromSeconds(1);

    /// <summary>The additional time that the node with the higher id waits.</summary>
    static readonly TimeSpan Courtesy = TimeSpan.FromMilliseconds(250);

    readonly SessionContext _context;
    readonly SessionRunner _sessions;
    readonly byte _peer;
    readonly WakeUp _wakeUp;
    readonly Random _random;            // differs from pair to pair, so that nodes that failed together do not dial together
    readonly CancellationTokenSource _stopping;
    readonly Task _running;
    volatile ClusterMember _member;
    volatile bool _isNews;              // of the member: what failed before may succeed now

    /// <summary>Starts to dial.</summary>
    public PeerDialer(SessionContext context, SessionRunner sessions, ClusterMember member)
    {
        _context = context;
        _sessions = sessions;
        _peer = member.NodeId;
        _member = member;
        _random = new Random((context.Node.Id << 8) | _peer);
        _wakeUp = new WakeUp(context.Node.TimeProvider);
        _stopping = CancellationTokenSource.CreateLinkedTokenSource(context.Stopping);
        _running = Task.Run(RunAsync);
    }

    /// <summary>Takes note of what gossip says of the member.</summary>
    public void Update(ClusterMember member)
    {
        var before = _member;
        _member = member;
        if (member.Address == before.Address && member.Generation == before.Generation && (before.IsUp || !member.IsUp))
            return;
        _isNews = true;
        _wakeUp.Call();
    }

    /// <summary>Takes note that the session with the member was opened or has ended.</summary>
    public void OnSessionChanged() => _wakeUp.Call();

    /// <summary>Stops, and ends the session if this node has dialed it.</summary>
    public async ValueTask DisposeAsync()
    {
        await _stopping.CancelAsync().ConfigureAwait(false);
        await _running.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        _stopping.Dispose();
        _context.Conditions.Forget(_peer);
    }

    async Task RunAsync()
    {
        int failures = 0;
        while (true)
        {
            if (_isNews)
            {
                _isNews = false;
                failures = 0;
            }
            if (_context.Links.Find(_peer) is not null)
            {
                failures = await WaitForEndAsync().ConfigureAwait(false) ? 0 : failures + 1;
                continue;
            }
            // A call means that there is a session now, or that the wait need not be as long.
            var pause = PauseAfter(failures);
            if (pause > TimeSpan.Zero && await _wakeUp.WaitAsync(pause, _stopping.Token).ConfigureAwait(false))
                continue;
            if (_context.Links.Find(_peer) is null)
                failures = await DialAsync().ConfigureAwait(false) ? 0 : failures + 1;
        }
    }

    /// <summary>Waits until the session ends that the member has dialed. Returns whether it lasted.</summary>
    async Task<bool> WaitForEndAsync()
    {
        long started = _context.Node.TimeProvider.GetTimestamp();
        while (_context.Links.Find(_peer) is not null)
            await _wakeUp.WaitAsync(null, _stopping.Token).ConfigureAwait(false);
        return _context.Node.TimeProvider.GetElapsedTime(started) > ShortSession;
    }

    /// <summary>Dials once, and returns when the session has ended, if one was opened. Returns whether it lasted.</summary>
    async Task<bool> DialAsync()
    {
        var time = _context.Node.TimeProvider;
        long started = time.GetTimestamp();
        var outcome = await OutcomeOfDialAsync().ConfigureAwait(false);
        _stopping.Token.ThrowIfCancellationRequested();
        if (outcome.WasOpen)
            _context.Conditions.OnEnded(_peer, outcome);
        else if (_context.Links.Find(_peer) is null)        // the member may have dialed meanwhile
            _context.Conditions.OnFailed(_peer, outcome);
        return outcome.WasOpen && time.GetElapsedTime(started) > ShortSession;
    }

    async Task<SessionOutcome> OutcomeOfDialAsync()
    {
        var options = new RpcCallOptions
        {
            Timeout = SessionRunner.HelloTimeout,
            Headers = new RpcHeaders(KeyValuePair.Create(SessionService.DialedHeader, _peer.ToString(CultureInfo.InvariantCulture))),
        };
        try
        {
            var stream = await _context.Node.ChannelTo(_member.Address)
                .OpenStreamAsync(SessionService.ServiceName, SessionService.SessionMessage, options, _stopping.Token).ConfigureAwait(false);
            await using (stream.ConfigureAwait(false))
                return await _sessions.RunDialedAsync(stream, _peer, _stopping.Token).ConfigureAwait(false);
        }
        catch (Exception e) when (e is RpcException or OperationCanceledException or ObjectDisposedException)
        {
            return new SessionOutcome(false, e.Message.TrimEnd('.'));
        }
        catch (Exception e)
        {
            // Whatever it is, the member has to be dialed again.
            return new SessionOutcome(false, e.Message.TrimEnd('.'), IsLasting: true, Failure: e);
        }
    }

    TimeSpan PauseAfter(int failures)
    {
        var retry = failures == 0 ? TimeSpan.Zero : TimeSpan.FromTicks(Math.Min(FirstRetry.Ticks << Math.Min(failures - 1, 10), LastRetry.Ticks));
        var jittered = retry * (1 - _random.NextDouble() / 4);
        return _context.Node.Id < _peer ? jittered : jittered + Courtesy;
    }
}
