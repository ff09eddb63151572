using Datacake.Crdt;
using Datacake.EventualConsistency.Replication;
using Datacake.EventualConsistency.Replication.Messages;
using Datacake.Simulation.Histories;
using Datacake.Simulation.Machines;
using Datacake.Storage;
using static Datacake.Simulation.Machines.Machine;

namespace Datacake.Simulation.Worlds;

// Sessions.
sealed partial class World
{
    void Dial(Machine a, Machine b)
    {
        if (a == b || !a.IsUp || a.Replica!.Sessions.ContainsKey(b.Node) || (_mutant.OnlyLowerDials && a.Index > b.Index))
            return;
        var target = a.Book[b.Index];                                           // the machine that is at the address now
        if (target == a || _network.IsDialBlocked(a.Index, target.Index) || !MayMeet(a, target)
            || a.Streams.Values.Any(stream => stream.IsDialer && stream.Peer == target && stream.Session == 0))
            return;
        var link = new Link(++_lastStream, target, isDialer: true);
        a.Streams.Add(link.Stream, link);
        Hello? hello = null;
        Queue(a, new Work(_ =>
        {
            hello = a.Replica!.Hello(b.Node);
            return ValueTask.CompletedTask;
        })
        {
            IsSmall = true,
            Committed = () => Send(a, link, hello, a.Held, isOpening: true),
            Failed = _ => End(a, link),
        });
    }

    /// <summary>
    /// Returns true if the protocol makes promises about a session of two machines. An old copy that was started with a clock that is behind is
    /// detected only by members that know the transactions that were lost with the newer copy. It is not detected if it has written in a run older
    /// than the newest run that the member knows of it, and was then restarted in a run that may still be restarted above known stamps.
    /// </summary>
    static bool MayMeet(Machine a, Machine b) => MayMeetAll(a, b) && MayMeetAll(b, a);

    static bool MayMeetAll(Machine copy, Machine other) => !copy.IsMisfit
        || (other.IsJoined && other.Replica!.State is var state && state.Known.OfNode(copy.Node).Top >= copy.TopIssued
            && (copy.Replica is null || copy.Replica.Run == copy.MisfitRun || (copy.Replica.Run <= copy.TopIssued && !copy.HasWrittenAsMisfit) || state.Runs[copy.Node] < copy.MisfitRun));

    /// <summary>Closes the streams of the sessions that a replica has ended, in the same way as the peer links.</summary>
    void EndSessions(Machine machine)
    {
        foreach (var (peer, session, refusal) in machine.Replica!.TakeEnded(isCommitted: _committed.Count > 0))
        {
            if (machine.Streams.Values.FirstOrDefault(link => link.Peer.Node == peer && link.Session == session) is not { } ended)
                continue;
            if (_mutant.KeepsEndedStreams)
            {
                machine.Links.Remove(ended.Peer);
                continue;
            }
            Send(machine, ended, refusal, Holdings.None);
            End(machine, ended);
        }
    }

    void Accept(Machine target, Link link, Hello hello)
    {
        target.Streams.Add(link.Stream, link);
        Queue(target, link, isSmall: true, batch => Open(target, link, batch, hello));
    }

    /// <summary>Opens a session with the other side's hello, in the same way as the peer links.</summary>
    ValueTask Open(Machine machine, Link link, ReplicaBatch batch, Hello hello)
    {
        var replica = machine.Replica!;
        bool isAgain = link.Session != 0;
        if (isAgain)
        {
            machine.Links.Remove(link.Peer);
            replica.CloseSession(link.Peer.Node, link.Session);
        }
        if (replica.Refuse(hello, link.IsDialer) is { } refusal)
        {
            _statistics.Count("refused sessions");
            if (refusal.Kind is RefusalKind.Stray or RefusalKind.SenderIsStray)
                NoteStray(refusal.Kind == RefusalKind.SenderIsStray ? machine : link.Peer);
            Send(machine, link, refusal, Holdings.None);
            End(machine, link);
            return ValueTask.CompletedTask;
        }
        if (link.IsDialer && hello.Node != link.Peer.Node)
        {
            End(machine, link);
            return ValueTask.CompletedTask;
        }
        if (!link.IsDialer && !isAgain)
            Send(machine, link, replica.Hello(), machine.Held);
        link.Session = replica.OpenSession(batch, hello, link.IsDialer);
        machine.Links[link.Peer] = link;
        _mutant.OnOpened(machine, hello);
        replica.PullFromNewPeer(batch, link.Peer.Node, hello);
        return ValueTask.CompletedTask;
    }

    /// <summary>Ends a stream on one side. The other side is told, unless its end of the stream was noticed first.</summary>
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
            IsSmall = message.MayUseReserve,
            Sender = link.Peer,
            Offered = message is Mutations mutations ? Holdings.Of([.. mutations.Items.Select(item => _history.Find(item.Stamp)).OfType<HistoricTransaction>().Select(item => item.Number)])
                : held,
            Committed = () =>
            {
                if (applied.Count == 0)
                    return;
                _acknowledged.Add((link.Peer, applied));
                Send(target, link, new Acknowledgment([.. applied]), target.Held);
            },
            Failed = failure => Refuse(target, link, failure),
        });
    }

    async ValueTask TakePageAsync(Machine target, Link link, ReplicaBatch batch, SnapshotPage page, Holdings held)
    {
        var replica = target.Replica!;
        bool wasJoined = replica.IsJoined, wasWhole = replica.IsSeedWhole, hadArrived = replica.HasArrived;
        await replica.ReceiveAsync(batch, link.Peer.Node, link.Session, page, default);
        await _mutant.OnAppliedAsync(target, batch, link.Peer, page, []);
        if (wasJoined && !hadArrived && replica.HasArrived)
            target.Arrived = (held, page.State);
        else if (!wasJoined && !wasWhole && (replica.IsSeedWhole || replica.IsJoined))
            target.SeedHeld = held;
        if (!wasJoined && page is { Number: 0, Part: SnapshotPart.Changed })
            _statistics.Count("resumed snapshots");
    }

    /// <summary>Answers a pull from a snapshot taken now, beside the writer, in the same way as the peer links.</summary>
    void Answer(Machine source, Link link, PullRequest request)
    {
        // A hello is read first, even where messages overtake each other.
        if (link.Session == 0)
            return;
        ulong stream = ++_lastId;
        var parts = source.IsJoined ? _mutant.OnAnswering(source, Now(AnswerAsync(source, link.Peer, request, stream))) : [];
        parts = WithLie(source, request, stream, parts);
        foreach (var part in parts)
            Send(source, link, part, source.Held, stream);
        if (parts.Count == 0)
            Send(source, link, new PullDeclined(request.Pull), Holdings.None);
    }

    async ValueTask<List<ReplicaMessage>> AnswerAsync(Machine source, Machine peer, PullRequest request, ulong stream)
    {
        using var snapshot = await source.Storage.OpenSnapshotAsync();
        var parts = new List<ReplicaMessage>();
        if ((source.Damages.Count > 0 || source.MustCount) && !_mutant.AnswersWhileRepairing)
            return parts;
        try
        {
            await foreach (var part in source.PullServer!.AnswerAsync(snapshot, request, peer.Node < source.Node, stream))
                parts.Add(part);
        }
        catch (StorageException) when (source.Damages.Count > 0)
        {
            // The earlier parts are sent, as the store has them by then.
        }
        return parts;
    }

    /// <summary>Refuses a message. If its sender is honest, the only valid reason is that its stamps are too far ahead.</summary>
    void Refuse(Machine target, Link link, Exception failure)
    {
        bool isRefusedLie = failure is InvalidDataException && IsLiar(link.Peer);
        if (failure is not ClockDriftException && !isRefusedLie)
            return;
        _statistics.Count(isRefusedLie ? "refused lies" : "refused for drift");
        End(target, link);
    }

    bool IsExpected(Machine machine, Exception? failure) => failure is null or StorageException or ClockDriftException
        || (failure is InvalidDataException && _scenario.Liar is { } liar && liar != machine.Index);
}
