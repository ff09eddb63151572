using Datacake.Crdt;
using Datacake.EventualConsistency.Layout;
using Datacake.EventualConsistency.Replication;
using Datacake.EventualConsistency.Replication.Messages;
using Datacake.Simulation.Histories;
using Datacake.Simulation.Machines;
using Datacake.Storage;

namespace Datacake.Simulation.Worlds;

// A member that sends false but well-formed messages of every kind and is honest only about its data; and a disk that has lost its store's identity record.
sealed partial class World
{
    /// <summary>The id of a pull that no replica has started.</summary>
    const ulong NoPull = 1_000_000;

    bool _liesInNextAnswer;

    /// <summary>Returns true if a machine is the one that may lie. There is at most one.</summary>
    bool IsLiar(Machine machine) => _scenario.Liar == machine.Index;

    void Lie(Machine peer, int chance)
    {
        if (_scenario.Liar is not { } index || _machines[index] is not { IsJoined: true } liar || liar == peer || !HaveSession(liar, peer))
            return;
        _statistics.Count("lies");
        _isCalm = false;
        var random = new Random(chance);
        int kind = random.Next(_scenario.HasOperator ? 15 : 12);
        if (kind == 0)
        {
            _liesInNextAnswer = true;
            return;
        }
        Run(liar, batch =>
        {
            if (liar.Links.TryGetValue(peer, out var link))
                Send(liar, link, MakeUp(liar, peer, liar.Replica!.Report(batch), kind, random), Holdings.None);
        });
    }

    ReplicaMessage MakeUp(Machine liar, Machine peer, Report report, int kind, Random random)
    {
        var everything = _machines.Where(machine => machine.IsUp).Aggregate(VersionVector.Empty, (all, machine) => all.Union(machine.Replica!.State.Known));
        var now = report.Clock;
        return kind switch
        {
            1 or 2 or 3 => report with { Peers = report.Peers.ToDictionary(pair => pair.Key, pair => pair.Key == liar.Node ? pair.Value : Raised(pair.Key, everything)) },
            4 => report with { Peers = new Dictionary<byte, PeerKnowledge>(report.Peers) { [liar.Node] = new(liar.Replica!.Run, everything) } },
            5 => report with { Peers = new Dictionary<byte, PeerKnowledge>(report.Peers) { [liar.Node] = new(liar.Replica!.Run, VersionVector.Empty) } },
            6 => report with
            {
                Nonce = (ulong)random.Next(3),
                Cluster = random.Next(4) == 0 ? 99 : report.Cluster,
                WallClock = report.WallClock.AddHours(random.Next(-2, 3)),
                Fingerprint = (UInt128)random.Next(3),
                Boots = new Dictionary<byte, ulong> { [peer.Node] = (ulong)random.Next(9) },
            },
            7 => new Mutations([new Mutation(Of(peer, now, 1), Of(peer, now, 2), [])]),
            8 => new Chunk(NoPull, (ulong)random.Next(3), random.Next(3), everything, NodeRuns.Empty, [], [], everything, random.Next(2) == 0),
            9 => Nothing(NoPull, (ulong)random.Next(3), everything),
            10 => new PullDeclined((ulong)random.Next(5)),
            12 or 13 or 14 => report with { Table = report.Table with { Retired = Forged(random) } },
            _ => new RollCall((ulong)random.Next(5)),
        };

        // Above everything that the member has reported about itself.
        PeerKnowledge Raised(byte node, VersionVector known) => new(new HlcTimestamp((now.Packed & ~0xFFUL) | node), known);
    }

    /// <summary>Returns forged retirements of some of the machines and of stores that do not exist, made without the operator.</summary>
    Dictionary<ulong, ReadOnlyMemory<byte>> Forged(Random random) => _machines.Select(machine => machine.StoreId).Append((ulong)random.Next(1_000, 1_100))
        .Where(_ => random.Next(2) == 0)
        .ToDictionary(static store => store, _ => random.Next(2) == 0 ? SimulatedOperator.Forged : default);

    static HlcTimestamp Of(Machine machine, HlcTimestamp after, ushort count) => new((after.Packed + ((ulong)count << 8) & ~0xFFUL) | machine.Node);

    /// <summary>Returns a snapshot that claims that everything is known and truncated, and that contains nothing.</summary>
    static SnapshotPage Nothing(ulong pull, ulong stream, VersionVector known) => new(
        pull, stream, 0, Cluster, new ReplicaState(known, known, known.Top, NodeRuns.Empty), 0, SnapshotPart.Whole, [], [], IsLast: true);

    /// <summary>Replaces the answer to a pull by a lie, if one is due.</summary>
    IReadOnlyList<ReplicaMessage> WithLie(Machine source, PullRequest request, ulong stream, IReadOnlyList<ReplicaMessage> parts)
    {
        if (!_liesInNextAnswer || !IsLiar(source) || parts.Count == 0 || request.IsJoining || request.IsFull)
            return parts;
        _liesInNextAnswer = false;
        _statistics.Count("false answers");
        // The lie claims to know everything that the other member knows, and more about the liar itself, although no transaction exists there. So it is no lie about data.
        var (own, now) = (source.Replica!.State.Known.OfNode(source.Node).Top, source.Replica.Hello().Clock);
        return [Nothing(request.Pull, stream, request.Known.Union(source.Node, own, new HlcTimestamp((now.Packed & ~0xFFUL) | source.Node)))];
    }

    /// <summary>Loses the store's identity record until an operator restores it. Meanwhile the store must not be mistaken for a fresh one.</summary>
    void LoseIdentity(Machine machine)
    {
        if (!machine.HadJoined || machine.IsMisfit || machine.MayBeExcluded || machine.IsBeingRepaired || machine.Damaged.Count > 0)
            return;
        _statistics.Count("lost identities");
        if (machine.IsUp)
            Stop(machine);
        machine.Disk.Flush();
        var (entries, held) = (machine.Disk.Entries, machine.Held);
        machine.Disk.PutBack([.. entries.Where(entry => !entry.Key.Span.SequenceEqual(StoreLayout.IdentityKey.Span))], held);
        _mutant.OnStarting(machine);
        try
        {
            machine.Start(++_lastId, _committed.Add, DispatchEarly);
        }
        catch (StorageException)
        {
            machine.Disk.PutBack(entries, held);
            return;
        }
        throw new Violation("damage is no fresh store", $"{Name(machine)} starts without its identity.");
    }
}
