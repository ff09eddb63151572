using Datacake.Storage;
using static Datacake.Simulation.Machine;

namespace Datacake.Simulation;

// Processes and disks.
sealed partial class World
{
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
}
