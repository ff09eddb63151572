using System.Globalization;
using Datacake.EventualConsistency.Membership;
using Datacake.Node;
using Datacake.Rpc;

namespace Datacake.EventualConsistency.Links;

/// <summary>
/// The dialer of one member, which dials whenever there is no session with it. Both nodes of a pair dial, because only one of them may be
/// able to reach the other. The node with the higher id waits a little longer, so that usually only one of them dials. A retired member is not dialed, until gossip sees a new
/// life of its node.
/// </summary>
sealed class PeerDialer : IAsyncDisposable
{
    static readonly TimeSpan FirstRetry = TimeSpan.FromMilliseconds(50);
    static readonly TimeSpan LastRetry = TimeSpan.FromSeconds(5);

    /// <summary>The duration up to which a session counts as a failed attempt.</summary>
    static readonly TimeSpan ShortSession = TimeSpan.FromSeconds(1);

    /// <summary>The additional time that the node with the higher id waits.</summary>
    static readonly TimeSpan HigherIdDelay = TimeSpan.FromMilliseconds(250);

    readonly SessionContext _context;
    readonly SessionRunner _sessions;
    readonly byte _peer;
    readonly WakeUp _wakeUp;
    readonly Random _random;            // seeded by the pair, so that nodes that failed at the same time do not dial at the same time
    readonly CancellationTokenSource _stopping;
    readonly Task _running;
    volatile ClusterMember _member;
    volatile bool _hasNews;             // the member has changed, so that what failed before may succeed

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

    /// <summary>Takes over what gossip says about the member.</summary>
    public void Update(ClusterMember member)
    {
        var before = _member;
        _member = member;
        if (member.Address == before.Address && member.Generation == before.Generation && (before.IsUp || !member.IsUp))
            return;
        _hasNews = true;
        _wakeUp.Call();
    }

    /// <summary>Wakes the dialer, because the session with the member was opened or has ended.</summary>
    public void OnSessionChanged() => _wakeUp.Call();

    /// <summary>Stops dialing, and ends the session if this node has dialed it.</summary>
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
        bool isRetired = false;
        while (true)
        {
            if (_hasNews)
            {
                _hasNews = false;
                failures = 0;
                isRetired = false;
            }
            if (_context.Links.Find(_peer) is not null)
            {
                failures = await WaitForEndAsync().ConfigureAwait(false) ? 0 : failures + 1;
                continue;
            }
            // The node may have a new store when gossip sees it again. Whether it is a member can change without news of gossip.
            if (isRetired || (!_member.IsUp && _context.Membership.IsStranger(_peer)))
            {
                await _wakeUp.WaitAsync(isRetired ? null : LastRetry, _stopping.Token).ConfigureAwait(false);
                continue;
            }
            // The dialer is woken if a session is open, or if the pause can be cut short.
            var pause = PauseAfter(failures);
            if (pause > TimeSpan.Zero && await _wakeUp.WaitAsync(pause, _stopping.Token).ConfigureAwait(false))
                continue;
            if (_context.Links.Find(_peer) is null)
            {
                (bool hasLasted, isRetired) = await DialAsync().ConfigureAwait(false);
                failures = hasLasted ? 0 : failures + 1;
            }
        }
    }

    /// <summary>Waits until the session that the member has dialed ends. Returns true if the session lasted.</summary>
    async Task<bool> WaitForEndAsync()
    {
        long started = _context.Node.TimeProvider.GetTimestamp();
        while (_context.Links.Find(_peer) is not null)
            await _wakeUp.WaitAsync(null, _stopping.Token).ConfigureAwait(false);
        return _context.Node.TimeProvider.GetElapsedTime(started) > ShortSession;
    }

    /// <summary>
    /// Dials once and, if a session is opened, waits until it has ended. Returns whether the session lasted, and whether it was refused because the store of the member is retired.
    /// </summary>
    async Task<(bool HasLasted, bool IsRetired)> DialAsync()
    {
        var time = _context.Node.TimeProvider;
        long started = time.GetTimestamp();
        var outcome = await OutcomeOfDialAsync().ConfigureAwait(false);
        _stopping.Token.ThrowIfCancellationRequested();
        if (outcome.WasOpen)
            _context.Conditions.OnEnded(_peer, outcome);
        else if (_context.Links.Find(_peer) is null)        // the member may have dialed meanwhile
            _context.Conditions.OnFailed(_peer, outcome);
        return (outcome.WasOpen && time.GetElapsedTime(started) > ShortSession, outcome.IsFinal);
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
                .OpenStreamAsync(_context.Host.ServiceName, SessionService.SessionMessage, options, _stopping.Token).ConfigureAwait(false);
            await using (stream.ConfigureAwait(false))
                return await _sessions.RunDialedAsync(stream, _peer, _stopping.Token).ConfigureAwait(false);
        }
        catch (Exception e) when (e is RpcException or OperationCanceledException or ObjectDisposedException)
        {
            return new SessionOutcome(false, e.Message.TrimEnd('.'));
        }
        catch (Exception e)
        {
            // The member must be dialed again, whatever the failure is.
            return new SessionOutcome(false, e.Message.TrimEnd('.'), IsLasting: true, Failure: e);
        }
    }

    TimeSpan PauseAfter(int failures)
    {
        var retry = failures == 0 ? TimeSpan.Zero : TimeSpan.FromTicks(Math.Min(FirstRetry.Ticks << Math.Min(failures - 1, 10), LastRetry.Ticks));
        var jittered = retry * (1 - _random.NextDouble() / 4);
        return _context.Node.Id < _peer ? jittered : jittered + HigherIdDelay;
    }
}
