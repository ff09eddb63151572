using Datacake.EventualConsistency.Sequencing;
using Datacake.Simulation.Machines;
using Datacake.Simulation.Scenarios;

namespace Datacake.Simulation.Worlds;

// What happens to sequencers so that others take their place.
sealed partial class World
{
    /// <summary>Lets all machines that have started become voters, before anything else happens.</summary>
    void LetAllVote()
    {
        _network.IsReliable = true;
        for (int i = 0; i < 10 && _machines[0].Sequencer!.Voters.Count < Math.Min(_scenario.MaxVoters, _machines.Count(static machine => machine.IsUp)); i++)
        {
            foreach (var (a, b) in Pairs())
                Dial(a, b);
            SequenceCalmly();
        }
        _network.IsReliable = false;
    }

    /// <summary>
    /// Does something to a sequencer that its followers notice: cuts it off, ends its process, or lets others stand at the same time; or ends all cuts. It may not be the only one that takes
    /// itself for the sequencer.
    /// </summary>
    void Depose(int chance)
    {
        Machine[] sequencers = [.. _machines.Where(static machine => machine.Sequencer?.Role == SequencerRole.Sequencer)];
        int choice = (chance >> 4) % 16;
        if (choice < 6 || sequencers.Length == 0)
        {
            _network.Heal();
            return;
        }
        var sequencer = sequencers[chance % sequencers.Length];
        Machine[] others = [.. _machines.Where(machine => machine != sequencer)];
        switch (choice)
        {
            case 6:
                Stop(sequencer);
                break;
            case < 11:
                foreach (var other in others.Where(other => choice < 9 || (chance >> 8 >> other.Index & 1) == 0))
                    Cut(sequencer, other, choice);
                break;
            case < 13:
                CutWithoutVoters(sequencer);
                break;
            case 13 when _scenario.Weights[EventKind.Forget] > 0:
                Supersede(sequencer, others, chance);
                break;
            default:
                foreach (var other in others)
                    Cut(sequencer, other, choice: 0);
                LetStand(others);
                break;
        }
    }

    void Cut(Machine a, Machine b, int choice)
    {
        if (choice % 3 != 1)
            _network.Block(a.Index, b.Index);
        if (choice % 3 != 2)
            _network.Block(b.Index, a.Index);
    }

    /// <summary>Cuts a sequencer, with the members that do not vote, off from the other voters.</summary>
    void CutWithoutVoters(Machine sequencer)
    {
        bool IsHere(Machine machine) => machine == sequencer || !sequencer.Sequencer!.Voters.Contains(machine.StoreId);
        foreach (var (a, b) in Pairs())
        {
            if (IsHere(a) != IsHere(b))
                Cut(a, b, choice: 0);
        }
    }

    /// <summary>Lets all machines of some stand for election at once, before any of them hears of another one.</summary>
    void LetStand(Machine[] machines)
    {
        _time.Pass(TimeSpan.FromSeconds(1.1));
        foreach (var machine in machines.Where(static machine => machine.IsUp))
            TickSequencer(machine);
    }

    /// <summary>Cuts off a sequencer, if there is one, in the way of the method below.</summary>
    void Supersede(int chance)
    {
        Machine[] sequencers = [.. _machines.Where(static machine => machine.Sequencer?.IsReady == true)];
        if (sequencers.Length == 0)
            return;
        var sequencer = sequencers[chance % sequencers.Length];
        Supersede(sequencer, [.. _machines.Where(machine => machine != sequencer)], chance);
    }

    /// <summary>
    /// Cuts a sequencer off that has applied something of which no other machine hears. Others go on, forget it, and purge what they delete.
    /// </summary>
    void Supersede(Machine sequencer, Machine[] others, int chance)
    {
        _statistics.Count("superseded sequencers");
        foreach (var other in others)
            _network.Block(sequencer.Index, other.Index);
        DeliverAll(envelope => envelope.Target == sequencer);
        foreach (var other in others)
        {
            _network.Block(other.Index, sequencer.Index);
            if (sequencer.Links.TryGetValue(other, out var link))
                End(sequencer, link);
            if (other.Links.TryGetValue(sequencer, out link))
                End(other, link);
        }
        _network.DropFrom(sequencer);
        for (int i = 0; i < 40; i++)
            Sequence((chance * 31) + (i * 7919) & 0xFFFFF);
        foreach (var other in others.Where(static other => other.IsUp))
        {
            Forget(other, sequencer);
            Collect(other, TimeSpan.MaxValue, isThorough: true);
        }
        foreach (var (a, b) in Pairs().Where(pair => pair.A != sequencer && pair.B != sequencer))
            Exchange(a, b);
        foreach (var other in others.Where(static other => other.IsUp))
            Collect(other, TimeSpan.MaxValue, isThorough: true);
    }

    /// <summary>
    /// Lets two voters become sequencers in turn, each one by the votes of all but the other one, which may also miss the term. Of what each one sends in its term, little arrives: sometimes
    /// nothing, sometimes enough to decide something.
    /// </summary>
    void Alternate(Machine first, Machine second, int chance)
    {
        if (first == second || !IsVoter(first) || !IsVoter(second))
            return;
        var random = new Random(chance);
        bool isApart = random.Next(2) == 0;
        _network.Heal();
        if (isApart)
            Separate(first, second);
        foreach (var (a, b) in Pairs())
            Connect(a, b);
        if (random.Next(2) == 0)
            first.SetClock(random.Next(10_000) * TimeSpan.FromMilliseconds(1));
        int terms = random.Next(3, 6);
        for (int i = 0; i < terms; i++)
        {
            var (machine, other) = i % 2 == 0 ? (first, second) : (second, first);
            if (!Elect(machine, other))
                return;
            _statistics.Count("sequencers in turn");
            Serve(machine, isApart ? other : null, random);
            _network.DropFrom(machine);
            _network.DropTo(machine);
        }
        _network.Heal();

        static bool IsVoter(Machine machine) => machine.Sequencer is { } sequencer && sequencer.Voters.Contains(machine.StoreId);
    }

    /// <summary>Lets a sequencer work for a while without another machine: only a few messages long, or long enough for transactions, of which the last may be known to nobody else.</summary>
    void Serve(Machine sequencer, Machine? other, Random random)
    {
        if (random.Next(3) > 0)
        {
            DeliverOf(sequencer, other, random.Next(3) * random.Next(4));
            return;
        }
        for (int steps = random.Next(8, 40); steps > 0; steps--)
        {
            _time.Pass(SimulatedTime.Unit);
            foreach (var machine in _machines.Where(machine => machine.IsUp && machine != other))
            {
                TickSequencer(machine);
                if (random.Next(2) == 0)
                    Use(machine, random.Next(1 << 20));
            }
            DeliverOf(sequencer, other, random.Next(4 * _machines.Length));
        }
        if (random.Next(2) == 0)
            DeliverAll(envelope => envelope.Target == sequencer && envelope.Source != other);
    }

    void DeliverOf(Machine machine, Machine? other, int messages)
    {
        for (; messages > 0 && TakeOf(machine, other) is { } envelope; messages--)
            Deliver(envelope);
    }

    /// <summary>Lets one machine alone stand for election, without another one. Returns true if it becomes the sequencer.</summary>
    bool Elect(Machine machine, Machine other)
    {
        for (int i = 0; i < 6 && machine.IsUp; i++)
        {
            _time.Pass(TimeSpan.FromSeconds(1.1));
            TickSequencer(machine);
            for (int messages = 0; messages < 100 && machine.Sequencer?.Role is SequencerRole.Asking or SequencerRole.Candidate; messages++)
                DeliverOf(machine, other, 1);
            if (machine.Sequencer is { Role: SequencerRole.Sequencer, IsReady: false })
                return true;
        }
        return false;
    }

    /// <summary>Takes the oldest message from or to a machine that is not about another one.</summary>
    Envelope? TakeOf(Machine machine, Machine? other) =>
        _network.TakeFirst(envelope => (envelope.Source == machine || envelope.Target == machine) && envelope.Source != other && envelope.Target != other);
}
