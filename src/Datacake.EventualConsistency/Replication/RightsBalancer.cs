using Datacake.Crdt;
using Datacake.EventualConsistency.Escrow;
using Datacake.EventualConsistency.Replication.Messages;

namespace Datacake.EventualConsistency.Replication;

/// <summary>The part of a replica that asks its peers for rights to bounded counters: when a write lacks them, and before it does [E6].</summary>
/// <param name="writer">The writer of the store, which knows the rights that it may use.</param>
/// <param name="escrow">The rules for the rights.</param>
sealed class RightsBalancer(LocalWriter writer, EscrowRules escrow)
{
    /// <summary>The maximum number of requests between two ticks that no write waits for.</summary>
    const int MaxUnasked = 64;

    /// <summary>A store asks for rights when another one has more than this many times its own.</summary>
    const int MaxRatio = 4;

    // The counters for which rights were asked since the last tick, so that a peer is not asked again before it can have answered.
    readonly HashSet<(string Keyspace, DocumentKey Key, string Property, bool IsUp)> _asked = [];

    /// <summary>Begins a new period for the limit on requests.</summary>
    public void Tick() => _asked.Clear();

    /// <summary>Asks the peers that have the most for the rights that a write lacks. Returns false if those in session do not have enough.</summary>
    /// <param name="batch">The batch, which sends the requests.</param>
    /// <param name="document">The document.</param>
    /// <param name="failure">The failure of the write.</param>
    /// <param name="lacking">The number of rights to ask for.</param>
    /// <param name="sessions">The sessions.</param>
    public bool Ask(ReplicaBatch batch, Document document, CounterBoundException failure, Int128 lacking, IReadOnlyDictionary<byte, Session> sessions)
    {
        bool isUp = failure.Amount > 0;
        if (BoundedCounter.Of(document, failure.Property) is not { } counter || counter.Bound(isUp) is null)
            return false;
        var peers = Richest(counter, isUp, sessions);
        if (peers.Aggregate(Int128.Zero, static (sum, peer) => sum + peer.Rights) < lacking)
            return false;
        foreach (var (peer, rights) in peers)
        {
            var part = Int128.Min(rights, lacking);
            Send(batch, peer, sessions[peer].Id, failure.Keyspace, failure.Key, counter, isUp, EscrowRules.Saturate(part));
            if ((lacking -= part) <= 0)
                break;
        }
        return true;
    }

    /// <summary>Asks the peer that has the most for a part of its rights to each counter of a document of which this store has few.</summary>
    public void Consider(ReplicaBatch batch, string keyspace, DocumentKey key, Document document, IReadOnlyDictionary<byte, Session> sessions)
    {
        foreach (var counter in BoundedCounter.AllOf(document))
        {
            foreach (bool isUp in (ReadOnlySpan<bool>)[false, true])
            {
                if (counter.Bound(isUp) is null || _asked.Count >= MaxUnasked || Richest(counter, isUp, sessions) is not [var (peer, most), ..])
                    continue;
                var mine = EscrowRules.Sum(escrow.Usable(counter, writer.Own, writer.IsProven(batch)), isUp);
                if (most > mine * MaxRatio && most - mine >= 2 && _asked.Add((keyspace, key, counter.Property, isUp)))
                    Send(batch, peer, sessions[peer].Id, keyspace, key, counter, isUp, 0);
            }
        }
    }

    void Send(ReplicaBatch batch, byte peer, long session, string keyspace, DocumentKey key, BoundedCounter counter, bool isUp, long amount)
    {
        // New rights go to a share that there is already, so that a store does not get more of them than it needs.
        var own = escrow.Usable(counter, writer.Own, writer.IsProven(batch)).OrderByDescending(static holder => holder.Share is not null).FirstOrDefault();
        batch.Outbox.Add(new Outgoing(peer, session, new RightsRequest(keyspace, key, counter.Property, isUp, amount, own?.Run ?? writer.Own.Run)));
    }

    /// <summary>Returns the peers in session that have rights, those with the most first.</summary>
    List<(byte Peer, Int128 Rights)> Richest(BoundedCounter counter, bool isUp, IReadOnlyDictionary<byte, Session> sessions)
    {
        var peers = new List<(byte Peer, Int128 Rights)>();
        foreach (var (peer, session) in sessions)
        {
            if (!session.Protocol.HasRights || session.StoreId == writer.Own.Store)
                continue;
            var rights = EscrowRules.Sum(counter.Holders.Where(holder => holder.Store == session.StoreId), isUp);
            if (rights > 0)
                peers.Add((peer, rights));
        }
        peers.Sort(static (left, right) => right.Rights.CompareTo(left.Rights) is var order and not 0 ? order : left.Peer.CompareTo(right.Peer));
        return peers;
    }
}
