using Datacake.Crdt;
using Datacake.EventualConsistency.Integrity;
using Datacake.EventualConsistency.Layout;
using Datacake.EventualConsistency.Replication;
using Datacake.Simulation.Histories;
using Datacake.Simulation.Machines;
using Datacake.Storage;
using static Datacake.Simulation.Machines.Machine;

namespace Datacake.Simulation.Worlds;

// Processes and disks.
sealed partial class World
{
    void Start(Machine machine)
    {
        if (machine.IsUp || (_isCalm && _retired.Contains(machine.StoreId)))
            return;
        _mutant.OnStarting(machine);
        // Stamps that others had heard of when the copy was restored may since have been lost in a crash.
        if (!machine.TopIssued.IsNone && !machine.HasWrittenAsMisfit && TopKnownToOthers(machine) is var top && top < machine.TopIssued)
            machine.TopIssued = top;
        try
        {
            machine.Start(++_lastId, _committed.Add, DispatchEarly);
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
        // As with a restored copy: newer copies are given up together with the data that only they have.
        machine.Backups.RemoveAll(copy => !copy.Held.IsSubsetOf(machine.Held));
        machine.Ideal = Fresh(_scenario);
        _history.MergeInto(machine.Ideal, machine.Held);
    }

    /// <summary>Restores an earlier copy of a machine's disk.</summary>
    void PutBack(Machine machine, int chance)
    {
        var copies = machine.Backups.Where(copy => copy.StoreId == machine.StoreId).ToArray();
        if (copies.Length == 0 || machine.IsMisfit || _retired.Contains(machine.StoreId)
            || Active.All(other => other == machine || !other.HadJoined || other.MayBeExcluded))
            return;
        // A clock that is ahead will be behind if it is corrected before the copy starts.
        bool isAhead = machine.Clock.Offset > TimeSpan.Zero;
        if (isAhead && _scenario.GivesUp)
            return;
        var copy = copies[^(1 + (chance % Math.Min(copies.Length, 3)))];
        var (entries, held, _) = copy;
        // The members must agree: a member that only this disk knows of would be forgotten together with the lost data.
        var identity = entries.First(entry => entry.Key.Span.SequenceEqual(StoreLayout.IdentityKey.Span)).Value[..^RecordChecksum.Length];
        if (ReplicaIdentity.Decode(identity).Members.Count
            != ReplicaIdentity.Decode(machine.Disk.Get(StoreLayout.IdentityKey.Span)!.Value).Members.Count)
            return;
        if (machine.IsUp)
            Stop(machine);
        _statistics.Count("old copies");
        _hasPutBack = true;
        // A newer copy is not restored later: data that only it has are given up by now.
        machine.Backups.RemoveRange(machine.Backups.IndexOf(copy) + 1, machine.Backups.Count - machine.Backups.IndexOf(copy) - 1);
        _network.DropFrom(machine);
        machine.TopIssued = TopKnownToOthers(machine);
        machine.PutBack(entries, held);
        machine.Ideal = Fresh(_scenario);
        _history.MergeInto(machine.Ideal, held);
        // The clock is usually right: a second passes before the copy is in place.
        if (_scenario.GivesUp || _scenario.IsSerial || chance % 8 > (_scenario.Theme.IsBehind ? 4 : 0))
        {
            _time.Pass(StampLimit.Lease + Later(HlcTimestamp.Max(machine.TopIssued, LastRunHeardOf(machine)).Time - machine.Clock.GetUtcNow()));
            machine.MayBeExcluded |= isAhead;
        }
        else
        {
            machine.MayBeExcluded = true;
            machine.SetClock(machine.Clock.Offset - (3 * (chance % 200) * SimulatedTime.Unit));
        }

        static TimeSpan Later(TimeSpan time) => time > TimeSpan.Zero ? time : TimeSpan.Zero;
    }

    /// <summary>Returns the last run of a machine that others have heard of, even if the machine wrote nothing in it.</summary>
    HlcTimestamp LastRunHeardOf(Machine machine) => _machines.Where(other => other != machine)
        .Select(other => HlcTimestamp.Max(other.Replica?.HeardRunOf(machine.Node) ?? HlcTimestamp.None, StateOf(other).Runs[machine.Node]))
        .Aggregate(HlcTimestamp.None, HlcTimestamp.Max);

    /// <summary>Returns the greatest stamp of a machine's transactions that others have or claim to know.</summary>
    HlcTimestamp TopKnownToOthers(Machine machine)
    {
        Machine[] others = [.. _machines.Where(other => other != machine)];
        var held = others.Aggregate(Holdings.None, (all, other) => all.Or(other.Held).Or(other.SeedHeld).Or(other.Arrived?.Held ?? Holdings.None)
            .Or(other.Waiting.Aggregate(Holdings.None, (offered, work) => offered.Or(work.Offered))));
        return held.Transactions.Select(number => _history[number].Stamp).Where(stamp => stamp.Node == machine.Node)
            .Concat(others.Select(other => StateOf(other).Known.OfNode(machine.Node).Top))
            .Aggregate(HlcTimestamp.None, HlcTimestamp.Max);
    }

    static ReplicaState StateOf(Machine machine) =>
        machine.Disk.Get(StoreLayout.StateKey.Span) is { } state ? ReplicaState.Decode(state) : ReplicaState.Empty;

    /// <summary>Restarts a process several times; it writes a little each time.</summary>
    void Restart(Machine machine, int chance)
    {
        if (!machine.IsUp)
            return;
        for (int i = 0; i <= chance % 5; i++)
        {
            Stop(machine);
            Start(machine);
            if (!machine.IsUp)
                return;
            Write(machine, chance + i);
        }
    }

    /// <summary>Swaps the addresses of two machines, or gives one machine an unused address, and restarts them. The others find out later.</summary>
    void Swap(Machine a, Machine b, int chance)
    {
        _statistics.Count("changed addresses");
        foreach (var machine in (Machine[])[a, b])
        {
            if (machine.IsUp && chance % 4 > 0)
            {
                Stop(machine);
                Start(machine);
            }
        }
        foreach (var other in _machines.Where(other => other != a && other != b))
            (other.Book[a.Index], other.Book[b.Index]) = (other.Book[b.Index], other.Book[a.Index]);
    }

    /// <summary>Makes the wall clocks of some machines, or all of them by the same amount, jump far.</summary>
    void Leap(int chance)
    {
        var amount = Leaps[chance % Leaps.Length];
        _statistics.Count("leaps of clocks");
        foreach (var machine in _machines.Where(machine => chance % 3 == 0 || (chance >> 4 >> machine.Index & 1) != 0))
            machine.SetClock(chance % 3 == 2 ? amount * (1 + (machine.Index % 2)) / 2 : amount);
    }

    void SetRight(int chance)
    {
        foreach (var machine in _machines.Where(machine => chance % 2 == 0 || (chance >> 4 >> machine.Index & 1) != 0))
            machine.SetClock(TimeSpan.Zero);
    }

    /// <summary>Jumps within and beyond the limit by which clocks may differ; with some of them, only some of the other members refuse the machine.</summary>
    static readonly TimeSpan[] Leaps =
    [
        TimeSpan.FromHours(8), TimeSpan.FromHours(-8), TimeSpan.FromSeconds(4_000), TimeSpan.FromSeconds(-4_000), TimeSpan.FromSeconds(4_200),
        TimeSpan.FromSeconds(2_500), TimeSpan.FromSeconds(-2_500), TimeSpan.FromDays(2),
    ];

    void Wipe(Machine machine, int chance)
    {
        // A fresh store must not join through a member that may have to be removed.
        Machine[] others = [.. Active.Where(other => other != machine && other.HadJoined)];
        if (others.All(other => other.MayBeExcluded))
            return;
        // A member that only this disk knows of would be forgotten with the disk, and the others would claim the transactions of this node that only that
        // member has, without having them [R14].
        if (others.Any(a => others.Any(b => a != b && !a.Remembers(b))))
            return;
        bool isRemembered = others.All(other => other.Remembers(machine));
        bool needsClock = !isRemembered || _scenario.GivesUp;
        if (machine.IsUp)
            Stop(machine);
        // Wait if the clock would have to lead further than the others accept.
        if (needsClock && machine.LastClock - _time.Now > TimeSpan.FromMinutes(5))
            return;
        // The node's clock may be set back if joining asks all members. If some members are given up or have never heard of the node, the first
        // member that it meets lets it in, and its new life depends on a correct clock [R12].
        machine.NeededClock = needsClock ? machine.LastClock : null;
        machine.SetClock(needsClock ? machine.Clock.Offset : machine.Clock.Offset - (chance % 300 * SimulatedTime.Unit));
        machine.ReplaceDisk(++_lastId);
        // Without the operator's permission, the fresh store waits for it.
        machine.TakesOver = chance % 4 > 0;
        if (machine.TakesOver && _scenario.HasOperator)
            RetireReplaced(machine);
        _statistics.Count("wipes");
    }

    /// <summary>
    /// While a machine is down, starts another machine with its node id and an empty disk, without the operator's permission. Members that know the
    /// node must refuse the impostor, and the node must be able to return.
    /// </summary>
    void Impersonate(Machine machine)
    {
        if (!machine.HadJoined || machine.IsMisfit || machine.MayBeExcluded || machine.IsBeingRepaired || !IsActive(machine)
            || !_machines.All(other => other == machine || other.Remembers(machine)))
            return;
        _statistics.Count("impostors");
        if (machine.IsUp)
            Stop(machine);
        DeliverAll(envelope => envelope.Source == machine);
        ulong store = machine.StoreId;
        machine.WithEmptyDisk(++_lastId, () =>
        {
            Start(machine);
            foreach (var other in _machines.Where(other => other != machine))
            {
                Exchange(machine, other);
                Exchange(other, machine);
            }
            Tick(machine);
            Stop(machine);
            _network.DropFrom(machine);
        });
        foreach (var other in _machines.Where(other => !_retired.Contains(store) && other.Replica?.Identity.Retired.Contains(store) == true))
            throw new Violation("only operators retire stores", $"{Name(other)} has retired the store of {Name(machine)} in favor of an empty disk.");
    }
}
