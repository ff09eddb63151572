using Datacake.Node.Gossip;
using Datacake.Node.Membership;
using Microsoft.Extensions.Logging;

namespace Datacake.Node.Network;

/// <summary>
/// A thread-safe wrapper of the gossip state machine, which receives and returns encoded messages. Its one lock is held for microseconds.
/// Changes are published in the membership view. Owns the metrics.
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
    bool _isClosed;                                             // from _gossiper to here: under the lock

    public SharedGossiper(
        Gossiper gossiper, string clusterId, MembershipView view, NodeMetrics metrics, TimeProvider time, ILogger logger)
    {
        _gossiper = gossiper;
        _view = view;
        _metrics = metrics;
        _log = new GossipLog(gossiper.Self.Id, clusterId, time, logger);
        // Numbers start at the clock, so that answers to an earlier life of this process are not mistaken for answers to this one.
        _lastExchange = (ulong)time.GetUtcNow().Ticks;
        _view.Update(gossiper);
        _metrics.ObservePhi(PhiOfPeers);
    }

    /// <summary>Gets the refusal because of which this node is not part of the cluster, or null if it is part of it.</summary>
    public string? Refusal
    {
        get
        {
            lock (_lock)
                return _gossiper.GivesWay ? _log.LastRefusal : null;
        }
    }

    /// <summary>Gets the last refusal by or of this node, whether the node is part of the cluster or not; null if there was none.</summary>
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

    /// <summary>Returns the encoded record of the other nodes that the next life of this process needs.</summary>
    public byte[] Remember()
    {
        lock (_lock)
            return _gossiper.Remember().Encode(_codec);
    }

    /// <summary>Starts a round.</summary>
    /// <returns>The opening message, and its targets: those that gossip chooses, and at most one seed that is not connected.</returns>
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

    /// <summary>Assigns a number to a new exchange.</summary>
    /// <param name="syn">The opening message; null to create it from the current state.</param>
    /// <returns>The number, and the encoded opening message that contains it.</returns>
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

    /// <summary>Stops handling messages, and ends the metrics.</summary>
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

    /// <summary>
    /// Handles a message of this node to itself, which it has dialed under some name. Both ends of the exchange learn that; the state
    /// machine does not see the message.
    /// </summary>
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

    /// <summary>Returns the suspicion that each peer has failed (φ), by the name of the peer.</summary>
    public (string Peer, double Phi)[] PhiOfPeers()
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
