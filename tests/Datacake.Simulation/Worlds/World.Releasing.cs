using Datacake.EventualConsistency.Replication;
using Datacake.Simulation.Histories;
using Datacake.Simulation.Machines;
using Datacake.Simulation.Scenarios;

namespace Datacake.Simulation.Worlds;

// Members that leave in an orderly way, and the invariants of that [R22].
sealed partial class World
{
    /// <summary>Lets a member begin to leave, or do a step of that, or give it up; or lets one that has left begin anew.</summary>
    void Release(Machine machine, Machine peer, int chance)
    {
        int choice = chance % 16;
        // A departure takes several steps, each of which waits for others.
        Machine[] leavers = [.. _machines.Where(static one => one.Departure is { IsOver: false })];
        if (chance / 16 % 4 > 0 && leavers.Length > 0)
            machine = leavers[chance / 256 % leavers.Length];
        if (_retired.Contains(machine.StoreId))
        {
            if (choice == 0)
                ComeBack(machine, peer);
            return;
        }
        if (!machine.IsJoined || machine.IsMisfit || machine.Replica!.Identity.Cluster != Cluster)
            return;
        if (machine.Departure is { } departure)
        {
            if (choice == 0 && chance / 64 % 4 == 0)
            {
                _statistics.Count("releases that are given up");
                departure.Cancel();
                machine.Departure = null;
            }
            else
            {
                Run(machine, departure.Step);
            }
        }
        else if (choice < 4)
        {
            bool isOne = chance / 16 % 2 == 0;
            machine.RequiredToLeave = others => isOne ? 1 : (others / 2) + 1;
            machine.Departure = _mutant.Flaws.NewDeparture(
                machine.Replica, machine.Sequencer, machine.RequiredToLeave, _scenario.HasOperator ? SimulatedOperator.Sign(Cluster, machine.StoreId) : default);
        }
    }

    /// <summary>Starts a machine whose store was released with an empty disk.</summary>
    void ComeBack(Machine machine, Machine peer)
    {
        if (machine.IsUp)
            Stop(machine);
        // The clock must lead what the node has issued before, as that of every fresh store whose node the members do not know [R12].
        machine.NeededClock = machine.LastClock;
        machine.ReplaceDisk(++_lastId);
        machine.TakesOver = false;
        _statistics.Count("members that come back");
        Start(machine);
        Exchange(machine, peer);
    }

    /// <summary>Notes the members that a machine has let go with its last commit, and checks that they leave nothing behind.</summary>
    void NoteReleases(Machine machine)
    {
        foreach (var leaver in _machines)
        {
            if (leaver == machine || leaver.RequiredToLeave is not { } toLeave || _retired.Contains(leaver.StoreId) || !machine.Replica!.Identity.Retired.Contains(leaver.StoreId))
                continue;
            if (!IsActive(machine))
                throw new Violation("somebody remains", $"{Name(machine)} lets {Name(leaver)} go, but was let go itself.");
            _statistics.Count("released stores");
            _retired.Add(leaver.StoreId);
            if (!leaver.Held.IsSubsetOf(machine.Held))
                throw new Violation("nothing is left behind", $"{Name(machine)} lets {Name(leaver)} go, but lacks {string.Join(", ", leaver.Held.Except(machine.Held).Transactions.Select(number => _history[number].Stamp))}.");
            if (_scenario.HasLosses)
                continue;
            Machine[] others = [.. Active.Where(other => other != leaver && other.HadJoined && IdentityOf(leaver)!.Members.TryGetValue(other.Node, out var member) && member.StoreId == other.StoreId)];
            int have = others.Count(other => leaver.Held.IsSubsetOf(other.Held)), required = toLeave(others.Length);
            if (have < required)
                throw new Violation("enough others have everything", $"{Name(leaver)} leaves, but {have} of {others.Length} others have what it has, and {required} were asked for.");
        }
    }

    /// <summary>Checks that an operator need not found the sequence anew, because members have left that the others cannot decide without.</summary>
    void CheckMajorityLost()
    {
        if (_scenario.Theme.HasReleases && !_scenario.HasLosses)
            throw new Violation("those that remain decide", "A majority of the voters is gone, although all that have left have given up their votes: "
                + string.Join("; ", Active.Select(machine => $"{Name(machine)} is {machine.Sequencer!.Role} in epoch {machine.Sequencer.State.Epoch}, has entries up to {machine.Sequencer.Last}, and knows the voters {string.Join(" ", machine.Sequencer.Voters)}")) + ".");
    }
}
