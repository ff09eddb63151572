using Datacake.Crdt;
using Datacake.EventualConsistency;
using Datacake.EventualConsistency.Indexes;
using Datacake.EventualConsistency.Keyspaces;
using Datacake.EventualConsistency.Layout;
using Datacake.EventualConsistency.Replication;
using Datacake.EventualConsistency.Replication.Messages;
using Datacake.EventualConsistency.Sequencing;
using Datacake.Simulation.Histories;
using Datacake.Simulation.Machines;
using Datacake.Simulation.Scenarios;

namespace Datacake.Simulation.Worlds;

// Invariants that hold after every commit.
sealed partial class World
{
    static string Name(Machine machine) => $"node {machine.Node}";

    /// <summary>
    /// Records that a replica takes another's full snapshot. Documents may have been asserted while the replica was forgotten, so long ago that the
    /// note of the assertion is purged. The replica's increments on the earlier puts of such documents may no longer count.
    /// </summary>
    void NoteReconcile(Machine machine, ReplicaState theirs)
    {
        foreach (var slot in _scenario.Slots)
        {
            var born = ShownBy(machine, slot).Born;
            if (theirs.Truncated.Contains(born) && born != machine.Ideal[slot.Number].Born && FirstPutOf(slot, born) != born)
                _unsureCounters.Add(slot.Number);
        }
        _statistics.Count("full reconciles");
        if (_isCalm && Active.Contains(machine))
            throw new Violation("no needless reconcile", $"{Name(machine)} takes a full snapshot although no member has forgotten it.");
    }

    /// <summary>Adds a transaction of a replica to the history.</summary>
    int? Note(Machine machine, Mutation mutation, Holdings before, bool isAgain)
    {
        machine.HasWrittenAsMisfit |= machine.IsMisfit;
        if (machine.IsMisfit || machine.Replica!.Identity.Cluster != Cluster)
            return null;
        if (_history.Find(mutation.Stamp) is { } used)
        {
            if (_machines.Any(other => other.Held.Has(used.Number)))
                throw new Violation("unique stamps", $"{Name(machine)} uses {mutation.Stamp} again.");
            // A counter of which all traces are lost is another one than that of the same stamp.
            _sales.RemoveAll(sale => sale.Base == mutation.Stamp || sale.Number == used.Number);
        }
        if (mutation.Deltas.Any(static delta => delta.Name.Policy == MergePolicy.Serial && Assertion.Find(delta.Document) is not null))
            throw new Violation("only sequencers write serial documents", $"{Name(machine)} asserts a serial document in {mutation.Stamp}.");
        _statistics.Count("outcomes that were removed", mutation.Deltas.Count(static delta => delta.Name.Keyspace == CallerLane.Keyspace && !delta.Document.Died.IsNone));
        bool isOfUser = _written.TryGetValue(mutation.Stamp, out var increments) || mutation.Deltas.All(static delta => delta.Name.Policy == MergePolicy.Serial);
        // Nothing is asserted in these histories, so what no user has written is a gift of rights.
        bool isGift = _scenario.Theme.IsBounded && !isOfUser && !isAgain;
        isOfUser |= isGift;
        var past = machine.Held.Or(before);
        var transaction = _history.Add(mutation, machine.Replica.Run, past, isOfUser, increments ?? []);
        NoteSale(transaction);
        _statistics.Count(isGift ? "gifts" : isOfUser ? "transactions" : isAgain ? "transactions of which parts were written again" : "assertions");
        if (isAgain)
            CheckWrittenAgain(machine, past, transaction);
        else if (!isOfUser)
            CheckAssertion(machine, transaction, machine.Arrived!.Value);
        // After a lie, several members may reconcile with the same member at once and assert the same documents over each other.
        if (!isOfUser && _scenario.Liar is not null)
            _unsureCounters.UnionWith(transaction.Effects.Select(static effect => effect.Slot));
        return transaction.Number;
    }

    /// <summary>Accounts for the transactions that a replica has gained by a commit, and checks the replica.</summary>
    void Gain(Machine machine, ReplicaState before, Holdings offered, List<int> own)
    {
        var replica = machine.Replica!;
        if (!machine.HadJoined || machine.IsMisfit)
            machine.NoteRun();
        if (replica.IsJoined)
            machine.NeededClock = null;
        if (replica.IsJoined && replica.Identity.Cluster != Cluster)
            _retired.Add(machine.StoreId);                                      // of a cluster that was formed by mistake
        if (!replica.IsJoined)
        {
            CheckStore(machine);
            return;
        }
        var known = replica.State.Known;
        var gained = new List<int>(own);
        gained.AddRange(offered.Except(machine.Held).Transactions.Where(number =>
            _history[number].Stamp is var stamp && known.Contains(stamp) && !before.Known.Contains(stamp) && !own.Contains(number)));
        gained.AddRange(machine.SeedHeld.Except(machine.Held).Transactions.Where(number => known.Contains(_history[number].Stamp)));
        machine.SeedHeld = Holdings.None;
        if (gained.Count > 0)
        {
            var gain = Holdings.Of(gained);
            machine.Held = machine.Held.Or(gain);
            _history.MergeInto(machine.Ideal, gain);
        }
        CheckStore(machine);
        if (gained.Count > 0 || !ReferenceEquals(before, replica.State))
            CheckKnowledge(machine, gained);
    }

    /// <summary>Checks that a machine's disk holds what the replica reports and shows the right documents.</summary>
    void CheckStore(Machine machine)
    {
        var replica = machine.Replica!;
        if (machine.Checked is var (entries, state)
            && ReferenceEquals(entries, machine.Disk.Entries) && ReferenceEquals(state, replica.State))
            return;
        // The stored data are wrong until they are repaired.
        if (machine.IsBeingRepaired)
            return;
        machine.Checked = (machine.Disk.Entries, replica.State);
        CheckEncoding(machine, replica);
        var shown = new Document[_scenario.Slots.Count];
        var totals = replica.Catalog.All.ToDictionary(keyspace => keyspace, _ => (Count: 0L, Fingerprint: UInt128.Zero));
        var indexed = new HashSet<StorageKey>();
        Array.Fill(shown, Document.Nothing);
        foreach (var (key, value) in machine.Disk.Range(StoreLayout.AllDocuments))
        {
            var keyspace = replica.Catalog[StoreLayout.KeyspaceOf(key.Span)];
            if (keyspace.State.Record.IsRemoved)
                throw new Violation("removed keyspaces", $"{Name(machine)} has a document of '{keyspace.Name}', a keyspace that it has removed.");
            var document = Document.Parse(value);
            var name = new DocumentName(keyspace.Name, keyspace.Policy, key[StoreLayout.DocumentPrefixLength..]);
            if (!History.IsOfSequencer(name))
                shown[_history.SlotOf(name)] = document;
            if (!document.IsAlive(keyspace.Policy))
                continue;
            var (count, fingerprint) = totals[keyspace];
            totals[keyspace] = (count + 1, fingerprint + Fingerprint.Of(name.Key.Span, document, keyspace.Policy));
            foreach (var index in keyspace.State.Indexes)
            {
                foreach (byte[] content in index.ValuesOf(name.Key.Span, document, new IndexValues()))
                    indexed.Add(new StorageKey(StoreLayout.IndexEntryKey(index.Number, content, name.Key.Span)));
            }
        }
        CheckTotals(machine, totals);
        // The first batch of a process takes up the indexes for unique indexes again.
        if (replica.Catalog.All.All(static keyspace => keyspace.State.IndexRecords.Count == keyspace.State.Indexes.Length))
            CheckIndexes(machine, indexed);
        if (replica.IsJoined && IsActive(machine))
        {
            CheckExactness(machine, shown);
            CheckOwnIncrements(machine, shown);
            CheckBounds(machine, shown);
            machine.Shown = shown;
            CheckRemains(machine, shown);
        }
    }

    /// <summary>Checks that a log record leads to every document with something left to purge [R11].</summary>
    void CheckRemains(Machine machine, Document[] shown)
    {
        var led = new HashSet<StorageKey>();
        foreach (var record in LogOf(machine))
        {
            if (record.MayPurge)
                led.UnionWith(record.Transactions.SelectMany(transaction => transaction.DocumentKeys).Select(document => new StorageKey(document)));
        }
        foreach (var slot in _scenario.Slots)
        {
            var document = shown[slot.Number];
            if (!HasRemains(document, slot.Policy))
                continue;
            ushort keyspace = machine.Replica!.Catalog.Find(slot.Keyspace)!.Number;       // it has a document
            if (!led.Contains(new StorageKey(StoreLayout.DocumentKey(keyspace, slot.Key.Encoded.Span))))
                throw new Violation("tombstone left", $"{Name(machine)} stores <{document}> for {slot}, but no log record leads to it.");
        }
    }

    static IEnumerable<LogRecord> LogOf(Machine machine) =>
        machine.Disk.Range(StoreLayout.AllLog).Select(entry => LogRecord.Decode(StoreLayout.StampOfLogKey(entry.Key.Span), entry.Value));

    static bool HasRemains(Document document, MergePolicy policy)
    {
        if (ReferenceEquals(document, Document.Nothing))
            return false;
        bool hasRemains = !document.IsAlive(policy);
        foreach (var cell in document.Cells)
            hasRemains |= !cell.IsShown(document.Born);
        return hasRemains;
    }

    /// <summary>
    /// Returns true if a document was removed because a liar said so and a second member confirmed it. The second member has deleted the document,
    /// but that delete has not reached this machine, so the document disappears before the replica knows why.
    /// </summary>
    bool IsRemovedAhead(Machine machine, Slot slot, Document shown) => _scenario.Liar is not null && ReferenceEquals(shown, Document.Nothing)
        && _history.Transactions.Any(later => !machine.Held.Has(later.Number) && later.EffectOn(slot.Number) is { Died.IsNone: false } && later.Stamp > machine.Ideal[slot.Number].Born);

    void CheckExactness(Machine machine, Document[] shown)
    {
        foreach (var slot in _scenario.Slots)
        {
            if (!ShowSame(AsSeenBy(machine, shown[slot.Number]), AsSeenBy(machine, machine.Ideal[slot.Number]), slot.Policy) && !HasExpiredElsewhere(shown[slot.Number], machine.Ideal[slot.Number], slot.Policy)
                && !IsRemovedAhead(machine, slot, shown[slot.Number]))
                throw new Violation("exactness",
                    $"{Name(machine)} shows <{shown[slot.Number]}> for {slot}; it should show <{machine.Ideal[slot.Number]}>.");
        }
    }

    /// <summary>
    /// Checks that a node's own increments survive when another node asserts the document again [R13]. A user's later delete or put of the document
    /// may remove them even if an old copy of the disk still shows them. What has expired by a clock that is ahead may be asserted as dead, and revived by an update that was not known there: without what was
    /// removed [R20].
    /// </summary>
    void CheckOwnIncrements(Machine machine, Document[] shown)
    {
        if (machine.Shown is not { } before)
            return;
        foreach (var slot in _scenario.Slots)
        {
            var (was, now) = (before[slot.Number], shown[slot.Number]);
            if (was.Born != now.Born && HasLostLineage(slot, was, now))
                _unsureCounters.Add(slot.Number);
            if (was.Born != now.Born && was.IsAlive(slot.Policy) && now.IsAlive(slot.Policy) && !_unsureCounters.Contains(slot.Number) && !was.View.HasExpired(_latestWall)
                && FirstPutOf(slot, was.Born) == FirstPutOf(slot, now.Born) && CountOf(was, machine.Node) > CountOf(now, machine.Node)
                && !_history.Transactions.Any(own => own.Stamp.Node == machine.Node && own.Increments.Any(increment => increment.Slot == slot.Number)
                    && IsReplaced(slot.Number, own)))
                throw new Violation("counters", $"{Name(machine)} has increments of its own in <{was}> that are missing from <{now}>.");
        }
    }

    /// <summary>
    /// Returns true if a document was replaced by an assertion that does not say so: it is over an earlier assertion, whose note is purged because its members have all seen it, and not those that had
    /// forgotten it.
    /// </summary>
    bool HasLostLineage(Slot slot, Document was, Document now) => Assertion.Find(now) is { } note && !Assertion.LineageOf(was).Any(note.Over.Contains)
        && FirstPutOf(slot, note.Over[0]) != note.Over[0] && _machines.Any(machine => machine.Replica?.State.Truncated.Contains(note.Over[0]) == true);

    /// <summary>Returns the sum of the increments by one node, or by all nodes, that a document's counter shows.</summary>
    static long CountOf(Document document, byte? node = null)
    {
        long sum = 0;
        foreach (var cell in document.Cells)
        {
            if (cell.Kind == DocumentPathKind.CounterShare && cell.IsShown(document.Born) && !BoundedShare.IsBounded(cell.Value) && (node is null || cell.ShareRun.Node == node))
                sum += CounterValue.Read(cell.Value);
        }
        return sum;
    }

    static void CheckEncoding(Machine machine, Replica replica)
    {
        var state = machine.Disk.Get(StoreLayout.StateKey.Span) is { } bytes ? ReplicaState.Decode(bytes) : ReplicaState.Empty;
        if (!state.Encode().AsSpan().SequenceEqual(replica.State.Encode()))
            throw new Violation("encoding", $"{Name(machine)} has stored the state {state} but reports {replica.State}.");
        var identity = machine.Disk.Get(StoreLayout.IdentityKey.Span)!.Value;
        if (!ReplicaIdentity.Decode(identity).Encode().AsSpan().SequenceEqual(identity.Span))
            throw new Violation("encoding", $"The identity of {Name(machine)} changes when it is decoded and encoded.");
        if (!replica.Identity.IsDirty && !replica.Identity.Encode().AsSpan().SequenceEqual(identity.Span))
            throw new Violation("encoding", $"{Name(machine)} has not stored a change of its identity.");
    }

    static void CheckTotals(Machine machine, Dictionary<KeyspaceEntry, (long Count, UInt128 Fingerprint)> totals)
    {
        foreach (var (keyspace, (count, fingerprint)) in totals)
        {
            var record = RecordOf(machine, keyspace);
            if ((record?.Count ?? 0) != count || (record?.Fingerprint ?? 0) != fingerprint)
                throw new Violation("count and fingerprint",
                    $"{Name(machine)} counts {record?.Count} documents in {keyspace.Name} but has {count}.");
        }
    }

    /// <summary>Returns the stored record. The record in memory may belong to a refused commit until the next commit.</summary>
    static KeyspaceRecord? RecordOf(Machine machine, KeyspaceEntry? keyspace) =>
        keyspace is not null && machine.Disk.Get(StoreLayout.KeyspaceKey(keyspace.Number)) is { } bytes ? KeyspaceRecord.Decode(bytes) : null;

    static void CheckIndexes(Machine machine, HashSet<StorageKey> entries)
    {
        var stored = machine.Disk.Range(StoreLayout.AllIndexEntries);
        foreach (var (key, _) in stored)
        {
            if (!entries.Contains(new StorageKey(key)))
                throw new Violation("indexes", $"{Name(machine)} has an index entry that should not exist.");
        }
        if (stored.Count != entries.Count)
            throw new Violation("indexes", $"{Name(machine)} has {stored.Count} index entries instead of {entries.Count}.");
    }

    /// <summary>Checks that a replica has everything that it claims to know, unless no replica has it.</summary>
    void CheckKnowledge(Machine machine, List<int> gained)
    {
        if (!IsActive(machine) || machine.IsBeingRepaired)
            return;
        var state = machine.Replica!.State;
        var log = LogOf(machine).SelectMany(record => record.Transactions).Select(transaction => transaction.Stamp).ToHashSet();
        foreach (var transaction in _history.Transactions)
        {
            bool has = machine.Held.Has(transaction.Number), claims = state.Known.Contains(transaction.Stamp);
            if (claims && !has && Active.FirstOrDefault(other => other.Held.Has(transaction.Number) && !IsEitherStray(other, machine)) is { } owner)
                throw new Violation("truthful known sets",
                    $"{Name(machine)} claims {transaction.Stamp} without having it, while {Name(owner)} has it.");
            if (has && !claims)
                throw new Violation("truthful known sets", $"{Name(machine)} has {transaction.Stamp} but does not claim it.");
            if (has && !log.Contains(transaction.Stamp) && !state.Truncated.Contains(transaction.Stamp)
                && !(_hasRepairedLog && IsSuperseded(machine, transaction)))
                throw new Violation("complete log", $"{Name(machine)} has no log record of {transaction.Stamp}.");
        }
        foreach (int number in gained)
        {
            foreach (var other in Active.Where(other => other.IsJoined && !other.Held.Has(number) && !IsEitherStray(machine, other)))
            {
                if (other.Replica!.State.Known.Contains(_history[number].Stamp))
                    throw new Violation("truthful known sets",
                        $"{Name(other)} claims {_history[number].Stamp}, which {Name(machine)} has only now received.");
            }
        }
        if (!state.Known.Covers(state.Truncated))
            throw new Violation("truncated within known",
                $"{Name(machine)} has truncated {state.Truncated.Except(state.Known)} without knowing it.");
        if (log.FirstOrDefault(state.Truncated.Contains) is { IsNone: false } left)
            throw new Violation("truncated log", $"{Name(machine)} has truncated {left}, but its log record still exists.");
        foreach (var (author, stamps) in _acknowledged)
            CheckAcknowledgment(machine, author, stamps);
    }

    /// <summary>Returns true if a machine no longer shows any effect of a transaction.</summary>
    bool IsSuperseded(Machine machine, HistoricTransaction transaction) => transaction.Effects.All(effect =>
    {
        var document = ShownBy(machine, _scenario.Slots[effect.Slot]);
        bool isShown = document.Born == transaction.Stamp || document.Touched == transaction.Stamp || document.Died == transaction.Stamp;
        foreach (var cell in document.Cells)
            isShown |= cell.Stamp == transaction.Stamp;
        return !isShown;
    });

    /// <summary>Returns true if one of two stores must keep away from the other, so that neither takes the other's data.</summary>
    bool IsEitherStray(Machine machine, Machine other) => IsStray(machine, other) || IsStray(other, machine);

    /// <summary>Returns true if a store has joined through a retired store, so that another store must keep away from it.</summary>
    bool IsStray(Machine machine, Machine other) => IdentityOf(machine) is { } identity && identity.Ancestors.Overlaps(_retired)
        && !(IdentityOf(other) is { } others && others.Members.TryGetValue(machine.Node, out var member) && member.StoreId == machine.StoreId);

    static ReplicaIdentity? IdentityOf(Machine machine) =>
        machine.Disk.Get(StoreLayout.IdentityKey.Span) is { } identity ? ReplicaIdentity.Decode(identity) : null;

    /// <summary>
    /// Checks that truncated transactions are known to every member that has not been given up, as far as the machine's reports of that member
    /// are of its present life and run [R10].
    /// </summary>
    void CheckStability(Machine machine, VersionVector truncated)
    {
        var replica = machine.Replica!;
        if (truncated.IsEmpty || !IsActive(machine))
            return;
        // A member's reports about itself are believed: a false one harms only the member.
        foreach (var other in _machines.Where(other => other != machine && other.IsUp && !other.IsMisfit && !IsLiar(other) && !replica.Identity.Forgotten.Contains(other.Node)))
        {
            if (!replica.Identity.Members.TryGetValue(other.Node, out var member) || member.StoreId != other.StoreId)
                continue;
            // For absent members hearsay counts: a lie costs them a full reconcile but none of their data.
            if (_scenario.Liar is not null && !replica.Sessions.ContainsKey(other.Node))
                continue;
            // An old copy with a clock that is behind may begin a run that existed before; members that know of that run refuse the copy.
            bool isHeard = other is { HadJoined: true, MayBeExcluded: false } && replica.HeardRunOf(other.Node) == other.Replica!.Run;
            if ((isHeard && !other.Replica!.State.Known.Covers(truncated)) || (!other.HadJoined && !other.HasUnlearnedJoin))
                throw new Violation("stability", $"{Name(machine)} truncates {truncated}, which {Name(other)} does not know.");
        }
    }

    void CheckAcknowledgment(Machine machine, Machine author, IReadOnlyList<StampInterval> stamps)
    {
        foreach (var transaction in _history.Transactions)
        {
            if (author.Held.Has(transaction.Number) && transaction.Stamp.Node == author.Node
                && stamps.Any(interval => interval.Contains(transaction.Stamp)) && !machine.Held.Has(transaction.Number))
                throw new Violation("acknowledged is applied", $"{Name(machine)} acknowledges {transaction.Stamp} without having it.");
        }
    }

    /// <summary>Checks that a full reconcile asserts only documents and cells with writes that one of the sides did not know [R13].</summary>
    void CheckAssertion(Machine machine, HistoricTransaction assertion, (Holdings Held, ReplicaState State) theirs)
    {
        // A false snapshot claims to know less than its sender knows.
        var told = Holdings.Of([.. theirs.Held.Transactions.Where(number => theirs.State.Known.Contains(_history[number].Stamp))]);
        var unshared = machine.Held.Xor(told);
        foreach (var (slot, delta) in assertion.Effects)
        {
            var unknown = unshared.Transactions.Select(number => _history[number].EffectOn(slot)).OfType<Document>().ToArray();
            if (delta.Born.IsNone)
            {
                foreach (var cell in delta.Cells)
                {
                    if (!Writes(unknown, cell.EncodedPath))
                        throw new Violation("no resurrection",
                            $"{Name(machine)} asserts a cell of {_scenario.Slots[slot]} although both sides know the same writes to it.");
                }
            }
            if (!delta.Died.IsNone)
                continue;
            if (!unknown.Any(document => !document.Born.IsNone || !document.Touched.IsNone))
                throw new Violation("no resurrection",
                    $"{Name(machine)} asserts {_scenario.Slots[slot]} although both sides know the same writes to it.");
            // One side may have purged a delete without knowing everything that it deleted. A delete counts while its tombstone exists.
            if (!_scenario.HasLosses && IsCleanlyDeleted(slot, machine.Held.Or(theirs.Held), HasTombstone))
                throw new Violation("no resurrection",
                    $"{Name(machine)} revives {_scenario.Slots[slot]}, which was deleted together with everything that both sides know.");
        }

        bool HasTombstone(HistoricTransaction deleting) =>
            (machine.Held.Has(deleting.Number) && !machine.Replica!.State.Truncated.Contains(deleting.Stamp))
            || (theirs.Held.Has(deleting.Number) && !theirs.State.Truncated.Contains(deleting.Stamp));

        static bool Writes(Document[] documents, ReadOnlySpan<byte> path)
        {
            foreach (var document in documents)
            {
                if (document.TryGetCell(path, out var cell) && !cell.IsRemoved)
                    return true;
            }
            return false;
        }
    }

    /// <summary>Checks that a node repeats only its own writes, and puts again only documents that it has.</summary>
    void CheckWrittenAgain(Machine machine, Holdings past, HistoricTransaction again)
    {
        foreach (var (slot, delta) in again.Effects)
        {
            Document[] own = [.. past.Transactions.Select(number => _history[number])
                .Where(transaction => transaction.Stamp.Node == machine.Node).Select(transaction => transaction.EffectOn(slot)).OfType<Document>()];
            bool isOwn = !delta.Born.IsNone || (delta.Died.IsNone || own.Any(written => !written.Died.IsNone));
            foreach (var cell in delta.Cells)
                isOwn &= !delta.Born.IsNone || cell.ShareRun.Node == machine.Node || HasWritten(own, cell);
            if (!isOwn)
                throw new Violation("only authors write again", $"{Name(machine)} writes <{delta}> to {_scenario.Slots[slot]}, which it did not write before.");
        }

        static bool HasWritten(Document[] documents, DocumentCell cell)
        {
            foreach (var document in documents)
            {
                if (document.TryGetCell(cell.EncodedPath, out var written) && written.IsRemoved == cell.IsRemoved && written.Value.SequenceEqual(cell.Value))
                    return true;
            }
            return false;
        }
    }

    /// <summary>
    /// Returns true if one of the transactions that count deleted a document and knew all other transactions in the set that touch the document.
    /// </summary>
    bool IsCleanlyDeleted(int slot, Holdings held, Predicate<HistoricTransaction> counts)
    {
        var touching = held.Transactions.Where(number => _history[number].EffectOn(slot) is not null).ToArray();
        return touching.Any(number => _history[number] is { IsOfUser: true } deleting && !deleting.EffectOn(slot)!.Died.IsNone
            && counts(deleting)
            && touching.All(other => other == number || deleting.Past.Has(other)));
    }

    static bool ShowSame(Document a, Document b, MergePolicy policy)
    {
        if (a.IsAlive(policy) != b.IsAlive(policy))
            return false;
        if (!a.IsAlive(policy))
            return true;
        if (a.Born != b.Born)
            return false;
        var left = a.Cells;
        var right = b.Cells;
        while (true)
        {
            bool hasLeft = MoveToShown(ref left, a.Born), hasRight = MoveToShown(ref right, b.Born);
            if (!hasLeft || !hasRight)
                return hasLeft == hasRight;
            if (left.Current.Stamp != right.Current.Stamp || !left.Current.EncodedPath.SequenceEqual(right.Current.EncodedPath)
                || !left.Current.Value.SequenceEqual(right.Current.Value))
                return false;
        }
    }

    static bool MoveToShown(ref DocumentCells cells, HlcTimestamp born)
    {
        while (cells.MoveNext())
        {
            if (cells.Current.IsShown(born))
                return true;
        }
        return false;
    }
}
