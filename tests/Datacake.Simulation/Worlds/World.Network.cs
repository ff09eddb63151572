using Datacake.EventualConsistency.Replication.Messages;
using Datacake.Simulation.Histories;
using Datacake.Simulation.Machines;

namespace Datacake.Simulation.Worlds;

// The network.
sealed partial class World
{
    void Partition(int chance)
    {
        foreach (var (a, b) in Pairs().Where(pair => (chance >> pair.A.Index & 1) != (chance >> pair.B.Index & 1)))
        {
            _network.Block(a.Index, b.Index);
            _network.Block(b.Index, a.Index);
        }
    }

    /// <summary>Splits the network for so long that one or both sides give the other up.</summary>
    void Estrange(int chance)
    {
        Partition(chance);
        foreach (var machine in _machines.Where(machine => machine.IsUp && ((chance >> 6 & 3) != 0 || (chance >> machine.Index & 1) != 0)))
        {
            foreach (var other in _machines.Where(other => (chance >> other.Index & 1) != (chance >> machine.Index & 1)))
            {
                if (machine.Links.TryGetValue(other, out var link))
                    End(machine, link);
                Forget(machine, other);
            }
        }
    }

    void Outpace(Machine machine, int chance)
    {
        _statistics.Count("outpaced joins");
        Machine[] others = [.. _machines.Where(other => other != machine && other.IsJoined)];
        foreach (var link in machine.Streams.Values.ToArray())
            End(machine, link);
        DeliverAll(envelope => envelope.Source == machine);
        foreach (var other in others)
        {
            Forget(other, machine);
            Write(other, chance + other.Index);
            Write(other, (chance >> 3) + other.Index);
        }
        foreach (var (a, b) in Pairs().Where(pair => pair.A != machine && pair.B != machine))
            Exchange(a, b);
        foreach (var other in others)
        {
            Tick(other);
            DeliverAll(envelope => envelope.Source == other && envelope.Target != machine);
        }
        foreach (var other in others.Where(other => (chance >> other.Index & 3) != 0))
            Collect(other, TimeSpan.MaxValue);
    }

    /// <summary>
    /// Interrupts a machine's join through one member and lets it meet the others. The others do not know the transactions in the partial copy that
    /// the machine could continue with.
    /// </summary>
    void Divert(Machine machine, Machine source, int chance)
    {
        if (machine == source || !source.IsJoined)
            return;
        _statistics.Count("diverted joins");
        Resume(source);
        foreach (var other in _machines.Where(other => other != machine && other != source))
            Separate(source, other);
        for (int i = 0; i < 3; i++)
            Write(source, chance >> i);
        Wipe(machine, chance);
        Start(machine);
        Dial(machine, source);
        for (int i = 0; i < 40 && machine.Replica is { HasPartOfSeed: false, IsJoined: false }; i++)
        {
            if (_network.TakeFirst(envelope => envelope.IsBetween(machine, source)) is { } envelope)
                Deliver(envelope);
            else
                Tick(machine);
        }
        Separate(machine, source);
        foreach (var other in _machines.Where(other => other != machine && other != source))
            Exchange(machine, other);
    }

    void Separate(Machine a, Machine b)
    {
        if (a.Links.TryGetValue(b, out var link))
            End(a, link);
        _network.Block(a.Index, b.Index);
        _network.Block(b.Index, a.Index);
    }

    IEnumerable<(Machine A, Machine B)> Pairs() =>
        from a in _machines from b in _machines where a.Index < b.Index select (a, b);

    bool CanReach(Machine a, Machine b) =>
        a != b && a.IsUp && b.IsUp && !_network.IsBlocked(a.Index, b.Index) && !_network.IsBlocked(b.Index, a.Index);

    static bool HaveSession(Machine a, Machine b) => a.Links.TryGetValue(b, out var mine) && b.Links.TryGetValue(a, out var theirs)
        && mine.Stream == theirs.Stream && a.Replica!.IsOpen(b.Node, mine.Session) && b.Replica!.IsOpen(a.Node, theirs.Session);

    /// <summary>Sends a message, or the end of the stream, in the same way as a peer link: in the form that the peer can read, if there is one.</summary>
    void Send(Machine source, Link link, ReplicaMessage? message, Holdings held, ulong answer = 0, bool isOpening = false)
    {
        if (message is not null && link.Session != 0 && source.Replica!.Sessions.TryGetValue(link.Peer.Node, out var session))
        {
            message = message.FormFor(session.Protocol);
            if (message is null)
                return;
        }
        _network.Send(new Envelope(source, link.Peer, link.PeerStore, link.Stream, message?.Encoded, held, answer, isOpening, message?.GetType().Name ?? "end of stream"));
    }

    void Deliver(Envelope envelope)
    {
        var target = envelope.Target;
        if (!target.IsUp)
            return;
        if (envelope.Encoded is null)
        {
            if (target.Streams.TryGetValue(envelope.Stream, out var ending))
                End(target, ending, isNoticed: true);
            target.Ended.Add(envelope.Stream);
            return;
        }
        if (envelope.IsOpening && (envelope.TargetStore != target.StoreId || !MayMeet(envelope.Source, target)))
        {
            // The dialer sends its hello to the process that answered, and the connection ends with that process's disk.
            Send(target, new Link(envelope.Stream, envelope.Source, isDialer: false), null, Holdings.None);
            return;
        }
        var message = _mutant.OnReceiving(target, envelope.Source, Decode(envelope));
        if (message is Hello { StoreId: var store } && store != envelope.Source.StoreId)
            return;                                                             // a connection does not outlive the disk of its other end
        _statistics.Count(message);
        Trace?.Invoke($"  node {envelope.Source.Node} -> node {target.Node}, stream {envelope.Stream}: {Describe(message)}");
        if (!target.Streams.TryGetValue(envelope.Stream, out var link))
        {
            if (envelope.IsOpening && message is Hello hello && !target.Ended.Contains(envelope.Stream))
                Accept(target, new Link(envelope.Stream, envelope.Source, isDialer: false), hello);
        }
        else
        {
            Deliver(target, link, message, envelope);
        }
    }

    void Deliver(Machine target, Link link, ReplicaMessage message, Envelope envelope)
    {
        switch (message)
        {
            case Hello hello when link is { IsDialer: true, Session: 0 }:
                Queue(target, link, isSmall: true, batch => Open(target, link, batch, hello));
                break;
            case Hello:
                break;                                                          // a copy
            case Refusal refusal:
                Run(target, _ => target.Replica!.OnRefused(link.Peer.Node, refusal));
                End(target, link);
                break;
            case PullRequest request:
                Answer(target, link, request);
                break;
            case Acknowledgment:
                break;                                                          // was checked when it was sent
            case SnapshotPage page:
                Queue(target, link, isSmall: false, batch => TakePageAsync(target, link, batch, page, envelope.Held));
                break;
            case SequenceMessage part:
                Queue(target, link, part.MayUseReserve, batch => target.Sequencer!.ReceiveAsync(batch, link.Peer.Node, link.Session, part), isSequencing: true);
                break;
            default:
                Receive(target, link, message, envelope.Held);
                break;
        }
    }

    static string Describe(ReplicaMessage message) => message switch
    {
        Mutations mutations => $"Mutations {string.Join(", ", mutations.Items.Select(item => $"({item.Previous}, {item.Stamp}]"))}",
        PullRequest request => $"PullRequest {request.Pull}: known {request.Known}, truncated {request.Truncated}, "
            + $"{(request.IsJoining ? "joining" : "joined")}, after {request.Resume?.Last.Key.Length} {request.Resume?.Base}",
        SnapshotPage page => $"SnapshotPage {page.Number} of {page.Pull}: {page.Part}, knows {page.State.Known}, truncated {page.State.Truncated}, "
            + $"{string.Join(" ", page.Documents.Select(document => $"<{document.Document}>"))}{(page.IsLast ? ", last" : "")}",
        Chunk chunk =>
            $"Chunk {chunk.Number} of {chunk.Pull}: source {chunk.Source}, claims {chunk.Claims}, {chunk.Documents.Count} documents",
        Report report =>
            $"Report {report.Nonce}: {string.Join(", ", report.Peers.Select(peer => $"{peer.Key} run {peer.Value.Run} {peer.Value.Known}"))}",
        _ => message.ToString(),
    };

    ReplicaMessage Decode(Envelope envelope)
    {
        byte[] copy = [.. envelope.Encoded!];
        var message = ReplicaMessage.Decode(copy);
        Array.Fill(copy, (byte)0xDD);                                           // reveals code that keeps a part of the memory without copying it
        bool isChecked = ++_decoded % 4 == 0;                                   // one in four, to save time
        return !isChecked || message.Encoded.AsSpan().SequenceEqual(envelope.Encoded) ? message
            : throw new Violation("encoding", $"A {message.GetType().Name} changes when it is decoded and encoded.");
    }

    /// <summary>Opens a session between two machines that can reach each other, if they have none.</summary>
    void Connect(Machine a, Machine b)
    {
        if (!CanReach(a, b))
            return;
        Resume(a);
        Resume(b);
        if (HaveSession(a, b))
            return;
        Dial(a, b);
        DeliverAll(envelope => envelope.IsBetween(a, b));
    }

    /// <summary>Delivers messages between two machines until neither has more to send.</summary>
    void Exchange(Machine a, Machine b)
    {
        if (!CanReach(a, b))
            return;
        Connect(a, b);
        Tick(a);
        Tick(b);
        DeliverAll(envelope => envelope.IsBetween(a, b));
        Pull(a, b);
        DeliverAll(envelope => envelope.IsBetween(a, b));
        Pull(b, a);
        DeliverAll(envelope => envelope.IsBetween(a, b));
    }

    /// <summary>Lets two machines meet that have forgotten all others and have since deleted and written; both receive writes meanwhile.</summary>
    void Meet(Machine a, Machine b, int chance)
    {
        if (!CanReach(a, b) || !a.IsJoined || !b.IsJoined)
            return;
        _statistics.Count("meetings");
        foreach (var machine in (Machine[])[a, b])
        {
            Resume(machine);
            foreach (var link in machine.Streams.Values.ToArray())
                End(machine, link);
            foreach (var other in _machines)
                Forget(machine, other);
        }
        var random = new Random(chance);
        foreach (var (machine, writes) in (ReadOnlySpan<(Machine, int)>)[(b, 3), (a, 2), (b, 3), (a, 2)])
        {
            for (int i = 0; i < writes; i++)
                Write(machine, random.Next());
            if (random.Next(4) > 0)
                Collect(machine, TimeSpan.MaxValue, isThorough: true);
        }
        Dial(a, b);
        for (int i = 0; i < 60; i++)
        {
            if (random.Next(6) == 0)
                Write(random.Next(3) == 0 ? a : b, random.Next());
            if (i % 20 == 19)
                Tick(random.Next(2) == 0 ? a : b);
            if (_network.TakeFirst(envelope => envelope.IsBetween(a, b)) is { } envelope)
                Deliver(envelope);
        }
    }

    void Gather(int chance)
    {
        foreach (var (a, b) in Pairs())
            Exchange(a, b);
        foreach (var machine in _machines.Where(machine => machine.IsUp && (chance >> machine.Index & 1) != 0))
            Collect(machine, TimeSpan.MaxValue);
    }

    void DeliverAll(Predicate<Envelope> which)
    {
        for (int i = 0; i < 1_000 && _network.TakeFirst(which) is { } envelope; i++)
            Deliver(envelope);
    }
}
