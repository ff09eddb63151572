using Datacake.Crdt;
using Datacake.EventualConsistency.Replication;
using Datacake.EventualConsistency.Replication.Messages;
using static Datacake.Simulation.Machine;

namespace Datacake.Simulation;

// Sessions.
sealed partial class World
{
    void Dial(Machine a, Machine b)
    {
        if (a == b || !a.IsUp)
            return;
        var (dialer, acceptor) = a.Index < b.Index ? (a, b) : (b, a);           // the lower node id dials
        if (!dialer.IsUp || dialer.Streams.Values.Any(stream => stream.Peer == acceptor && stream.Session == 0))
            return;
        var link = new Link(++_lastStream, acceptor, isDialer: true);
        dialer.Streams.Add(link.Stream, link);
        Hello? hello = null;
        Queue(dialer, new Work(_ =>
        {
            hello = dialer.Replica!.Hello();
            return ValueTask.CompletedTask;
        })
        {
            Committed = () => Send(dialer, link, hello, dialer.Held, isOpening: true),
            Failed = _ => End(dialer, link),
        });
    }

    void Accept(Machine target, Link link, Hello hello)
    {
        target.Streams.Add(link.Stream, link);
        Queue(target, link, batch => Open(target, link, batch, hello));
    }

    /// <summary>Either side opens the session with the other's hello, as the peer links do it.</summary>
    ValueTask Open(Machine machine, Link link, ReplicaBatch batch, Hello hello)
    {
        var replica = machine.Replica!;
        if (replica.Refuse(hello, link.IsDialer) is { Reason: var reason } refusal)
        {
            _statistics.Count("refused sessions");
            if (reason.Contains("joined over a store that was retired", StringComparison.Ordinal))
                NoteStray(reason.StartsWith($"node {machine.Node} ", StringComparison.Ordinal) ? machine : link.Peer);
            Send(machine, link, refusal, Holdings.None);
            End(machine, link);
            return ValueTask.CompletedTask;
        }
        if (!link.IsDialer)
            Send(machine, link, replica.Hello(), machine.Held);
        link.Session = replica.OpenSession(hello, link.IsDialer);
        machine.Links[link.Peer] = link;
        _mutant.OnOpened(machine, hello);
        replica.PullFromNewPeer(batch, link.Peer.Node, hello);
        return ValueTask.CompletedTask;
    }

    /// <summary>A stream ends on one side; the other hears of it, unless it is from there that it was noticed.</summary>
    void End(Machine machine, Link link, bool isNoticed = false)
    {
        if (!machine.Streams.Remove(link.Stream))
            return;
        machine.Ended.Add(link.Stream);
        if (machine.Links.GetValueOrDefault(link.Peer) == link)
            machine.Links.Remove(link.Peer);
        if (!isNoticed)
            Send(machine, link, null, Holdings.None);
        Run(machine, _ => machine.Replica!.CloseSession(link.Peer.Node, link.Session));
    }

    void Receive(Machine target, Link link, ReplicaMessage message, Holdings held)
    {
        IReadOnlyList<StampInterval> applied = [];
        Queue(target, new Work(async batch =>
        {
            applied = await target.Replica!.ReceiveAsync(batch, link.Peer.Node, link.Session, message, default);
            applied = await _mutant.OnAppliedAsync(target, batch, link.Peer, message, applied);
        })
        {
            Offered = message is Mutations mutations ? Holdings.Of([.. mutations.Items.Select(item => _history.Find(item.Stamp)!.Number)])
                : held,
            Committed = () =>
            {
                if (applied.Count == 0)
                    return;
                _acknowledged.Add((link.Peer, applied));
                Send(target, link, new Acknowledgement([.. applied]), target.Held);
            },
            Failed = failure => Refuse(target, link, failure),
        });
    }

    async ValueTask TakePageAsync(Machine target, Link link, ReplicaBatch batch, SnapshotPage page, Holdings held)
    {
        var replica = target.Replica!;
        bool wasJoined = replica.IsJoined, wasWhole = replica.IsSeedWhole;
        await replica.ReceiveAsync(batch, link.Peer.Node, link.Session, page, default);
        await _mutant.OnAppliedAsync(target, batch, link.Peer, page, []);
        if (wasJoined && replica.HasArrived && page.IsLast)
            target.Arrived = (held, page.State);
        else if (!wasJoined && !wasWhole && (replica.IsSeedWhole || replica.IsJoined))
            target.SeedHeld = held;
        if (!wasJoined && page is { Number: 0, Part: SnapshotPart.Changed })
            _statistics.Count("resumed snapshots");
    }

    /// <summary>Answers a pull from a snapshot of this moment, beside the writer, as the peer links do it.</summary>
    void Answer(Machine source, Link link, PullRequest request)
    {
        // A hello is read before anything else, also where messages overtake each other.
        if (!source.IsJoined || link.Session == 0)
            return;
        ulong stream = ++_lastId;
        foreach (var part in _mutant.OnAnswering(source, Now(AnswerAsync(source, request, stream))))
            Send(source, link, part, source.Held, stream);
    }

    static async ValueTask<List<ReplicaMessage>> AnswerAsync(Machine source, PullRequest request, ulong stream)
    {
        using var snapshot = await source.Disk.OpenSnapshotAsync();
        var parts = new List<ReplicaMessage>();
        await foreach (var part in source.PullServer!.AnswerAsync(snapshot, request, stream))
            parts.Add(part);
        return parts;
    }

    /// <summary>A message is refused if its stamps are too far ahead, and for no other reason, for all replicas here are honest.</summary>
    void Refuse(Machine target, Link link, Exception failure)
    {
        if (failure is not ClockDriftException)
            return;
        _statistics.Count("refused for drift");
        End(target, link);
    }
}
