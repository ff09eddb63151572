using Datacake.Crdt;
using Datacake.EventualConsistency.Layout;
using Datacake.EventualConsistency.Replication;

namespace Datacake.Simulation;

// How a cluster comes to rest, and what has to hold then.
sealed partial class World
{
    const int MaxRounds = 150;

    /// <summary>
    /// All faults end, and every machine that is still a member runs: after some rounds of what replicas do by themselves, all is settled.
    /// </summary>
    public void Rest()
    {
        _network.Heal();
        _network.Clear();
        _network.IsReliable = true;
        _liesInNextAnswer = false;
        foreach (var machine in _machines)
            Repair(machine);
        int round = 0;
        while (Unsettled() is { } what)
        {
            if (++round > MaxRounds)
                throw new Violation("liveness", $"after {MaxRounds} rounds {what}");
            if (round == MaxRounds / 2)
                RetireStrays();
            RemoveExcluded();
            LetTakeOver();
            // One that had not met the cluster could not be told before.
            if (_scenario.HasOperator)
                Array.ForEach([.. Active], RetireAgain);
            _strays.Clear();
            GoOn();
        }
        _statistics.Count("rounds to rest", round);
        CheckFinally();
        _network.IsReliable = false;
    }

    /// <summary>From now on no full reconcile must happen.</summary>
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
        Start(machine);
        if (machine.IsMisfit)
        {
            StartAfresh(machine);
            Start(machine);
        }
        Resume(machine);
        Verify(machine);
        // A stream whose other end is gone breaks; and the operator repeats what got lost with a disk, and retires too the earlier disk of a machine
        // whose last one is retired.
        foreach (var link in machine.Streams.Values.ToArray())
        {
            if (!link.Peer.Streams.ContainsKey(link.Stream) || link.Session == 0)
                End(machine, link);
        }
        _network.Clear();
        RetireAgain(machine);
    }

    /// <summary>The operator repeats by a machine that others are retired.</summary>
    void RetireAgain(Machine machine)
    {
        foreach (var (node, member) in machine.Replica!.Identity.Members.ToArray())
        {
            if (_retired.Contains(member.StoreId) || _retired.Contains(_machines[node - 1].StoreId))
            {
                _retired.Add(member.StoreId);
                Run(machine, _ =>
                {
                    // With one store that is retired, another may go that was by then.
                    if (machine.Replica.Identity.Members.ContainsKey(node))
                        Retire(machine, node);
                });
            }
        }
    }

    /// <summary>The operator does what the machine is told: removes the files of an old copy.</summary>
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

    /// <summary>The operator lets fresh stores that are refused for it take the place of those whose disks are gone; nobody else may be refused so.</summary>
    void LetTakeOver()
    {
        foreach (var machine in Active.Where(IsRefusedAsTaken).ToArray())
        {
            if (!machine.IsReplaced || (machine.TakesOver && !_scenario.HasOperator))
                throw new Violation("nobody is excluded without cause", $"{Name(machine)} is told that its node id is taken");
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

    /// <summary>The operator retires the store whose disk a machine has no more, on each machine that still knows it: he cannot know who hears of it in time.</summary>
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

    /// <summary>Who is told that its files are an old copy removes them; nobody else may be told so.</summary>
    void RemoveExcluded()
    {
        foreach (var machine in Active.Where(machine => machine.Replica?.Exclusion is not null).ToArray())
        {
            if (!machine.MayBeExcluded && !IsLiar(machine))
                throw new Violation("nobody is excluded without cause", $"{Name(machine)} is told that {machine.Replica!.Exclusion!.Reason}");
            StartAfresh(machine);
            Start(machine);
        }
        // Those that wait for a cluster that was formed by mistake are refused by the members of the right one, with the advice to start afresh.
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

    /// <summary>The operator takes away the stores that are told to be.</summary>
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
        // Nothing is on its way: a stream whose other end is gone is found to be silent.
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
        foreach (var machine in members)
        {
            Tick(machine);
            if (machine.Replica!.HeldRemoval is { } held && !IsLiar(_machines[held.NodeId - 1]))
                Run(machine, _ => machine.Replica.AllowRemoval());
            Collect(machine, TimeSpan.MaxValue, isThorough: true);
        }
        Talk();
    }

    /// <summary>All messages arrive, and their answers; what comes to a machine at once is one batch.</summary>
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

    /// <summary>What is not as it should be in the end; <see langword="null"/> if all is.</summary>
    string? Unsettled()
    {
        Machine[] members = [.. Active];
        var first = members[0];
        foreach (var machine in members)
        {
            if (!machine.IsJoined)
                return $"{Name(machine)} has not joined";
            if (!machine.Replica!.State.Known.Equals(first.Replica!.State.Known))
                return $"{Name(machine)} knows {machine.Replica.State.Known}, and {Name(first)} {first.Replica.State.Known}";
            if (machine.IsBeingMended)
                return $"{Name(machine)} has damaged records: {string.Join(", ", machine.Damaged.Select(key => StoreLayout.Describe(key.Bytes.Span)))}";
            if (_scenario.Slots.Any(slot => slot.IsUndeclared && machine.Replica.Catalog.Find(slot.Keyspace) is { State.Record.Count: 0 }))
                return $"{Name(machine)} has a keyspace without documents";
            if (machine.Disk.Range(StoreLayout.AllLog).Count > 0)
                return $"{Name(machine)} has {machine.Disk.Range(StoreLayout.AllLog).Count} log records";
            if (_retired.Count == 0 && FindGap(machine.Replica.State) is { } gap)
                return $"{Name(machine)} knows of node {gap} {machine.Replica.State.Known}";
            if (machine.Disk.Range(StoreLayout.AllArriving).Count + machine.Disk.Range(StoreLayout.AllArrivingLog).Count > 0)
                return $"{Name(machine)} has something aside";
        }
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
                throw new Violation("nothing lost", $"{Name(machine)} has not got {lost.Stamp}");
            }
            CheckNothingLeftOver(machine);
            if (machine.Replica!.Identity.Members.FirstOrDefault(member => _retired.Contains(member.Value.StoreId))
                is { Value.StoreId: not 0 } retired)
                throw new Violation("retired for good", $"{Name(machine)} has the retired store of node {retired.Key} as a member");
        }
        foreach (var slot in _scenario.Slots)
        {
            var document = members[0].Ideal[slot.Number];
            if (!document.IsAlive(slot.Policy))
                continue;
            CheckCounter(slot, document, held);
            if (IsCleanlyDeleted(slot.Number, held, _ => true))
                throw new Violation("no resurrection", $"{slot} was deleted, and is back");
        }
        CheckConvergence(members);
    }

    void CheckConvergence(Machine[] members)
    {
        foreach (var slot in _scenario.Slots)
        {
            var first = ShownBy(members[0], slot);
            foreach (var machine in members[1..])
            {
                if (!ShowSame(ShownBy(machine, slot), first, slot.Policy))
                    throw new Violation("convergence", $"{Name(machine)} and {Name(members[0])} show different documents under {slot}");
            }
        }
        foreach (string keyspace in _scenario.Slots.Select(slot => slot.Keyspace).Distinct())
        {
            var records = members.Select(machine => RecordOf(machine, machine.Replica!.Catalog.Find(keyspace))).ToArray();
            if (records.Any(record => (record?.Fingerprint ?? 0) != (records[0]?.Fingerprint ?? 0) || (record?.Count ?? 0) != (records[0]?.Count ?? 0)))
                throw new Violation("convergence", $"the fingerprints of {keyspace} differ");
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
            if (!document.IsAlive(machine.Replica!.Catalog[StoreLayout.KeyspaceOf(key.Span)].Policy))
                throw new Violation("nothing left over", $"{Name(machine)} has the tombstone <{document}>");
            foreach (var cell in document.Cells)
            {
                if (!cell.IsShown(document.Born))
                    throw new Violation("nothing left over", $"{Name(machine)} has <{document}>, with a cell that nobody sees");
            }
        }
    }

    /// <summary>
    /// The sum is what the put of the document wrote, and every increment on that put that some disk has kept. Where the document was asserted again, what
    /// was written on the puts that it had before counts, too, unless who would write it again is lost with its disk, or had been forgotten.
    /// </summary>
    void CheckCounter(Slot slot, Document document, Holdings held)
    {
        long shown = CountOf(document);
        var first = FirstPutOf(slot, document.Born);
        bool isPlain = first == document.Born;
        long least = CountOf(_history.Find(first)!.EffectOn(slot.Number)!), most = least;
        // A run's share is a total, so that what survives of it brings what the run added before; unless that is lost with a disk, and an older copy
        // of it, of which nobody had heard of the run, has begun the same run again.
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
            // What a node has deleted and purged is not asserted again with what another node kept of the document; nor is what somebody has put the document
            // anew over, where a put before that one is asserted again.
            if (isPlain ? isHeld : !_scenario.HasLosses && !_unsureCounters.Contains(slot.Number) && !IsReplaced(slot.Number, transaction))
                least += added;
        }
        if (shown < least || shown > most)
            throw new Violation("counters", $"{slot} shows {shown}, and should show {least} to {most}");

        bool IsOfDocument(Increment increment) => increment.Slot == slot.Number && FirstPutOf(slot, increment.Base) == first;
    }

    /// <summary>Returns true if a user has deleted a document, or put it anew, after a transaction: by the stamps, whether or not they knew of it.</summary>
    bool IsReplaced(int slot, HistoricTransaction transaction) => _history.Transactions.Any(later =>
        later.Stamp > transaction.Stamp && later.EffectOn(slot) is { } effect && (!effect.Died.IsNone || (later.IsOfUser && !effect.Born.IsNone)));

    /// <summary>The put of a user that a put asserts again, directly or through others; itself if it is one of a user.</summary>
    HlcTimestamp FirstPutOf(Slot slot, HlcTimestamp born) =>
        _history.Find(born) is { IsOfUser: false } transaction && Assertion.Find(transaction.EffectOn(slot.Number)!) is { } assertion
            ? FirstPutOf(slot, assertion.Over[^1])
            : born;
}
