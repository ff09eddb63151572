using System.Collections.Concurrent;
using Datacake.Node.Gossip;
using Microsoft.Extensions.Logging;

namespace Datacake.Node;

/// <summary>
/// Drives the gossip of a node: rounds by the clock, exchanges with others, what comes in from them. Everything that touches the
/// state machine does so under one lock, for microseconds. It owns the metrics. Thread-safe.
/// </summary>
sealed class GossipLoop : IAsyncDisposable
{
    static readonly TimeSpan ResolveIntervalAlone = TimeSpan.FromSeconds(5);

    /// <summary>A refusal or garbage that was not seen for so long has ended.</summary>
    static readonly TimeSpan Quiet = TimeSpan.FromMinutes(2);

    const string FailingRounds = "rounds";

    readonly string _clusterId;
    readonly GossipOptions _options;
    readonly TimeProvider _time;
    readonly PeerClocks _clocks;
    readonly IGossipLink _link;
    readonly Seeds _seeds;
    readonly MembershipView _view;
    readonly NodeMetrics _metrics;
    readonly ILogger _logger;
    readonly CancellationTokenSource _stop = new();
    readonly ConcurrentDictionary<GossipTarget, Task<ExchangeResult>> _exchanges = new();

    readonly Lock _lock = new();
    readonly Gossiper _gossiper;
    readonly GossipCodec _codec = new();
    readonly LastingConditions _conditions;
    readonly ForeignNamesakes _foreignNamesakes;
    string? _refusal;
    ulong _lastExchange;
    bool _isClosed;                                             // all above under the lock

    Task _rounds = Task.CompletedTask;
    Task _resolving = Task.CompletedTask;
    long _seedsResolvedAt;

    public GossipLoop(
        Gossiper gossiper,
        string clusterId,
        GossipOptions options,
        PeerClocks clocks,
        IGossipLink link,
        Seeds seeds,
        MembershipView view,
        NodeMetrics metrics,
        TimeProvider time,
        ILogger logger)
    {
        _gossiper = gossiper;
        _clusterId = clusterId;
        _options = options;
        _clocks = clocks;
        _link = link;
        _seeds = seeds;
        _view = view;
        _metrics = metrics;
        _time = time;
        _logger = logger;
        _conditions = new LastingConditions(time);
        _foreignNamesakes = new ForeignNamesakes(logger);
        // Answers to an earlier life of this process must not pass for answers to this one.
        _lastExchange = (ulong)time.GetUtcNow().Ticks;
        _view.Update(gossiper);
        _metrics.ObservePhi(PhiOfPeers);
    }

    /// <summary>Why this node is no part of the cluster; null while it is.</summary>
    public string? Refusal
    {
        get
        {
            lock (_lock)
                return _gossiper.GivesWay ? _refusal : null;
        }
    }

    /// <summary>The nodes that the dials of the seeds have led to.</summary>
    public IReadOnlyList<SeedContact> SeedContacts => _seeds.Contacts;

    /// <summary>The wall clock of each peer minus this machine's, as its last message showed it.</summary>
    public IReadOnlyDictionary<byte, TimeSpan> ClockOffsets => _clocks.Offsets;

    /// <summary>Takes in what <see cref="Remember"/> gave to an earlier life of this process.</summary>
    public void Recall(RememberedNodes remembered)
    {
        lock (_lock)
        {
            _gossiper.Recall(remembered);
            _view.Update(_gossiper);
        }
    }

    /// <summary>What to keep of the others for the next life of this process.</summary>
    public byte[] Remember()
    {
        lock (_lock)
            return _gossiper.Remember().Encode(_codec);
    }

    /// <summary>
    /// Looks for the cluster once, so that a node which cannot be part of it does not start. Returns as soon as one seed or one node that
    /// is remembered has answered, all have failed, or the time is over.
    /// </summary>
    /// <exception cref="ClusterRefusedException">The node id is in use, or a seed is of another cluster and none of this one's
    /// answers.</exception>
    public async Task JoinAsync(CancellationToken cancellationToken)
    {
        _link.Open(Receive);
        await ResolveSeedsAsync(cancellationToken).ConfigureAwait(false);
        var seeds = _seeds.Targets;
        IReadOnlyCollection<GossipTarget> others;
        lock (_lock)
            others = _gossiper.ChooseTargets();
        var outcome = await AnswerOfAnyAsync(seeds, others.Except(seeds), cancellationToken).ConfigureAwait(false);
        IReadOnlyList<GossipTarget> namesakes;
        lock (_lock)
            namesakes = _gossiper.NewNamesakes();
        var probes = Task.WhenAll(namesakes.Select(namesake => ExchangeAsync(namesake, _stop.Token)));
        await probes.WaitAsync(cancellationToken).ConfigureAwait(false);
        lock (_lock)
            if (_refusal is not null && (_gossiper.GivesWay || outcome == ExchangeOutcome.Refused))
                throw new ClusterRefusedException(_refusal);
    }

    /// <summary>
    /// The first answer; if there is none, whether a seed refused. That someone else does may be due to an address that has changed hands.
    /// </summary>
    async Task<ExchangeOutcome> AnswerOfAnyAsync(
        IEnumerable<GossipTarget> seeds, IEnumerable<GossipTarget> others, CancellationToken cancellationToken)
    {
        var attempts = seeds.Select(seed => OutcomeAsync(seed, countsRefusal: true)).ToList();
        attempts.AddRange(others.Select(other => OutcomeAsync(other, countsRefusal: false)));
        var outcome = ExchangeOutcome.Silent;
        while (attempts.Count > 0 && outcome != ExchangeOutcome.Answered)
        {
            var attempt = await Task.WhenAny(attempts).WaitAsync(cancellationToken).ConfigureAwait(false);
            attempts.Remove(attempt);
            var next = await attempt.ConfigureAwait(false);
            outcome = next == ExchangeOutcome.Silent ? outcome : next;
        }
        return outcome;
    }

    async Task<ExchangeOutcome> OutcomeAsync(GossipTarget target, bool countsRefusal)
    {
        var (outcome, _, _) = await ExchangeAsync(target, _stop.Token).ConfigureAwait(false);
        return outcome == ExchangeOutcome.Answered || (outcome == ExchangeOutcome.Refused && countsRefusal) ? outcome : ExchangeOutcome.Silent;
    }

    /// <summary>Begins the rounds.</summary>
    public void Start() => _rounds = RunRoundsAsync(_stop.Token);

    /// <summary>Publishes keys of this node.</summary>
    public void Publish(Action<Gossiper> change)
    {
        lock (_lock)
        {
            change(_gossiper);
            _view.Update(_gossiper);
        }
    }

    GossipReceipt Receive(ReadOnlySpan<byte> bytes, string peer)
    {
        _metrics.BytesReceived(bytes.Length);
        lock (_lock)
        {
            if (_isClosed)
                return new GossipReceipt([], ExchangeOutcome.Silent);
            if (!_codec.TryDecode(bytes, out var message, out var error))
            {
                if (_conditions.Note($"garbage {peer}", out var count))
                    NodeLog.MessageDropped(_logger, peer, error, count);
                return new GossipReceipt([], ExchangeOutcome.Silent);
            }
            var sender = message.Sender;
            if (sender is not null && sender.Id.Equals(_gossiper.Self.Id))
                return FromItself(message, sender);
            var reply = _gossiper.Handle(message, out var refusal);
            if (refusal is not null)
                Report(refusal, peer);
            _view.Update(_gossiper);
            return new GossipReceipt(
                Encode(reply),
                refusal is null ? ExchangeOutcome.Answered : ExchangeOutcome.Refused,
                message is GossipMessage.SynAck or GossipMessage.BadCluster,
                sender?.Id,
                sender?.Exchange ?? 0);
        }
    }

    /// <summary>This node has dialed itself, under whatever name: both ends are told so, and the state machine is not.</summary>
    GossipReceipt FromItself(GossipMessage message, GossipSender sender)
        => new(
            message is GossipMessage.Syn ? Encode(new GossipMessage.BadCluster(sender)) : [],
            ExchangeOutcome.Itself,
            IsAnswer: true,
            sender.Id,
            sender.Exchange);

    byte[] Encode(GossipMessage? message)
    {
        var encoded = message is null ? [] : _codec.Encode(message);
        _metrics.BytesSent(encoded.Length);
        return encoded;
    }

    /// <summary>Ends the rounds, and tells every node that may run that this one leaves.</summary>
    public async Task LeaveAsync()
    {
        await StopRoundsAsync().ConfigureAwait(false);
        IReadOnlyList<GossipTarget> peers;
        lock (_lock)
        {
            _gossiper.Set(NodeKeys.State, NodeKeys.Left);
            peers = _gossiper.FarewellTargets();
        }
        await Task.WhenAll(peers.Select(peer => ExchangeAsync(peer, CancellationToken.None))).ConfigureAwait(false);
    }

    /// <summary>Ends the rounds without a word.</summary>
    public async ValueTask DisposeAsync()
    {
        await StopRoundsAsync().ConfigureAwait(false);
        lock (_lock)
        {
            if (_isClosed)
                return;
            _isClosed = true;
            _codec.Dispose();
        }
        _metrics.Dispose();
        _stop.Dispose();
    }

    async Task StopRoundsAsync()
    {
        if (!_stop.IsCancellationRequested)
            await _stop.CancelAsync().ConfigureAwait(false);
        await _rounds.ConfigureAwait(false);
        await _resolving.ConfigureAwait(false);
        await Task.WhenAll(_exchanges.Values).ConfigureAwait(false);
    }

    async Task RunRoundsAsync(CancellationToken cancellationToken)
    {
        // The first rounds follow on each other faster: a node that has just started is waited for.
        const int WarmUpRounds = 12;
        using var timer = new PeriodicTimer(_options.Interval / 4, _time);
        try
        {
            for (var round = 0L; ; round++)
            {
                if (round == WarmUpRounds)
                    timer.Period = _options.Interval;
                await RunRoundAsync(cancellationToken).ConfigureAwait(false);
                await timer.WaitForNextTickAsync(cancellationToken).ConfigureAwait(false);
            }
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            // The node stops.
        }
    }

    async Task RunRoundAsync(CancellationToken cancellationToken)
    {
        try
        {
            if (_resolving.IsCompleted && IsTimeToResolveSeeds())
            {
                await _resolving.ConfigureAwait(false);
                _resolving = ResolveSeedsInBackgroundAsync(cancellationToken);
            }
            GossipRound round;
            GossipTarget? seed;
            lock (_lock)
            {
                _gossiper.SetSeeds(_seeds.Targets);
                round = _gossiper.StartRound();
                seed = _gossiper.GivesWay ? null : _seeds.NextToTry(_gossiper.IsAlive);
                _view.Update(_gossiper);
                _foreignNamesakes.Report(_gossiper.Nodes, _gossiper.IsAlive);
                _conditions.EndQuiet(Quiet);
                _conditions.End(FailingRounds);
            }
            _metrics.RoundBegun();
            foreach (var target in seed is null ? round.Targets : round.Targets.Append(seed.Value).Distinct())
                if (!_exchanges.ContainsKey(target))
                    _ = ExchangeAsync(target, round.Message, cancellationToken);
        }
        catch (Exception failure) when (failure is not OperationCanceledException)
        {
            lock (_lock)
                if (_conditions.Note(FailingRounds, out var count))
                    NodeLog.RoundFailed(_logger, count, failure);
        }
    }

    /// <summary>Talks with one node. The exchange is awaited when the node stops, if not before.</summary>
    Task<ExchangeResult> ExchangeAsync(GossipTarget target, CancellationToken cancellationToken)
    {
        GossipMessage.Syn syn;
        lock (_lock)
            syn = _gossiper.CreateSyn();
        return ExchangeAsync(target, syn, cancellationToken);
    }

    Task<ExchangeResult> ExchangeAsync(GossipTarget target, GossipMessage.Syn syn, CancellationToken cancellationToken)
    {
        var exchange = MeasuredAsync(target, syn, cancellationToken);
        _exchanges[target] = exchange;
        _ = exchange.ContinueWith(
            _ => _exchanges.TryRemove(KeyValuePair.Create(target, exchange)),
            CancellationToken.None,
            TaskContinuationOptions.ExecuteSynchronously,
            TaskScheduler.Default);
        return exchange;
    }

    async Task<ExchangeResult> MeasuredAsync(GossipTarget target, GossipMessage.Syn syn, CancellationToken cancellationToken)
    {
        ulong number;
        byte[] encoded;
        lock (_lock)
        {
            number = ++_lastExchange;
            encoded = Encode(syn with { Sender = syn.Sender! with { Exchange = number } });
        }
        var result = await _link.ExchangeAsync(target, number, encoded, cancellationToken).ConfigureAwait(false);
        _metrics.ExchangeEnded(result.Outcome);
        if (!cancellationToken.IsCancellationRequested)
            _seeds.Note(target, result);
        return result;
    }

    (string Peer, double Phi)[] PhiOfPeers()
    {
        lock (_lock)
            return
            [
                .. from node in _gossiper.Nodes
                   let phi = _gossiper.Phi(node.Id)
                   where phi is not null
                   select (node.Id.Name, phi.Value),
            ];
    }

    bool IsTimeToResolveSeeds()
    {
        // While no other node is up, a seed that has come under a new address is what the node waits for.
        var isAlone = _view.Members.Count(member => member.IsUp) < 2;
        var interval = isAlone && ResolveIntervalAlone < _options.SeedResolveInterval ? ResolveIntervalAlone : _options.SeedResolveInterval;
        return _time.GetElapsedTime(_seedsResolvedAt) >= interval;
    }

    async Task ResolveSeedsAsync(CancellationToken cancellationToken)
    {
        await _seeds.ResolveAsync(cancellationToken).ConfigureAwait(false);
        _seedsResolvedAt = _time.GetTimestamp();
        lock (_lock)
            _gossiper.SetSeeds(_seeds.Targets);
    }

    /// <summary>A name service that hangs must not hold up the rounds.</summary>
    async Task ResolveSeedsInBackgroundAsync(CancellationToken cancellationToken)
    {
        try
        {
            await ResolveSeedsAsync(cancellationToken).ConfigureAwait(false);
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            // The node stops.
        }
    }

    void Report(GossipRefusal refusal, string peer)
    {
        var text = refusal.Describe(_gossiper.Self.Id, _clusterId, peer);
        // What this node has to give way to outweighs what it only does not talk to.
        if (refusal.IsOwnFault || !_gossiper.GivesWay)
            _refusal = text;
        // Without the generation, which grows with each start of a peer that is started again and again.
        var other = refusal.Peer is { } known ? $"{known.Id.Name} {known.Id.Address} {known.ClusterId}" : peer;
        if (_conditions.Note($"refusal {refusal.Reason} {other}", out var count, _ => NodeLog.RefusalEnded(_logger, text)))
            NodeLog.Refused(_logger, text, count);
    }
}
