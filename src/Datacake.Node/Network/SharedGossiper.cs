using Datacake.Node.Gossip;
using Microsoft.Extensions.Logging;

namespace Datacake.Node;

/// <summary>
/// The state machine of the gossip, which takes in and returns bytes, under one lock that is held for microseconds. Its changes show in the
/// view of the members. Owns the metrics. Thread-safe.
/// </summary>
sealed class SharedGossiper : IDisposable
{
    readonly MembershipView _view;
    readonly NodeMetrics _metrics;

    readonly Lock _lock = new();
    readonly Gossiper _gossiper;
    readonly GossipCodec _codec = new();
    readonly GossipLog _log;
    ulong _lastExchange;
    bool _isClosed;                                             // all above under the lock

    public SharedGossiper(
        Gossiper gossiper, string clusterId, MembershipView view, NodeMetrics metrics, TimeProvider time, ILogger logger)
    {
        _gossiper = gossiper;
        _view = view;
        _metrics = metrics;
        _log = new GossipLog(gossiper.Self.Id, clusterId, time, logger);
        // Answers to an earlier life of this process must not pass for answers to this one.
        _lastExchange = (ulong)time.GetUtcNow().Ticks;
        _view.Update(gossiper);
        _metrics.ObservePhi(PhiOfPeers);
    }

    /// <summary>Gets the refusal because of which this node is no part of the cluster; null while it is.</summary>
    public string? Refusal
    {
        get
        {
            lock (_lock)
                return _gossiper.GivesWay ? _log.LastRefusal : null;
        }
    }

    /// <summary>Gets the last refusal of this node or by it, whether it is part of the cluster or not; null if there was none.</summary>
    public string? LastRefusal
    {
        get
        {
            lock (_lock)
                return _log.LastRefusal;
        }
    }

    public T Read<T>(Func<Gossiper, T> read)
    {
        lock (_lock)
            return read(_gossiper);
    }

    public void Change(Action<Gossiper> change)
    {
        lock (_lock)
        {
            change(_gossiper);
            _view.Update(_gossiper);
        }
    }

    /// <summary>Returns what to keep of the others for the next life of this process.</summary>
    public byte[] Remember()
    {
        lock (_lock)
            return _gossiper.Remember().Encode(_codec);
    }

    /// <summary>Begins a round.</summary>
    /// <returns>The opening message and the targets: those that the gossip chooses, and a seed at which nobody was reached.</returns>
    public GossipRound StartRound(Seeds seeds)
    {
        GossipRound round;
        GossipTarget? seed;
        lock (_lock)
        {
            _gossiper.SetSeeds(seeds.Targets);
            round = _gossiper.StartRound();
            seed = _gossiper.GivesWay ? null : seeds.NextToTry(_gossiper.IsAlive);
            _view.Update(_gossiper);
            _log.RoundBegun(_gossiper);
        }
        _metrics.RoundBegun();
        return seed is null ? round : round with { Targets = [.. round.Targets.Append(seed.Value).Distinct()] };
    }

    public void RoundFailed(Exception failure)
    {
        lock (_lock)
            _log.RoundFailed(failure);
    }

    /// <summary>Numbers an exchange.</summary>
    /// <param name="syn">The opening message; null for one of the present state.</param>
    /// <returns>The number, and the opening message with it.</returns>
    public (ulong Number, byte[] Message) OpenExchange(GossipMessage.Syn? syn)
    {
        lock (_lock)
        {
            syn ??= _gossiper.CreateSyn();
            var number = ++_lastExchange;
            return (number, Encode(syn with { Sender = syn.Sender! with { Exchange = number } }));
        }
    }

    public GossipReceipt Receive(ReadOnlySpan<byte> bytes, string peer)
    {
        _metrics.BytesReceived(bytes.Length);
        lock (_lock)
        {
            if (_isClosed)
                return new GossipReceipt([], ExchangeOutcome.Silent);
            if (!_codec.TryDecode(bytes, out var message, out var error))
            {
                _log.Garbage(peer, error);
                return new GossipReceipt([], ExchangeOutcome.Silent);
            }
            var sender = message.Sender;
            if (sender is not null && sender.Id.Equals(_gossiper.Self.Id))
                return FromItself(message, sender);
            var reply = _gossiper.Handle(message, out var refusal);
            if (refusal is not null)
                _log.Refused(refusal, peer, _gossiper.GivesWay);
            _view.Update(_gossiper);
            return new GossipReceipt(
                Encode(reply),
                refusal is null ? ExchangeOutcome.Answered : ExchangeOutcome.Refused,
                message is GossipMessage.SynAck or GossipMessage.BadCluster,
                sender?.Id,
                sender?.Exchange ?? 0);
        }
    }

    /// <summary>Takes in nothing more, and ends the metrics.</summary>
    public void Dispose()
    {
        lock (_lock)
        {
            if (_isClosed)
                return;
            _isClosed = true;
            _codec.Dispose();
        }
        _metrics.Dispose();
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
}
