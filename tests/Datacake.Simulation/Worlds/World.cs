using Datacake.Crdt;
using Datacake.EventualConsistency.Replication;
using Datacake.Simulation.Histories;
using Datacake.Simulation.Machines;
using Datacake.Simulation.Mutants;
using Datacake.Simulation.Scenarios;

namespace Datacake.Simulation.Worlds;

/// <summary>
/// A cluster of machines that run the shipped replica in one thread on a simulated clock. A schedule of events determines everything, so the same
/// schedule always ends in the same way. The world knows the whole history and checks every replica against it after every commit.
/// </summary>
sealed partial class World
{
    readonly Scenario _scenario;
    readonly Statistics _statistics;
    readonly Mutant _mutant;
    readonly SimulatedTime _time = new();
    readonly Network _network;
    readonly Machine[] _machines;
    readonly SimulatedFollower[] _followers;
    readonly History _history;
    readonly HashSet<int> _unsureCounters = [];
    readonly HashSet<ulong> _retired = [];
    readonly HashSet<Machine> _strays = [];                                     // machines that were refused because their ancestor is retired
    readonly Dictionary<HlcTimestamp, IReadOnlyList<Increment>> _written = [];   // the user's transactions of the current batch
    readonly List<(Machine Author, IReadOnlyList<StampInterval> Stamps)> _acknowledged = [];   // by the current batch
    readonly List<ReplicaBatch> _committed = [];
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
        _isCalm = !scenario.GivesUp && scenario.Weights[EventKind.LosePower] + scenario.Weights[EventKind.PutBack] == 0;
        _machines = [.. Enumerable.Range(0, scenario.Machines).Select(index => new Machine(index, scenario, mutant.Flaws, _time))];
        _followers = [.. Enumerable.Range(0, scenario.Followers).Select(index => new SimulatedFollower(
            new Machine(scenario.Machines + index, scenario, mutant.Flaws, _time) { FollowedKeyspaces = index == 0 ? [] : [scenario.Slots[0].Keyspace] }))];
        foreach (var machine in _machines)
        {
            machine.Book = [.. _machines];
            machine.ReplaceDisk(++_lastId);
        }
        // The first store id is that of the cluster.
        foreach (var follower in _followers)
            follower.Machine.ReplaceDisk(++_lastId);
        Form();
    }

    /// <summary>The id of the cluster that the first machine's store forms.</summary>
    const ulong Cluster = 1;

    /// <summary>Gets or sets the receiver of a description of each event, for finding the cause of a violation.</summary>
    public Action<string>? Trace { get; set; }

    /// <summary>Gets the machines whose stores are not retired.</summary>
    IEnumerable<Machine> Active => _machines.Where(IsActive);

    bool IsActive(Machine machine) => !machine.IsMisfit && !_retired.Contains(machine.StoreId);

    /// <summary>Executes an event.</summary>
    public void Do(SimulatedEvent happening)
    {
        var (kind, index, other, chance) = happening;
        NoteClocks();
        Machine machine = _machines[index], peer = _machines[other];
        _statistics.Count(kind);
        Trace?.Invoke($"{kind} {machine.Node} {peer.Node} {chance}");
        switch (kind)
        {
            case EventKind.Pass:
                _time.Pass((1 + (chance % 40)) * SimulatedTime.Unit);
                break;
            case EventKind.SetClock:
                machine.SetClock(((chance % 401) - 200) * SimulatedTime.Unit);
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
            case EventKind.BlockDial:
                _network.BlockDial(index, other);
                break;
            case EventKind.Leap:
                Leap(chance);
                break;
            case EventKind.SetRight:
                SetRight(chance);
                break;
            case EventKind.Swap:
                Swap(machine, peer, chance);
                break;
            case EventKind.PutBack:
                PutBack(machine, chance);
                break;
            case EventKind.Restart:
                Restart(machine, chance);
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
            case EventKind.Meet:
                Meet(machine, peer, chance);
                break;
            case EventKind.Divert:
                Divert(machine, peer, chance);
                break;
            case EventKind.Wipe:
                Wipe(machine, chance);
                break;
            case EventKind.Impersonate:
                Impersonate(machine);
                break;
            case EventKind.Lie:
                Lie(peer, chance);
                break;
            case EventKind.LoseIdentity:
                LoseIdentity(machine);
                break;
            case EventKind.Follow:
                Follow(chance);
                break;
            case EventKind.Release:
                Release(machine, peer, chance);
                break;
            case EventKind.Sequence:
                Sequence(chance);
                break;
            case EventKind.Depose:
                Depose(chance);
                break;
            case EventKind.Alternate:
                Alternate(machine, peer, chance);
                break;
            case EventKind.LoseMajority:
                LoseMajority(machine, chance);
                break;
            case EventKind.Supersede:
                Supersede(chance);
                break;
            case EventKind.Replace:
                if (_scenario.Theme.IsBounded)
                    SellUnheard(machine, chance);
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

    /// <summary>Returns a description of the machines, for finding the cause of a violation.</summary>
    public string Describe() => string.Join(Environment.NewLine, _machines.Select(machine => machine.Replica is { } replica
        ? $"  {Name(machine)}: store {machine.StoreId} of cluster {replica.Identity.Cluster}{(machine.IsMisfit ? ", an old copy" : "")}, boot {replica.Boot}, run {replica.Run}, clock {replica.Hello().Clock}"
            + $"{(replica.IsWaitingForRoll ? ", waits for the roll" : "")}, "
            + $"sessions with {string.Join(" ", replica.Sessions.Select(session => $"{session.Key} (boot {session.Value.Boot})"))}, "
            + $"members {string.Join(" ", replica.Identity.Members.Select(member => $"{member.Key} (store {member.Value.StoreId})"))}, "
            + $"forgotten {string.Join(" ", replica.Identity.Forgotten)}, retired {string.Join(" ", replica.Identity.Retired)}, "
            + $"knows {replica.State.Known}, truncated {replica.State.Truncated}, purged up to {replica.State.Purged}"
            + string.Concat(_scenario.Slots.Select(slot => $"{Environment.NewLine}    {slot}: {Describe(machine, slot)}"))
        : $"  {Name(machine)} is down"));

    static string Describe(Machine machine, Slot slot)
    {
        try
        {
            return ShownBy(machine, slot).ToString();
        }
        catch (InvalidDataException e)
        {
            return e.Message;
        }
    }

    void DoOn(Machine machine, Machine peer, EventKind kind, int chance)
    {
        switch (kind)
        {
            case EventKind.Write:
                Write(machine, chance);
                break;
            case EventKind.DropKeyspace:
                DropKeyspace(machine, chance);
                break;
            case EventKind.Sell:
                Sell(machine, chance);
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
                machine.Disk.IsFailing = !machine.Disk.IsFull;
                machine.Disk.FailsLate = chance % 3 == 0;
                break;
            case EventKind.Fill:
                // A record that a flipped key bit has put in the place of another document is repaired before anything else is written.
                machine.Disk.IsFull = !machine.IsBeingRepaired;
                machine.Disk.IsFailing &= !machine.Disk.IsFull;
                break;
            case EventKind.MakeRoom:
                machine.Disk.IsFull = false;
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
                Forget(machine, peer);
                break;
            case EventKind.Backup:
                machine.Backups.Add((machine.Disk.Entries, machine.Held, machine.StoreId));
                break;
            case EventKind.FormByMistake:
                FormByMistake(machine);
                break;
            case EventKind.Damage:
                Damage(machine, chance);
                break;
            case EventKind.LoseRecord:
                LoseRecord(machine, chance);
                break;
            case EventKind.DamageKey:
                DamageKey(machine, chance);
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

    /// <summary>Lets the first machine form the cluster and some of the others join it at once.</summary>
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
        if (_scenario.Theme.AllVote)
            LetAllVote();
    }
}
