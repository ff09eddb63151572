using Datacake.Crdt;
using Datacake.EventualConsistency.Layout;
using Datacake.EventualConsistency.Replication;
using Datacake.Simulation.Histories;
using Datacake.Simulation.Machines;
using Datacake.Simulation.Scenarios;

namespace Datacake.Simulation.Worlds;

// How a cluster comes to rest, and the invariants that must hold then.
sealed partial class World
{
    const int MaxRounds = 150;

    /// <summary>
    /// Ends all faults and runs every machine that is still a member. After some rounds of periodic work, everything must be settled.
    /// </summary>
    public void Rest()
    {
        _network.Heal();
        _network.Clear();
        _network.IsReliable = true;
        _liesInNextAnswer = false;
        foreach (var machine in _machines)
            Repair(machine);
        PassExpiries();
        int round = 0;
        while (Unsettled() is { } what)
        {
            if (++round > MaxRounds)
                throw new Violation("liveness", $"After {MaxRounds} rounds, {what}.");
            if (round == MaxRounds / 2)
                RetireStrays();
            RemoveExcluded();
            LetTakeOver();
            if (round > 3)
                RecoverVoters();
            // A machine that had not met the cluster could not be told before.
            if (_scenario.HasOperator)
                Array.ForEach([.. Active], RetireAgain);
            _strays.Clear();
            GoOn();
        }
        _statistics.Count("rounds to rest", round);
        CheckFinally();
        _network.IsReliable = false;
    }

    /// <summary>Forbids full reconciles from this point on.</summary>
    public void StayCalm() => _isCalm = true;

    void Repair(Machine machine)
    {
        machine.Disk.IsFailing = machine.Disk.IsFull = false;
        machine.SetClock(TimeSpan.Zero);
        machine.Book = [.. _machines];
        if (machine.IsMisfit || IsOfMistakenCluster(machine))
            StartAfresh(machine);
        if (_retired.Contains(machine.StoreId))
        {
            if (machine.IsUp)
                Stop(machine);
            return;
        }
        machine.Departure?.Cancel();
        machine.Departure = null;
        Start(machine);
        if (machine.IsMisfit)
        {
            StartAfresh(machine);
            Start(machine);
        }
        Resume(machine);
        Verify(machine);
        // A stream without its other end breaks. The operator repeats retirements that were lost with a disk, and also retires the earlier store
        // of a machine whose last store is retired.
        foreach (var link in machine.Streams.Values.ToArray())
        {
            if (!link.Peer.Streams.ContainsKey(link.Stream) || link.Session == 0)
                End(machine, link);
        }
        _network.Clear();
        RetireAgain(machine);
    }

    /// <summary>Repeats, through a machine, the operator's retirements of other members.</summary>
    void RetireAgain(Machine machine)
    {
        foreach (var (node, member) in machine.Replica!.Identity.Members.ToArray())
        {
            if (_retired.Contains(member.StoreId) || _retired.Contains(_machines[node - 1].StoreId))
            {
                _retired.Add(member.StoreId);
                Run(machine, _ =>
                {
                    // Retiring one store may also remove others that were retired by then.
                    if (machine.Replica.Identity.Members.ContainsKey(node))
                        Retire(machine, node);
                });
            }
        }
    }

    /// <summary>Removes the files of an old copy, as the machine tells the operator to do.</summary>
    void StartAfresh(Machine machine)
    {
        _statistics.Count("old copies that are removed");
        if (machine.IsUp)
            Stop(machine);
        machine.ReplaceDisk(++_lastId);
        machine.TakesOver = true;
    }

    bool IsRefusedAsTaken(Machine machine) =>
        machine.Replica!.Refusals.Values.Any(refusal => refusal.Reason == RefusalReasons.IdTaken(machine.Node, _scenario.HasOperator).Reason);

    /// <summary>Lets fresh stores that were refused as impostors replace the stores whose disks are gone. No other machine may be refused for that reason.</summary>
    void LetTakeOver()
    {
        foreach (var machine in Active.Where(IsRefusedAsTaken).ToArray())
        {
            if (!machine.IsReplaced || (machine.TakesOver && !_scenario.HasOperator))
                throw new Violation("nobody is excluded without cause", $"{Name(machine)} is told that its node id is taken.");
            _statistics.Count("operators' words");
            if (_scenario.HasOperator)
            {
                RetireReplaced(machine);
                continue;
            }
            Stop(machine);
            machine.TakesOver = true;
            Start(machine);
        }
    }

    /// <summary>
    /// Retires a machine's lost store, through each machine that still knows it: the operator cannot know which of them hear of it in time.
    /// </summary>
    void RetireReplaced(Machine machine)
    {
        foreach (var other in Active.Where(other => other != machine && other.Replica?.Identity.Cluster == Cluster).ToArray())
        {
            Run(other, _ =>
            {
                if (Members.StoreOf(other.Replica!.Identity.Members, machine.Node) is { } store && store != machine.StoreId)
                    Retire(other, machine.Node);
            });
        }
    }

    /// <summary>Removes the files of machines that are told that their files are an old copy. No other machine may be told so.</summary>
    void RemoveExcluded()
    {
        foreach (var machine in Active.Where(machine => machine.Replica?.Exclusion is not null).ToArray())
        {
            if (!machine.MayBeExcluded && !IsLiar(machine))
                throw new Violation("nobody is excluded without cause", $"{Name(machine)} is told that {machine.Replica!.Exclusion!.Reason}");
            StartAfresh(machine);
            Start(machine);
        }
        // Machines that wait for a cluster formed by mistake are refused by members of the right one, which advise them to start afresh.
        foreach (var machine in Active.Where(IsOfMistakenCluster).ToArray())
        {
            StartAfresh(machine);
            Start(machine);
        }
    }

    bool IsOfMistakenCluster(Machine machine) => !machine.HadJoined && IdentityOf(machine) is { Cluster: not (0 or Cluster) };

    void NoteStray(Machine machine)
    {
        _statistics.Count("refused strays");
        _strays.Add(machine);
    }

    /// <summary>Retires the stores that the operator is told to retire.</summary>
    void RetireStrays()
    {
        foreach (var stray in _strays.ToArray())
        {
            _statistics.Count("retired strays");
            _retired.Add(stray.StoreId);
            if (stray.IsUp)
                Stop(stray);
            foreach (var machine in Active.Where(machine => machine.Replica!.Identity.Members.ContainsKey(stray.Node)))
                Run(machine, _ => Retire(machine, stray.Node));
        }
    }

    void GoOn()
    {
        _time.Pass(TimeSpan.FromMilliseconds(500));
        // No messages are in flight: a stream without its other end is found to be silent.
        foreach (var machine in _machines.Where(machine => machine.IsUp))
        {
            foreach (var link in machine.Streams.Values.Where(link => !link.Peer.Streams.ContainsKey(link.Stream)).ToArray())
                End(machine, link);
        }
        Machine[] members = [.. Active];
        foreach (var (a, b) in Pairs())
        {
            if (!members.Contains(a) || !members.Contains(b))
                continue;
            Dial(a, b);
            Dial(b, a);
        }
        Talk();
        SequenceCalmly();
        FollowCalmly();
        foreach (var machine in members)
        {
            Tick(machine);
            if (machine.Replica!.HeldRemoval is { } held && !IsLiar(_machines[held.NodeId - 1]))
                Run(machine, _ => machine.Replica.AllowRemoval());
            Collect(machine, TimeSpan.MaxValue, isThorough: true);
        }
        Talk();
    }

    /// <summary>Delivers all messages and their answers; the messages that reach a machine at the same time form one batch.</summary>
    void Talk()
    {
        do
        {
            foreach (var machine in _machines.Where(machine => machine.IsUp))
                machine.IsStalled = true;
            DeliverAll(_ => true);
            foreach (var machine in _machines.Where(machine => machine.IsUp))
                Resume(machine);
        }
        while (_network.Count > 0);
    }

    /// <summary>Returns a description of something that is not settled, or <see langword="null"/> if everything is.</summary>
    string? Unsettled()
    {
        Machine[] members = [.. Active];
        var first = members[0];
        foreach (var machine in members)
        {
            if (!machine.IsJoined)
                return $"{Name(machine)} has not joined";
            if (!machine.Replica!.State.Known.Equals(first.Replica!.State.Known))
                return $"{Name(machine)} knows {machine.Replica.State.Known}, but {Name(first)} knows {first.Replica.State.Known}";
            if (machine.IsBeingRepaired)
                return $"{Name(machine)} has damaged records: {string.Join(", ", machine.Damaged.Select(key => StoreLayout.Describe(key.Bytes.Span)))}";
            if (_scenario.Slots.Any(slot => slot.IsUndeclared && machine.Replica.Catalog.Find(slot.Keyspace) is { State.Record.Count: 0 }))
                return $"{Name(machine)} has an undeclared keyspace without documents";
            if (machine.Disk.Range(StoreLayout.AllLog).Count > 0)
                return $"{Name(machine)} has {machine.Disk.Range(StoreLayout.AllLog).Count} log records";
            if (machine.Disk.Range(StoreLayout.AllDocuments).Any(entry => Document.Parse(entry.Value) is { IsLapsed: false } document && document.View.HasExpired(WallOf(machine))))
                return $"{Name(machine)} has a document that has expired";
            if (_retired.Count == 0 && FindGap(machine.Replica.State) is { } gap)
                return $"{Name(machine)} has a gap in its knowledge of node {gap}: {machine.Replica.State.Known}";
            if (machine.Disk.Range(StoreLayout.AllArriving).Count + machine.Disk.Range(StoreLayout.AllArrivingLog).Count > 0)
                return $"{Name(machine)} still has arriving data";
        }
        if (UnsettledSequence(members) is { } sequence)
            return sequence;
        if (UnsettledFollower() is { } follower)
            return follower;
        return Pairs().Where(pair => members.Contains(pair.A) && members.Contains(pair.B) && !HaveSession(pair.A, pair.B))
            .Select(pair => $"{Name(pair.A)} has no session with {Name(pair.B)}").FirstOrDefault();
    }

    static byte? FindGap(ReplicaState state)
    {
        foreach (byte node in state.Known.Nodes)
        {
            if (state.Known[node].Length > 1)
                return node;
        }
        return null;
    }

    void CheckFinally()
    {
        Machine[] members = [.. Active];
        var held = members.Aggregate(Holdings.None, (all, machine) => all.Or(machine.Held));
        foreach (var machine in members)
        {
            if (!machine.Held.SetEquals(held))
            {
                var lost = _history[held.Except(machine.Held).Transactions.First()];
                throw new Violation("nothing lost", $"{Name(machine)} does not have {lost.Stamp}.");
            }
            CheckNothingLeftOver(machine);
            if (machine.Replica!.Identity.Members.FirstOrDefault(member => _retired.Contains(member.Value.StoreId))
                is { Value.StoreId: not 0 } retired)
                throw new Violation("retired for good", $"{Name(machine)} has the retired store of node {retired.Key} as a member.");
        }
        foreach (var slot in _scenario.Slots)
        {
            var document = members[0].Ideal[slot.Number];
            if (!document.IsAliveAt(WallOf(members[0]), slot.Policy))
                continue;
            CheckCounter(slot, document, held);
            if (IsCleanlyDeleted(slot.Number, held, _ => true))
                throw new Violation("no resurrection", $"{slot} was deleted and has returned.");
        }
        CheckConvergence(members);
        CheckSequence(members);
        CheckFollowersFinally();
    }

    void CheckConvergence(Machine[] members)
    {
        foreach (var slot in _scenario.Slots)
        {
            var first = ShownBy(members[0], slot);
            foreach (var machine in members[1..])
            {
                if (!ShowSame(ShownBy(machine, slot), first, slot.Policy))
                    throw new Violation("convergence", $"{Name(machine)} and {Name(members[0])} show different documents for {slot}.");
            }
        }
        foreach (string keyspace in _scenario.Slots.Select(slot => slot.Keyspace).Distinct())
        {
            var records = members.Select(machine => RecordOf(machine, machine.Replica!.Catalog.Find(keyspace))).ToArray();
            if (records.Any(record => (record?.Fingerprint ?? 0) != (records[0]?.Fingerprint ?? 0) || (record?.Count ?? 0) != (records[0]?.Count ?? 0)))
                throw new Violation("convergence", $"The fingerprints of {keyspace} differ.");
        }
    }

    static Document ShownBy(Machine machine, Slot slot)
    {
        var keyspace = machine.Replica!.Catalog.Find(slot.Keyspace);
        return keyspace is not null && machine.Disk.Get(StoreLayout.DocumentKey(keyspace.Number, slot.Key.Encoded.Span))
            is { } stored ? Document.Parse(stored) : Document.Nothing;
    }

    static void CheckNothingLeftOver(Machine machine)
    {
        foreach (var (key, value) in machine.Disk.Range(StoreLayout.AllDocuments))
        {
            var document = Document.Parse(value);
            if (!document.IsAliveAt(WallOf(machine), machine.Replica!.Catalog[StoreLayout.KeyspaceOf(key.Span)].Policy))
                throw new Violation("nothing left over", $"{Name(machine)} still has the tombstone <{document}>.");
            foreach (var cell in document.Cells)
            {
                if (!cell.IsShown(document.Born))
                    throw new Violation("nothing left over", $"{Name(machine)} has <{document}>, with a cell that is never shown.");
            }
        }
    }

    /// <summary>
    /// Checks a counter. Its value is the amount written by the document's put plus every increment on that put that some disk has kept. If the
    /// document was asserted again, increments on its earlier puts count as well, unless the node that would repeat them has lost its disk or was
    /// forgotten.
    /// </summary>
    void CheckCounter(Slot slot, Document document, Holdings held)
    {
        long shown = CountOf(document);
        var first = FirstPutOf(slot, document.Born);
        bool isPlain = first == document.Born;
        long least = CountOf(_history.Find(first)!.EffectOn(slot.Number)!), most = least;
        // A run's share is a total, so a surviving write of the run includes the earlier increments of the run. The exception is a write that is lost with
        // a disk of which an older copy, in a run that no member had heard of, has begun the same run again.
        var last = new Dictionary<HlcTimestamp, HistoricTransaction>();
        foreach (var transaction in _history.Transactions.Where(transaction => held.Has(transaction.Number)))
        {
            if (transaction.Increments.Any(IsOfDocument) && !(last.GetValueOrDefault(transaction.Run)?.Stamp > transaction.Stamp))
                last[transaction.Run] = transaction;
        }
        foreach (var transaction in _history.Transactions)
        {
            bool isHeld = last.GetValueOrDefault(transaction.Run) is { } kept && (kept == transaction || kept.Past.Has(transaction.Number));
            long added = transaction.Increments.Where(IsOfDocument).Sum(increment => increment.Amount);
            if (isHeld || !isPlain)
                most += added;
            // A document that a node has deleted and purged is asserted again without the increments that another node kept. Likewise, increments are lost if a user
            // has put the document anew over them and an earlier put is asserted again.
            if (isPlain ? isHeld : !_scenario.HasLosses && !_unsureCounters.Contains(slot.Number) && !IsReplaced(slot.Number, transaction))
                least += added;
        }
        if (shown < least || shown > most)
            throw new Violation("counters", $"{slot} shows {shown}; it should show a value from {least} to {most}.");

        bool IsOfDocument(Increment increment) => increment.Slot == slot.Number && FirstPutOf(slot, increment.Base) == first;
    }

    /// <summary>
    /// Returns true if, by the stamps, a user deleted a document after a transaction, or replaced the put that the transaction incremented, whether or not the user knew of it. A later put replaces
    /// all increments on an earlier one, also those with later stamps.
    /// </summary>
    bool IsReplaced(int slot, HistoricTransaction transaction)
    {
        var put = transaction.Increments.Where(increment => increment.Slot == slot).Aggregate(transaction.Stamp, static (least, increment) => HlcTimestamp.Min(least, increment.Base));
        return _history.Transactions.Any(later => later.EffectOn(slot) is { } effect
            && ((!effect.Died.IsNone && later.Stamp > transaction.Stamp) || (later.IsOfUser && !effect.Born.IsNone && later.Stamp > put)));
    }

    /// <summary>Returns the user's put that a put asserts again, directly or through other assertions, or the put itself if a user made it.</summary>
    HlcTimestamp FirstPutOf(Slot slot, HlcTimestamp born) =>
        _history.Find(born) is { IsOfUser: false } transaction && Assertion.Find(transaction.EffectOn(slot.Number)!) is { } assertion
            ? FirstPutOf(slot, assertion.Over[^1])
            : born;
}
