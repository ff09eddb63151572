using System.Collections.Concurrent;
using System.Net;
using Datacake.Crdt;
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

    const int MaxReportsRemembered = 1_000;

    readonly string _clusterId;
    readonly GossipOptions _options;
    readonly TimeProvider _time;
    readonly HybridLogicalClock _clock;
    readonly IGossipLink _link;
    readonly SeedAddresses _seeds;
    readonly MembershipView _view;
    readonly NodeMetrics _metrics;
    readonly ILogger _logger;
    readonly CancellationTokenSource _stop = new();
    readonly ConcurrentDictionary<IPEndPoint, Task<ExchangeOutcome>> _exchanges = new();

    readonly Lock _lock = new();
    readonly Gossiper _gossiper;
    readonly GossipCodec _codec = new();
    readonly HashSet<string> _reported = [];
    string? _refusal;
    bool _isClosed;

    Task _rounds = Task.CompletedTask;
    long _seedsResolvedAt;

    public GossipLoop(
        Gossiper gossiper,
        string clusterId,
        GossipOptions options,
        HybridLogicalClock clock,
        IGossipLink link,
        SeedAddresses seeds,
        MembershipView view,
        NodeMetrics metrics,
        TimeProvider time,
        ILogger logger)
    {
        _gossiper = gossiper;
        _clusterId = clusterId;
        _options = options;
        _clock = clock;
        _link = link;
        _seeds = seeds;
        _view = view;
        _metrics = metrics;
        _time = time;
        _logger = logger;
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

    /// <summary>Takes in what <see cref="Remember"/> gave to an earlier life of this process. Says why not, if it is of no use.</summary>
    public string? Recall(ReadOnlySpan<byte> remembered)
    {
        lock (_lock)
        {
            if (!RememberedNodes.TryDecode(remembered, _codec, out var nodes, out var error))
                return error;
            if (nodes.ClusterId != _clusterId)
                return $"they are of cluster '{nodes.ClusterId}', and this node is of cluster '{_clusterId}'";
            _gossiper.Recall(nodes);
            _view.Update(_gossiper);
            return null;
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
        IReadOnlyList<IPEndPoint> seeds;
        IReadOnlyCollection<IPEndPoint> others;
        lock (_lock)
        {
            seeds = _gossiper.Seeds;
            others = _gossiper.ChooseTargets();
        }
        var outcome = await AnswerOfAnyAsync(seeds, others.Except(seeds), cancellationToken).ConfigureAwait(false);
        IReadOnlyList<IPEndPoint> namesakes;
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
        IEnumerable<IPEndPoint> seeds, IEnumerable<IPEndPoint> others, CancellationToken cancellationToken)
    {
        var attempts = seeds.Select(seed => ExchangeAsync(seed, _stop.Token)).ToList();
        attempts.AddRange(others.Select(other => ExchangeUnlessRefusedAsync(other)));
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

    async Task<ExchangeOutcome> ExchangeUnlessRefusedAsync(IPEndPoint target)
    {
        var outcome = await ExchangeAsync(target, _stop.Token).ConfigureAwait(false);
        return outcome == ExchangeOutcome.Refused ? ExchangeOutcome.Silent : outcome;
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

    byte[] Receive(ReadOnlySpan<byte> bytes, string peer, out bool isRefused)
    {
        isRefused = false;
        _metrics.BytesReceived(bytes.Length);
        lock (_lock)
        {
            if (_isClosed)
                return [];
            if (!_codec.TryDecode(bytes, out var message, out var error))
            {
                if (IsFirstReport(peer))
                    NodeLog.MessageDropped(_logger, peer, error);
                return [];
            }
            ObserveClock(message);
            var reply = _gossiper.Handle(message, out var refusal);
            isRefused = refusal is not null;
            if (refusal is not null)
                Report(refusal, peer);
            _view.Update(_gossiper);
            var answer = reply is null ? [] : _codec.Encode(reply);
            _metrics.BytesSent(answer.Length);
            return answer;
        }
    }

    /// <summary>Ends the rounds, and tells every node that may run that this one leaves.</summary>
    public async Task LeaveAsync()
    {
        await StopRoundsAsync().ConfigureAwait(false);
        IReadOnlyList<IPEndPoint> peers;
        lock (_lock)
        {
            _gossiper.Set(NodeKeys.State, NodeKeys.Left);
            peers = _gossiper.FarewellAddresses();
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
            if (IsTimeToResolveSeeds())
                await ResolveSeedsAsync(cancellationToken).ConfigureAwait(false);
            GossipRound round;
            byte[] syn;
            lock (_lock)
            {
                round = _gossiper.StartRound();
                syn = _codec.Encode(round.Message);
                _view.Update(_gossiper);
            }
            _metrics.RoundBegun();
            foreach (var target in round.Targets)
                if (!_exchanges.ContainsKey(target))
                    _ = ExchangeAsync(target, syn, cancellationToken);
        }
        catch (Exception failure) when (failure is not OperationCanceledException)
        {
            NodeLog.RoundFailed(_logger, failure);
        }
    }

    /// <summary>Talks with one node. The exchange is awaited when the node stops, if not before.</summary>
    Task<ExchangeOutcome> ExchangeAsync(IPEndPoint target, CancellationToken cancellationToken)
    {
        byte[] syn;
        lock (_lock)
            syn = _codec.Encode(_gossiper.CreateSyn());
        return ExchangeAsync(target, syn, cancellationToken);
    }

    Task<ExchangeOutcome> ExchangeAsync(IPEndPoint target, byte[] syn, CancellationToken cancellationToken)
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

    async Task<ExchangeOutcome> MeasuredAsync(IPEndPoint target, byte[] syn, CancellationToken cancellationToken)
    {
        _metrics.BytesSent(syn.Length);
        var outcome = await _link.ExchangeAsync(target, AddressOf(target), syn, cancellationToken).ConfigureAwait(false);
        _metrics.ExchangeEnded(outcome);
        return outcome;
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

    /// <summary>The address that the node at an endpoint calls itself by, else the seed's name, else the endpoint.</summary>
    string AddressOf(IPEndPoint endpoint)
    {
        lock (_lock)
            foreach (var node in _gossiper.Nodes.Reverse())
                if (node.Id.Address.Equals(endpoint) && node.TryGet(NodeKeys.Address, out var address) && NodeAddress.IsValid(address))
                    return address;
        return _seeds.NameOf(endpoint) ?? endpoint.ToString();
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
        var seeds = await _seeds.ResolveAsync(cancellationToken).ConfigureAwait(false);
        _seedsResolvedAt = _time.GetTimestamp();
        lock (_lock)
            _gossiper.SetSeeds(seeds);
    }

    void ObserveClock(GossipMessage message)
    {
        if (message.Sender is not { Stamp: > 0 } sender)
            return;
        var stamp = new HlcTimestamp(sender.Stamp);
        _metrics.DriftSeen(stamp.Time - _time.GetUtcNow());
        try
        {
            _clock.Observe(stamp);
        }
        catch (ClockDriftException drift)
        {
            if (IsFirstReport($"clock of {sender.Id}"))
                NodeLog.ClockDrift(_logger, drift.Message);
        }
    }

    void Report(GossipRefusal refusal, string peer)
    {
        var self = _gossiper.Self.Id;
        var other = refusal.Peer?.Id.ToString() ?? $"the node at {peer}";
        var text = refusal.Reason switch
        {
            GossipRefusalReason.SameNodeId when refusal.IsOwnFault =>
                $"The node id {self.Name} is in use: {other} runs already, so that {self} cannot take part in "
                + $"cluster '{_clusterId}'. Give each node an id of its own.",
            GossipRefusalReason.SameNodeId =>
                $"The node id {self.Name} is used twice in cluster '{_clusterId}': {other} was started while {self} runs, "
                + "and was refused. Give each node an id of its own.",
            _ => $"{Capitalized(self)} is of cluster '{_clusterId}', and {other} is of "
                + $"{(refusal.Peer is { } known ? $"cluster '{known.ClusterId}'" : "another one")}: "
                + "they do not talk to each other. Give both the same cluster id, or take one out of the seeds of the other.",
        };
        // What this node has to give way to outweighs what it only does not talk to.
        if (refusal.IsOwnFault || !_gossiper.GivesWay)
            _refusal = text;
        if (IsFirstReport(text))
            NodeLog.Refused(_logger, text);
    }

    static string Capitalized(GossipId id) => $"Node{id.ToString()[4..]}";

    /// <summary>False for what was logged before: a peer may repeat it with every message.</summary>
    bool IsFirstReport(string what)
    {
        if (_reported.Count >= MaxReportsRemembered)
            _reported.Clear();
        return _reported.Add(what);
    }
}
