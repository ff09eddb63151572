using Datacake.Crdt;
using Datacake.EventualConsistency;
using Datacake.EventualConsistency.Layout;
using Datacake.EventualConsistency.Replication;
using Datacake.EventualConsistency.Replication.Messages;
using Datacake.Simulation.Mutants;
using Datacake.Storage;
using static Datacake.Simulation.Machine;

namespace Datacake.Simulation;

/// <summary>
/// A cluster of machines that run the shipped replica, in one thread and with a clock of its own: what happens is a schedule of events, and
/// the
/// same schedule always ends the same way. It knows the whole history, and checks every replica against it after every commit.
/// </summary>
sealed partial class World
{
    readonly Scenario _scenario;
    readonly Statistics _statistics;
    readonly Mutant _mutant;
    readonly SimulatedTime _time = new();
    readonly Network _network;
    readonly Machine[] _machines;
    readonly History _history;
    readonly HashSet<ulong> _retired = [];
    readonly HashSet<Machine> _strays = [];                                     // those refused since, for what they come from is retired
    readonly Dictionary<HlcTimestamp, IReadOnlyList<Increment>> _written = [];   // the user's transactions of the batch under way
    readonly List<(Machine Author, IReadOnlyList<StampInterval> Stamps)> _acknowledged = [];   // by the batch under way
    ReplicaBatch? _committed;
    bool _isCommitting;
    long _lastStream;
    ulong _lastId;
    int _decoded;
    bool _isCalm;

    public World(Scenario scenario, Statistics statistics, Mutant mutant)
    {
        _scenario = scenario;
        _statistics = statistics;
        _mutant = mutant;
        _network = new Network(scenario.IsInOrder) { Capacity = 16 + (8 * scenario.Machines) };
        _history = new History(scenario.Slots);
        _isCalm = !scenario.GivesUp && scenario.Weights[EventKind.LosePower] == 0;
        _machines = [.. Enumerable.Range(0, scenario.Machines).Select(index => new Machine(index, scenario, mutant, _time))];
        foreach (var machine in _machines)
            machine.ReplaceDisk(++_lastId);
        Form();
    }

    /// <summary>Is told what happens, for whoever looks for the cause of a violation.</summary>
    public Action<string>? Trace { get; set; }

    /// <summary>The machines whose stores nobody has retired.</summary>
    IEnumerable<Machine> Active => _machines.Where(machine => !_retired.Contains(machine.StoreId));

    /// <summary>What happens in an event.</summary>
    public void Do(SimulatedEvent happening)
    {
        var (kind, index, other, chance) = happening;
        Machine machine = _machines[index], peer = _machines[other];
        _statistics.Count(kind);
        Trace?.Invoke($"{kind} {machine.Node} {peer.Node} {chance}");
        switch (kind)
        {
            case EventKind.Pass:
                _time.Pass((1 + (chance % 40)) * SimulatedTime.Unit);
                break;
            case EventKind.SetClock:
                machine.Clock.Offset = ((chance % 401) - 200) * SimulatedTime.Unit;
                break;
            case EventKind.Deliver:
                if (_network.Take(chance) is { } envelope)
                    Deliver(envelope);
                break;
            case EventKind.Drop:
                _network.Drop(chance);
                break;
            case EventKind.Duplicate:
                _network.Duplicate(chance);
                break;
            case EventKind.Block:
                _network.Block(index, other);
                break;
            case EventKind.Unblock:
                _network.Unblock(index, other);
                _network.Unblock(other, index);
                break;
            case EventKind.Partition:
                Partition(chance);
                break;
            case EventKind.Estrange:
                Estrange(chance);
                break;
            case EventKind.Heal:
                _network.Heal();
                break;
            case EventKind.Start:
                Start(machine);
                break;
            case EventKind.Exchange:
                Exchange(machine, peer);
                break;
            case EventKind.Gather:
                Gather(chance);
                break;
            case EventKind.Wipe:
                Wipe(machine, chance);
                break;
            case EventKind.Replace:
                Wipe(machine, chance);
                Start(machine);
                Exchange(machine, peer);
                break;
            default:
                if (machine.IsUp)
                    DoOn(machine, peer, kind, chance);
                break;
        }
    }

    /// <summary>The machines, for whoever looks for the cause of a violation.</summary>
    public string Describe() => string.Join(Environment.NewLine, _machines.Select(machine => machine.Replica is { } replica
        ? $"  {Name(machine)}: store {machine.StoreId}, boot {replica.Boot}, run {replica.Run}, clock {replica.Hello().Clock}"
            + $"{(replica.IsWaitingForRoll ? ", waits for the roll" : "")}, "
            + $"sessions with {string.Join(" ", replica.Sessions.Select(session => $"{session.Key} (boot {session.Value.Boot})"))}, "
            + $"members {string.Join(" ", replica.Identity.Members.Select(member => $"{member.Key} (store {member.Value.StoreId})"))}, "
            + $"forgotten {string.Join(" ", replica.Identity.Forgotten)}, retired {string.Join(" ", replica.Identity.Retired)}, "
            + $"knows {replica.State.Known}, truncated {replica.State.Truncated}, purged up to {replica.State.Purged}"
            + string.Concat(_scenario.Slots.Select(slot => $"{Environment.NewLine}    {slot}: {ShownBy(machine, slot)}"))
        : $"  {Name(machine)} is down"));

    void DoOn(Machine machine, Machine peer, EventKind kind, int chance)
    {
        switch (kind)
        {
            case EventKind.Write:
                Write(machine, chance);
                break;
            case EventKind.Dial:
                Dial(machine, peer);
                break;
            case EventKind.Break:
                if (machine.Links.TryGetValue(peer, out var broken))
                    End(machine, broken);
                break;
            case EventKind.Tick:
                Tick(machine);
                break;
            case EventKind.Pull:
                Pull(machine, peer);
                break;
            case EventKind.Collect:
                Collect(machine, chance % 2 == 0 ? TimeSpan.MaxValue : -(chance % 200) * SimulatedTime.Unit);
                break;
            case EventKind.Flush:
                machine.Disk.Flush();
                break;
            case EventKind.FailCommit:
                machine.Disk.IsFailing = true;
                machine.Disk.FailsLate = chance % 3 == 0;
                break;
            case EventKind.Stall:
                machine.IsStalled = true;
                break;
            case EventKind.Resume:
                Resume(machine);
                break;
            case EventKind.Leave:
                Resume(machine);
                machine.Disk.Flush();
                Stop(machine);
                break;
            case EventKind.Crash:
                Stop(machine);
                break;
            case EventKind.LosePower:
                LosePower(machine, chance);
                break;
            case EventKind.Forget:
                if (machine != peer)
                    Run(machine, _ => machine.Replica!.Forget(peer.Node));
                break;
            case EventKind.Outpace:
                if (machine.Replica!.HasPartOfSeed)
                    Outpace(machine, chance);
                break;
            case EventKind.Retire:
                Retire(machine, peer);
                break;
            default:
                throw new ArgumentOutOfRangeException(nameof(kind));
        }
    }

    /// <summary>The first machine forms the cluster; some of the others join it at once.</summary>
    void Form()
    {
        Start(_machines[0]);
        Run(_machines[0], _ => _machines[0].Replica!.Bootstrap());
        var random = new Random(_scenario.Seed + 77);
        for (int i = 1; i < _machines.Length; i++)
        {
            if (i != 1 && _scenario.HasLateStarts && random.Next(10) < 3)
                continue;
            Start(_machines[i]);
            Exchange(_machines[0], _machines[i]);
            Exchange(_machines[0], _machines[i]);
        }
    }

    // ---------------------------------------------------------------------------------------------- processes and disks

    void Start(Machine machine)
    {
        if (machine.IsUp || (_isCalm && _retired.Contains(machine.StoreId)))
            return;
        _mutant.OnStarting(machine);
        try
        {
            machine.Start(++_lastId, batch => _committed = batch);
        }
        catch (StorageException)
        {
            _statistics.Count("failed starts");
            return;
        }
        CheckStore(machine);
    }

    void Stop(Machine machine)
    {
        foreach (var link in machine.Streams.Values)
            Send(machine, link, null, Holdings.None);
        machine.Ended.UnionWith(machine.Streams.Keys);
        machine.Stop();
    }

    void LosePower(Machine machine, int chance)
    {
        Stop(machine);
        int lost = chance % (machine.Disk.UnflushedCount + 1);
        if (lost == 0)
            return;
        _statistics.Count("lost tails");
        machine.Held = machine.Disk.LosePower(lost);
        machine.Ideal = Fresh(_scenario);
        _history.MergeInto(machine.Ideal, machine.Held);
    }

    void Wipe(Machine machine, int chance)
    {
        Machine[] others = [.. Active.Where(other => other != machine && other.HadJoined)];
        if (others.Length == 0)
            return;
        // A member of which only this disk knows would be forgotten with it, and what it has of this node's transactions be claimed without
        // it [R14].
        if (others.Any(a => others.Any(b => a != b && !a.Remembers(b))))
            return;
        if (machine.IsUp)
            Stop(machine);
        // A node's clock may have been set back where joining it asks all members. Where some are given up, or have never heard of the
        // node, so
        // that the first that it meets lets it in, its new life depends on a clock that is right [R12].
        bool isRemembered = others.All(other => other.Remembers(machine));
        if (isRemembered && !_scenario.GivesUp)
            machine.Clock.Offset -= chance % 300 * SimulatedTime.Unit;
        else if (machine.LastClock - _time.Now + SimulatedTime.Unit is var right && right > machine.Clock.Offset)
            machine.Clock.Offset = right;
        machine.ReplaceDisk(++_lastId);
        _statistics.Count("wipes");
    }

    // ---------------------------------------------------------------------------------------------- the network

    void Partition(int chance)
    {
        foreach (var (a, b) in Pairs().Where(pair => (chance >> pair.A.Index & 1) != (chance >> pair.B.Index & 1)))
        {
            _network.Block(a.Index, b.Index);
            _network.Block(b.Index, a.Index);
        }
    }

    /// <summary>The network is parted for so long that each side, or one of them, gives the other up.</summary>
    void Estrange(int chance)
    {
        Partition(chance);
        foreach (var machine in _machines.Where(machine => machine.IsUp && ((chance >> 6 & 3) != 0 || (chance >> machine.Index & 1) != 0)))
        {
            foreach (var other in _machines.Where(other => (chance >> other.Index & 1) != (chance >> machine.Index & 1)))
            {
                if (machine.Links.TryGetValue(other, out var link))
                    End(machine, link);
                Run(machine, _ => machine.Replica!.Forget(other.Node));
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
            Run(other, _ => other.Replica!.Forget(machine.Node));
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

    IEnumerable<(Machine A, Machine B)> Pairs() =>
        from a in _machines from b in _machines where a.Index < b.Index select (a, b);

    bool CanReach(Machine a, Machine b) =>
        a != b && a.IsUp && b.IsUp && !_network.IsBlocked(a.Index, b.Index) && !_network.IsBlocked(b.Index, a.Index);

    static bool HaveSession(Machine a, Machine b) => a.Links.TryGetValue(b, out var mine) && b.Links.TryGetValue(a, out var theirs)
        && mine.Stream == theirs.Stream && a.Replica!.IsOpen(b.Node, mine.Session) && b.Replica!.IsOpen(a.Node, theirs.Session);

    void Send(Machine source, Link link, ReplicaMessage? message, Holdings held, ulong answer = 0, bool isOpening = false) => _network.Send(
        new Envelope(source, link.Peer, link.Stream, message?.Encoded, held, answer, isOpening,
            message?.GetType().Name ?? "end of stream"));

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
                Queue(target, link, batch => Open(target, link, batch, hello));
                break;
            case Hello:
                break;                                                          // a copy
            case Refusal:
                End(target, link);
                break;
            case PullRequest request:
                Answer(target, link, request);
                break;
            case Acknowledgement:
                break;                                                          // was checked when it was sent
            case SnapshotPage page:
                Queue(target, link, batch => TakePageAsync(target, link, batch, page, envelope.Held));
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
        Array.Fill(copy, (byte)0xDD);                                           // whoever keeps a part of it without copying finds out
        bool isChecked = ++_decoded % 4 == 0;                                   // one in four, to save time
        return !isChecked || message.Encoded.AsSpan().SequenceEqual(envelope.Encoded) ? message
            : throw new Violation("encoding", $"a {message.GetType().Name} is not what it was after decoding and encoding");
    }

    // ---------------------------------------------------------------------------------------------- sessions

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
        if (replica.Refuse(hello) is { } reason)
        {
            _statistics.Count("refused sessions");
            if (reason.Contains("joined over a store that was retired", StringComparison.Ordinal))
                NoteStray(reason.StartsWith($"node {machine.Node} ", StringComparison.Ordinal) ? machine : link.Peer);
            Send(machine, link, new Refusal("no"), Holdings.None);
            End(machine, link);
            return ValueTask.CompletedTask;
        }
        if (!link.IsDialer)
            Send(machine, link, replica.Hello(), machine.Held);
        link.Session = replica.OpenSession(hello);
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

    // ---------------------------------------------------------------------------------------------- what replicas do

    void Tick(Machine machine) => Queue(machine, new Work(batch => _mutant.AroundAsync(machine, batch, isCollecting: false, () =>
    {
        machine.Replica!.Tick(batch);
        return ValueTask.CompletedTask;
    })));

    void Pull(Machine machine, Machine peer) => Run(machine, batch =>
    {
        if (machine.Replica!.CanPull && machine.Replica.Sessions.ContainsKey(peer.Node))
            machine.Replica.StartPull(batch, peer.Node);
    });

    /// <summary>One step of forgetting, or all.</summary>
    void Collect(Machine machine, TimeSpan beyondNow, bool isThorough = false)
    {
        bool hasMore = false;
        var upTo = beyondNow == TimeSpan.MaxValue ? new HlcTimestamp(ulong.MaxValue) : HlcTimestamp.AtEndOf(_time.Now + beyondNow);
        Queue(machine, new Work(async batch =>
        {
            var before = batch.State.Truncated;
            bool wasJoined = machine.IsJoined, wasWaiting = machine.Replica!.IsWaitingForRoll;
            await _mutant.AroundAsync(machine, batch, isCollecting: true,
                async () => hasMore = await machine.Replica!.CollectAsync(batch, upTo));
            if (wasJoined)
                CheckStability(machine, batch.State.Truncated.Except(before));
            else if (!wasWaiting && (machine.Replica.IsWaitingForRoll || machine.IsJoined))
                _statistics.Count("purged snapshots");
        })
        {
            Committed = () =>
            {
                if (hasMore && isThorough)
                    Collect(machine, beyondNow, isThorough);
            },
        });
    }

    void Retire(Machine machine, Machine peer)
    {
        if (machine == peer)
            return;
        Run(machine, _ =>
        {
            if (!machine.IsJoined || _retired.Contains(machine.StoreId)
                || !machine.Replica!.Identity.Members.TryGetValue(peer.Node, out var member))
                return;
            _statistics.Count("retired stores");
            _retired.Add(member.StoreId);
            machine.Replica.Retire(peer.Node);
        });
    }

    void Write(Machine machine, int chance)
    {
        if (machine.HadJoined)
            Queue(machine, new Work(batch => WriteAsync(machine, batch, new Random(chance))));
    }

    async ValueTask WriteAsync(Machine machine, ReplicaBatch batch, Random random)
    {
        var transaction = new Transaction();
        var increments = new List<Increment>();
        var slots = _scenario.Slots.ToArray();
        random.Shuffle(slots);
        foreach (var slot in slots[..random.Next(1, Math.Min(2, slots.Length) + 1)])
        {
            var keyspace = machine.Replica!.Catalog.Find(slot.Keyspace)!;
            var current = await batch.ReadAsync(StoreLayout.DocumentKey(keyspace.Number, slot.Key.Encoded.Span));
            AddOperation(transaction, slot, current, random, increments);
        }
        try
        {
            var stamp = await machine.Replica!.WriteAsync(batch, transaction);
            _written[stamp] = increments;
        }
        catch (DocumentNotFoundException)
        {
            _statistics.Count("refused updates");
        }
    }

    static void AddOperation(Transaction transaction, Slot slot, Document current, Random random, List<Increment> increments)
    {
        bool isShown = current.IsAlive(slot.Policy);
        int choice = random.Next(isShown ? 8 : 40);
        var content = new DocumentContentBuilder();
        if (choice == 0 || (!isShown && choice > 3))
        {
            content.Set(PathP, Value(random));
            content.Set(PathQ, Value(random));
            content.Set(PathX, [1]);
            transaction.Put(slot.Keyspace, slot.Key, content.Build(), [new CounterIncrement("n", random.Next(9))]);
        }
        else if (choice <= 3)
        {
            // Of a document that is not shown, too: that is refused, and must change nothing.
            var path = (random.Next(4)) switch { 0 => PathP, 1 => PathQ, 2 => PathX, _ => PathY };
            if (random.Next(2) == 0)
                content.Set(path, Value(random));
            else
                content.Remove(path);
            transaction.Update(slot.Keyspace, slot.Key, content.Build());
        }
        else if (choice <= 5)
        {
            long amount = random.Next(1, 6);
            increments.Add(new Increment(slot.Number, current.Born, amount));
            transaction.Update(slot.Keyspace, slot.Key, DocumentContent.Empty, [new CounterIncrement("n", amount)]);
        }
        else
        {
            transaction.Delete(slot.Keyspace, slot.Key);
        }
    }

    static byte[] Value(Random random) => BitConverter.GetBytes(random.Next(4));

    static readonly byte[] PathP = DocumentPath.OfProperty("p").Encoded.ToArray(), PathQ = DocumentPath.OfProperty("q").Encoded.ToArray(),
        PathX = DocumentPath.OfElement("s", [1]).Encoded.ToArray(), PathY = DocumentPath.OfElement("s", [2]).Encoded.ToArray();

    // ---------------------------------------------------------------------------------------------- batches

    void Resume(Machine machine)
    {
        machine.IsStalled = false;
        if (machine.Waiting.Count > 0)
            Commit(machine);
    }

    void Run(Machine machine, Action<ReplicaBatch> work) => Queue(machine, new Work(batch =>
    {
        work(batch);
        return ValueTask.CompletedTask;
    }));

    void Queue(Machine machine, Link link, Func<ReplicaBatch, ValueTask> work) =>
        Queue(machine, new Work(work) { Failed = failure => Refuse(machine, link, failure) });

    void Queue(Machine machine, Work work)
    {
        machine.Queue(work);
        if (!machine.IsStalled && !_isCommitting)
            Commit(machine);
        else if (machine.Waiting.Count > 50)
            Resume(machine);
    }

    /// <summary>Commits all that waits on a machine, then what came up meanwhile.</summary>
    void Commit(Machine machine)
    {
        _isCommitting = true;
        do
        {
            var before = machine.Replica!.State;
            var stored = machine.Disk.Entries;
            _committed = null;
            var work = machine.Commit();
            _statistics.CountBatch();
            if (work.FirstOrDefault(one => one.Failure is not (null or StorageException or ClockDriftException))
                is { Failure: { } failure })
                throw failure as Violation ?? new Violation("nothing fails", $"on {Name(machine)}: {failure.Message}", failure);
            if (_committed is { } batch)
            {
                Settle(machine, before, batch, work);
                Dispatch(machine, batch);
            }
            else
            {
                FailedCommit(machine, before, work, isStored: !ReferenceEquals(stored, machine.Disk.Entries));
            }
            _written.Clear();
            _acknowledged.Clear();
        }
        while (machine.Waiting.Count > 0);
        _isCommitting = false;
    }

    /// <summary>After a commit that failed, though it may have been stored: then the replica finds out with its next batch.</summary>
    void FailedCommit(Machine machine, ReplicaState before, Work[] work, bool isStored)
    {
        _statistics.Count("failed commits");
        Trace?.Invoke($"  node {machine.Node} fails to commit{(isStored ? ", but has stored it" : "")}");
        if (!isStored)
            return;
        _statistics.Count("failed commits that were stored");
        var stored = machine.Disk.Entries;
        machine.Commit();
        int commits = ReferenceEquals(stored, machine.Disk.Entries) ? 1 : 2;
        Settle(machine, before, work.First(one => one.Batch is not null).Batch!, work, commits);
    }

    /// <summary>After a commit: the history grows, and the replica is checked.</summary>
    void Settle(Machine machine, ReplicaState before, ReplicaBatch batch, Work[] work, int commits = 1)
    {
        var replica = machine.Replica!;
        var offered = work.Aggregate(Holdings.None, (all, one) => all.Or(one.Offered));
        if (batch.IsReconciled && machine.Arrived is var (arrived, theirs))
        {
            offered = offered.Or(arrived);
            if (!before.Known.Covers(theirs.Truncated))
                NoteReconcile(machine);
        }
        var own = new List<int>();
        foreach (var mutation in batch.Mutations)
            own.Add(Note(machine, mutation, Holdings.Of(own)));
        if (batch.IsReconciled)
            machine.Arrived = null;
        Gain(machine, before, offered, own);
        machine.Disk.Note(machine.Held, commits);
        machine.HadJoined = replica.IsJoined;
    }

    /// <summary>Sends what a committed batch says, as the peer links do it.</summary>
    void Dispatch(Machine machine, ReplicaBatch batch)
    {
        if (batch.Mutations.Count > 0)
            Broadcast(machine, new Mutations(batch.Mutations));
        foreach (var (peer, session, message) in batch.Outbox)
        {
            foreach (var link in machine.Links.Values)
            {
                if (peer is null || (link.Peer.Node == peer && link.Session == session))
                    Send(machine, link, message, machine.Held);
            }
        }
        if (batch.HasPulled && machine.IsJoined)
            Broadcast(machine, machine.Replica!.Report(batch));
    }

    void Broadcast(Machine machine, ReplicaMessage message)
    {
        foreach (var link in machine.Links.Values)
            Send(machine, link, message, machine.Held);
    }

    // ---------------------------------------------------------------------------------------------- many messages at once

    /// <summary>Two machines talk until neither has anything more to say.</summary>
    void Exchange(Machine a, Machine b)
    {
        if (!CanReach(a, b))
            return;
        Resume(a);
        Resume(b);
        if (!HaveSession(a, b))
        {
            Dial(a, b);
            DeliverAll(envelope => envelope.IsBetween(a, b));
        }
        Tick(a);
        Tick(b);
        DeliverAll(envelope => envelope.IsBetween(a, b));
        Pull(a, b);
        DeliverAll(envelope => envelope.IsBetween(a, b));
        Pull(b, a);
        DeliverAll(envelope => envelope.IsBetween(a, b));
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
