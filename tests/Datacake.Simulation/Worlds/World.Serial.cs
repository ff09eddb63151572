using System.Buffers.Binary;
using Datacake.Crdt;
using Datacake.EventualConsistency;
using Datacake.EventualConsistency.Layout;
using Datacake.EventualConsistency.Replication;
using Datacake.EventualConsistency.Sequencing;
using Datacake.EventualConsistency.Transactions;
using Datacake.Simulation.Histories;
using Datacake.Simulation.Machines;
using Datacake.Simulation.Scenarios;
using Datacake.Storage;
using SerialTransaction = Datacake.Simulation.Histories.SerialTransaction;

namespace Datacake.Simulation.Worlds;

// Serial transactions: their users, and what must hold of them.
sealed partial class World
{
    const int CalmSteps = 20;
    const int Names = 5, NameCycle = 7;

    static readonly DocumentPath NamePath = DocumentPath.OfProperty("p");
    static readonly DocumentPath NumberPath = DocumentPath.OfProperty("m");
    static readonly UniqueIndex UniqueNames = new("accounts", "by name", [UniqueColumn.OfCell(NamePath.Encoded, isNullable: true, default, [])]);

    readonly Dictionary<TransactionId, SerialTransaction> _serial = [];
    readonly List<SequenceEra> _eras = [new(default, [])];
    readonly List<SerialRead> _serialReads = [];
    long _moment;
    long _lastValue;

    /// <summary>Lets a little time pass, in which some sequencers and users do what is due, and some messages arrive.</summary>
    void Sequence(int chance)
    {
        _time.Pass((1 + (chance % 5)) * SimulatedTime.Unit);
        foreach (var machine in _machines.Where(machine => machine.IsUp && (chance >> 4 >> machine.Index & 1) == 0))
        {
            TickSequencer(machine);
            if ((chance >> 10 >> machine.Index & 1) == 0)
                Use(machine, chance);
        }
        var random = new Random(chance);
        for (int i = random.Next((_scenario.IsSlow ? 1 : 3) * _machines.Length); i > 0 && _network.Take(random.Next(1 << 20)) is { } envelope; i--)
            Deliver(envelope);
    }

    void TickSequencer(Machine machine)
    {
        if (machine.Sequencer is { } sequencer)
            Queue(machine, new Work(sequencer.TickAsync) { IsSmall = true, IsSequencing = true });
    }

    /// <summary>Lets time pass in small steps, so that the sequencers of a cluster without faults come to rest.</summary>
    void SequenceCalmly()
    {
        if (!_scenario.IsSerial)
            return;
        for (int i = 0; i < CalmSteps; i++)
        {
            _time.Pass(2 * SimulatedTime.Unit);
            foreach (var machine in Active)
            {
                TickSequencer(machine);
                if (machine.Use is not null)
                    Use(machine, 0);
            }
            Talk();
        }
    }

    /// <summary>Does the next step of the user of a machine: begins a transaction or a read, or goes on with it.</summary>
    void Use(Machine machine, int chance)
    {
        // A cluster that was formed by mistake has a sequence of its own, and is given up.
        if (!machine.IsJoined || machine.Replica!.Identity.Cluster != Cluster)
            return;
        Queue(machine, new Work(batch => UseAsync(machine, batch, chance)) { IsSequencing = true, Failed = _ => machine.Use = null });
    }

    async ValueTask UseAsync(Machine machine, ReplicaBatch batch, int chance)
    {
        var random = new Random(chance);
        if (machine.Use is not { } use)
        {
            int[] slots = [.. _scenario.Slots.Where(static slot => slot.IsSerial).Select(static slot => slot.Number)];
            random.Shuffle(slots);
            if (slots.Length == 0)
                return;
            machine.Use = use = new SerialUse(slots[..random.Next(1, Math.Min(2, slots.Length) + 1)], random.Next(3) == 0, ++_moment);
            use.OnEnded = request => use.Token = request.Token;
            use.Request = await machine.Sequencer!.Caller.BeginBarrierAsync(batch, use.OnEnded);
        }
        else if (use is { Token: { } token, Transaction: null })
        {
            if (batch.State.Known.Covers(token) && use.Request is { IsKnown: false } request && !machine.Sequencer!.HoldsTokensOf(request.Node, request.Session))
            {
                _statistics.Count("barriers whose stamps may be lost");
                use.Token = null;
                use.Request = await machine.Sequencer.Caller.BeginBarrierAsync(batch, request => use.Token = request.Token);
            }
            else if (batch.State.Known.Covers(token) && SerialPosition.IsWithoutGap(await PositionAsync(machine, batch), batch.State.Known))
            {
                await ReadAndCommitAsync(machine, batch, use, random);
            }
            // What the token names may be lost with the voters.
            else if (_eras.Count > 1 && chance == 0 && ++use.Waits > 2 * CalmSteps)
                machine.Use = null;
        }
        // A run that was begun anew has left its requests behind: their outcomes cannot be learned.
        else if ((random.Next(60) == 0 && chance != 0) || (use.Request?.Id is { } id && id.Run != machine.Replica!.Run))
        {
            machine.Sequencer!.Caller.GiveUp(use.Request!, use.OnEnded!);
            machine.Use = null;
        }
    }

    static async ValueTask<Document> PositionAsync(Machine machine, ReplicaBatch batch) =>
        machine.Replica!.Catalog.Find(CallerLane.Keyspace) is { } keyspace ? await batch.ReadAsync(batch.KeyOf(keyspace, SerialPosition.Key)) : Document.Nothing;

    async ValueTask ReadAndCommitAsync(Machine machine, ReplicaBatch batch, SerialUse use, Random random)
    {
        var read = new Dictionary<int, long?>();
        var written = new Dictionary<int, long?>();
        var conditions = new List<SerialCondition>();
        var operations = new List<SerialOperation>();
        var ranges = new List<SerialRange>();
        var lookedUp = !use.IsRead && random.Next(4) == 0 ? await LookUpAsync(machine, batch, ranges, read, random) : null;
        if (random.Next(4) == 0)
            await ReadRangeAsync(machine, batch, ranges, read, random);
        foreach (int number in use.Slots)
        {
            var slot = _scenario.Slots[number];
            var document = await ReadAsync(machine, batch, slot);
            bool exists = document.IsAlive(slot.Policy);
            read[number] = ValueOf(document, slot);
            conditions.Add(new SerialCondition(slot.Keyspace, slot.Key, exists ? ContentHash.Of(document) : null));
            bool isDelete = exists && random.Next(_scenario.Theme.IsFleeting ? 2 : 5) == 0;
            // A value with the name of the one before, now and then: two transactions that are under way at the same time want the same name.
            long value = _lastValue += random.Next(4) == 0 ? NameCycle : 1;
            written[number] = isDelete ? null : value;
            operations.Add(new SerialOperation(slot.Policy, new DocumentOperation(
                isDelete ? DocumentOperationKind.Delete : DocumentOperationKind.Put, slot.Keyspace, slot.Key,
                isDelete ? DocumentContent.Empty : ContentOf(value), [])));
        }
        if (use.IsRead)
        {
            _serialReads.Add(new SerialRead(use.Start, ++_moment, read));
            _statistics.Count("serial reads");
            machine.Use = null;
            return;
        }
        var transaction = use.Transaction = new SerialTransaction(++_moment, read, written) { LookedUp = lookedUp, Numbers = random.Next(3) == 0 ? random.Next(1, 3) : 0 };
        bool isDeleted = written[use.Slots[0]] is null;
        var numbers = Enumerable.Range(0, transaction.Numbers)
            .Select(number => new SerialNumber("numbers", long.MaxValue, number > 0 || isDeleted ? [] : [NumberPlace.OfCell(0, NumberPath.Encoded)]));
        var proposal = new SerialProposal { Conditions = conditions, Ranges = ranges, UniqueIndexes = KnowsUniqueNames(machine) ? [UniqueNames] : [], Operations = operations, Numbers = [.. numbers] };
        use.OnEnded = request =>
        {
            machine.Use = null;
            _statistics.Count(request.Refusal is { } refusal ? $"serial refusals by {refusal.Reason}" : "serial transactions");
            if (request.Outcome == SerialOutcome.Done)
                (transaction.End, transaction.Told) = (++_moment, request.Numbers);
            else
                transaction.IsRefused = true;
        };
        use.Request = await machine.Sequencer!.Caller.CommitAsync(batch, proposal, use.OnEnded);
        _serial[use.Request.Id!.Value] = transaction;
    }

    /// <summary>
    /// Returns true if the application of a machine has the unique index: in some histories all have it, or none, and in some it is being introduced. The index is
    /// in force from the moment at which one machine has used it.
    /// </summary>
    bool KnowsUniqueNames(Machine machine) => (_scenario.Seed % 3) switch
    {
        0 => false,
        1 => true,
        _ => machine.Index % 2 == 0,
    };

    /// <summary>Reads the documents of a range of keys, which the user then relies on.</summary>
    async ValueTask ReadRangeAsync(Machine machine, ReplicaBatch batch, List<SerialRange> ranges, Dictionary<int, long?> read, Random random)
    {
        Slot[] slots = [.. _scenario.Slots.Where(static slot => slot.IsSerial)];
        int first = random.Next(slots.Length), last = random.Next(first, slots.Length);
        var hash = new RangeHash();
        for (int i = first; i <= last; i++)
        {
            var document = await ReadAsync(machine, batch, slots[i]);
            read[slots[i].Number] = ValueOf(document, slots[i]);
            if (document.IsAlive(slots[i].Policy))
                hash.Add(slots[i].Key.Encoded.Span, ContentHash.Of(document));
        }
        var range = new KeyRange(slots[first].Key.Encoded, last + 1 < slots.Length ? slots[last + 1].Key.Encoded : default(ReadOnlyMemory<byte>?));
        ranges.Add(SerialRange.OfKeys(slots[first].Keyspace, range, hash));
        _statistics.Count("serial ranges of keys");
    }

    /// <summary>Looks up the documents with a name in the index, which the user then relies on.</summary>
    async ValueTask<(int, IReadOnlyList<int>)?> LookUpAsync(
        Machine machine, ReplicaBatch batch, List<SerialRange> ranges, Dictionary<int, long?> read, Random random)
    {
        int name = random.Next(Names);
        var found = new List<int>();
        var hash = new RangeHash();
        Slot[] slots = [.. _scenario.Slots.Where(static slot => slot.IsSerial)];
        foreach (var slot in slots)
        {
            var document = await ReadAsync(machine, batch, slot);
            if (NameOf(ValueOf(document, slot)) != name)
                continue;
            read[slot.Number] = ValueOf(document, slot);
            found.Add(slot.Number);
            hash.Add(slot.Key.Encoded.Span, ContentHash.Of(document));
        }
        var writer = new OrderedKeyWriter();
        writer.Write([(byte)name]);
        ranges.Add(SerialRange.OfIndex(slots[0].Keyspace, Machine.ByContent, KeyRange.WithPrefix(writer.ToArray()), hash));
        _statistics.Count("serial ranges of an index");
        return (name, found);
    }

    /// <summary>Returns the content of a document with a value, and with the name that goes with the value.</summary>
    static DocumentContent ContentOf(long value)
    {
        var content = new DocumentContentBuilder();
        content.Set([], BitConverter.GetBytes(value));
        if (NameOf(value) is { } name)
            content.Set(NamePath.Encoded.Span, [(byte)name]);
        content.Set(NumberPath.Encoded.Span, [0]);
        return content.Build();
    }

    /// <summary>Returns the name of a document with a value; null if it has none.</summary>
    static int? NameOf(long? value) => value is { } known && known % NameCycle is var name && name < Names ? (int)name : null;

    /// <summary>Returns the number in a document: 0 if it has none.</summary>
    static long NumberOf(Document document) =>
        document.TryGetCell(NumberPath.Encoded.Span, out var cell) ? new MessagePack.MessagePackReader(cell.Value.ToArray()).ReadInt64() : 0;

    static long? ValueOf(Document document, Slot slot) =>
        document.IsAlive(slot.Policy) && document.Value is { } value ? BinaryPrimitives.ReadInt64LittleEndian(value.Span) : null;

    /// <summary>Records what a sequencer has decided: one entry an index, for ever.</summary>
    void NoteApplied(Machine machine)
    {
        if (machine.Replica!.Identity.Cluster != Cluster)
            machine.Decided.Clear();
        bool isFounding = false;
        foreach (var (founding, index, entry, isSure) in machine.Decided)
        {
            var found = _eras.Find(era => era.Founding == founding);
            if ((found ?? Found(machine, founding)) is not { } era)
                continue;
            if (found is null || isFounding)
                (era.LastInherited, isFounding) = (era.Founding.IsFirst ? 0 : index, true);
            if (era.Entries.TryGetValue(index, out var known) && known.IsSure && !known.Entry.Encoded.AsSpan().SequenceEqual(entry.Encoded))
                throw new Violation("one entry an index", $"{Name(machine)} applies {entry} as entry {index}, which was {known.Entry}.");
            if (entry.Kind == SequenceEntryKind.Empty && !era.Entries.ContainsKey(index))
                _statistics.Count("sequencers in office");
            era.Entries[index] = (entry, isSure);
        }
        machine.Decided.Clear();
        CheckAdded(machine);
    }

    /// <summary>Checks that stores that are added as voters have what is decided, except for the last entries.</summary>
    void CheckAdded(Machine machine)
    {
        foreach (var (founding, added, lastChange, decided, hasWaiting) in machine.VotersAdded)
        {
            _statistics.Count(hasWaiting ? "voters that are added while entries wait" : "voters that are added");
            if (lastChange > decided)
                throw new Violation("one change of voters at a time", $"{Name(machine)} adds {added} when the last change, the entry {lastChange}, is not decided, but only what is before {decided + 1}.");
            var voter = _machines.FirstOrDefault(other => other.StoreId == added.Store && other.Sequencer?.State is { } state && state.Life == added.Life && state.Founding == founding);
            if (voter is not null && voter.Sequencer!.Last + _scenario.MaxVoterLag < decided)
                throw new Violation("voters have what is decided", $"{Name(voter)} is added as a voter when {decided} entries are decided, and has the entries up to {voter.Sequencer.Last}.");
        }
        machine.VotersAdded.Clear();
    }

    /// <summary>Checks that a transaction has the next numbers, and that its user was told of them.</summary>
    static void CheckNumbers(TransactionId id, SerialTransaction transaction, IReadOnlyList<long> numbers, ref long? last)
    {
        if (numbers.Count != transaction.Numbers)
            throw new Violation("numbers", $"{id} has the numbers {string.Join(", ", numbers)}, but wanted {transaction.Numbers}.");
        foreach (long number in numbers)
        {
            if (last is { } before && number != before + 1)
                throw new Violation("numbers without gaps", $"{id} has the number {number} after {before}.");
            last = number;
        }
        if (transaction.Told is { } told && !told.SequenceEqual(numbers))
            throw new Violation("numbers", $"The user of {id} was told the numbers {string.Join(", ", told)}; they are {string.Join(", ", numbers)}.");
    }

    /// <summary>Returns what is in the way of a transaction in a state of all documents; null if nothing is.</summary>
    string? ObstacleTo(SerialTransaction transaction, Dictionary<int, long?> state, bool hasUniqueNames)
    {
        foreach (var (slot, value) in transaction.Read)
        {
            if (state.GetValueOrDefault(slot) != value)
                return $"{_scenario.Slots[slot]} was {state.GetValueOrDefault(slot)} and not {value}";
        }
        if (transaction.LookedUp is var (name, documents)
            && state.Where(document => NameOf(document.Value) == name).Select(static document => document.Key).Order().ToArray() is var named && !named.SequenceEqual(documents))
            return $"the documents {string.Join(", ", named)} had the name {name}, and not {string.Join(", ", documents)}";
        if (!hasUniqueNames)
            return null;
        var after = new Dictionary<int, long?>(state);
        foreach (var (slot, value) in transaction.Written)
            after[slot] = value;
        foreach (var (slot, value) in transaction.Written)
        {
            // Documents that had the same name before the index was in force may keep it.
            if (NameOf(value) is { } own
                && after.Any(other => other.Key != slot && NameOf(other.Value) == own && (NameOf(state.GetValueOrDefault(slot)) != own || NameOf(state.GetValueOrDefault(other.Key)) != own)))
                return $"{_scenario.Slots[slot]} would have the name {own}, which another document has";
        }
        return null;
    }

    /// <summary>Begins an era if a machine has founded the sequence anew, and returns it. If the commit has failed, it has not.</summary>
    SequenceEra? Found(Machine machine, Founding founding)
    {
        if (machine.Disk.Get(StoreLayout.SequenceKey.Span) is not { } stored || SequenceState.Decode(stored).Founding != founding)
            return null;
        _statistics.Count(founding.IsForced ? "sequences that an operator has founded anew" : "sequences that a restored store has founded anew");
        _eras.Add(new SequenceEra(founding, _scenario.Slots.Where(static slot => slot.IsSerial).ToDictionary(static slot => slot.Number, slot => ValueOf(ShownBy(machine, slot), slot)))
        {
            Numbers = _scenario.Slots.Where(static slot => slot.IsSerial).ToDictionary(static slot => slot.Number, slot => NumberOf(ShownBy(machine, slot))),
            IsWhole = founding.IsForced && machine.IsWholeFounder,
        });
        return _eras[^1];
    }

    /// <summary>
    /// Checks that a founder goes on from a state that the sequence had, or from one with further entries that it has inherited, unless it is in the middle of
    /// receiving what others have.
    /// </summary>
    /// <returns>The first version that it may be: what comes after that one may be lost.</returns>
    int CheckBase(SequenceEra era, List<Dictionary<int, long?>> versions)
    {
        if (!era.IsWhole)
        {
            _statistics.Count("foundings in the middle of a pull");
            return 0;
        }
        var state = new Dictionary<int, long?>(versions[^1]);
        var candidates = versions.ToList();
        foreach (var id in era.Inherited)
        {
            foreach (var (slot, value) in _serial.TryGetValue(id, out var transaction) ? transaction.Written : new Dictionary<int, long?>())
                state[slot] = value;
            candidates.Add(new(state));
        }
        int first = candidates.FindIndex(version => era.Base.All(shown => version.GetValueOrDefault(shown.Key) == shown.Value));
        return first >= 0 ? first : throw new Violation("foundings do not tear", $"the founder {era.Founding} began with {string.Join(", ", era.Base)}, which no version had: {string.Join("; ", candidates.Select(static version => string.Join(", ", version)))}.");
    }

    /// <summary>Lets the operator name new voters if a majority of the voters is lost for good.</summary>
    void RecoverVoters()
    {
        Machine[] members = [.. Active];
        if (!_scenario.IsSerial || members.Any(static machine => !machine.IsJoined || machine.Sequencer!.Role == SequencerRole.Sequencer)
            || Pairs().Any(pair => members.Contains(pair.A) && members.Contains(pair.B) && !HaveSession(pair.A, pair.B)))
            return;
        foreach (var machine in members)
            Run(machine, machine.Sequencer!.AskPositions);
        Talk();
        bool isDone = false;
        foreach (var machine in members)
        {
            if (isDone)
                break;
            Queue(machine, new Work(async batch =>
            {
                if (machine.Sequencer!.ReasonAgainstRecovery(batch) is not null)
                    return;
                CheckMajorityLost();
                isDone = true;
                machine.IsWholeFounder = await IsWholeAsync(machine, batch);
                await machine.Sequencer.RecoverAsync(batch);
            })
            { IsSmall = true });
        }
    }

    /// <summary>
    /// Lets a majority of the voters die, and an operator give them up: retire them, and name a new voter. Some of the lost machines start again later, and must bring nothing back.
    /// </summary>
    void LoseMajority(Machine machine, int chance)
    {
        Machine[] voters = [.. _machines.Where(other => other.HadJoined && IsActive(other) && machine.Sequencer?.Voters.Contains(other.StoreId) == true)];
        Machine[] lost = [.. voters.Where(voter => voter != machine).OrderBy(voter => (chance >> voter.Index) % 7).Take((voters.Length / 2) + 1)];
        if (!machine.IsJoined || !IsActive(machine) || machine.Replica!.Identity.Cluster != Cluster || lost.Length <= voters.Length / 2 || Active.Count() - lost.Length < 2)
            return;
        if (chance % 4 > 0)
            DeliverAll(envelope => (chance >> envelope.Target.Index & 1) == 0);
        foreach (var one in lost.Where(static one => one.IsUp))
            Stop(one);
        _network.Heal();
        Machine[] left = [.. _machines.Where(other => other.IsUp && IsActive(other) && other.HadJoined)];
        for (int i = 0; i < 4; i++)
        {
            _time.Pass(TimeSpan.FromSeconds(1));
            foreach (var (a, b) in Pairs().Where(pair => left.Contains(pair.A) && left.Contains(pair.B)))
                Exchange(a, b);
            Array.ForEach(left, TickSequencer);
        }
        if (TryRecover(machine) && lost.Any(one => machine.Replica!.Identity.Members.TryGetValue(one.Node, out var member) && member.StoreId == one.StoreId))
            throw new Violation("absent members are retired before a recovery", $"{Name(machine)} has founded the sequence anew, although lost voters may come back.");
        foreach (var one in lost)
            Retire(machine, one);
        foreach (var other in left)
            Exchange(machine, other);
        if (!TryRecover(machine))
            return;
        _statistics.Count("lost majorities that were given up");
        foreach (var one in lost.Where(one => (chance >> 9 >> one.Index & 1) == 0))
        {
            Start(one);
            foreach (var other in left)
                Exchange(one, other);
            _statistics.Count("retired voters that came back");
        }
    }

    bool TryRecover(Machine machine)
    {
        if (!machine.IsUp)
            return false;
        Run(machine, machine.Sequencer!.AskPositions);
        DeliverAll(envelope => envelope.Source == machine || envelope.Target == machine);
        bool isDone = false;
        Queue(machine, new Work(async batch =>
        {
            if (machine.Sequencer.ReasonAgainstRecovery(batch) is not null)
                return;
            machine.IsWholeFounder = await IsWholeAsync(machine, batch);
            await machine.Sequencer.RecoverAsync(batch);
            isDone = true;
        })
        { IsSmall = true });
        return isDone;
    }

    /// <summary>
    /// Returns true if a store knows all serial documents that it shows, and has all transactions that it counts as known. It counts those as known, too, that a store had alone
    /// whose disk was lost [R14].
    /// </summary>
    async ValueTask<bool> IsWholeAsync(Machine machine, ReplicaBatch batch)
    {
        foreach (var slot in _scenario.Slots.Where(static slot => slot.IsSerial))
        {
            if ((await ReadAsync(machine, batch, slot)).Born is { IsNone: false } born && !batch.State.Known.Contains(born))
                return false;
        }
        return SerialPosition.IsWithoutGap(await PositionAsync(machine, batch), batch.State.Known)
            && _history.Transactions.All(transaction => !batch.State.Known.Contains(transaction.Stamp) || machine.Held.Has(transaction.Number));
    }

    string? UnsettledSequence(Machine[] members)
    {
        if (!_scenario.IsSerial)
            return null;
        if (!members.Any(static machine => machine.Sequencer!.IsReady))
            return "there is no sequencer";
        foreach (var machine in members)
        {
            if (machine.Use is not null)
                return $"a user of {Name(machine)} has no outcome";
            if (machine.Sequencer!.Waiting > 0)
                return $"{Name(machine)} has {machine.Sequencer.Waiting} entries of the sequence that wait";
        }
        return null;
    }

    /// <summary>Checks strict serializability. The sequence, without repetitions, is the witness.</summary>
    void CheckSequence(Machine[] members)
    {
        if (!_scenario.IsSerial)
            return;
        var order = new List<TransactionId>();
        var state = new Dictionary<int, long?>();
        var versions = new List<Dictionary<int, long?>> { new(state) };
        var refused = new HashSet<TransactionId>();
        var lost = new HashSet<TransactionId>();
        bool hasUniqueNames = false, mayHaveUniqueNames = false;
        long? lastNumber = 0;           // null after a founding, when the founder's store has it
        var numbers = new Dictionary<int, long>();
        foreach (var era in _eras)
        {
            int begun = order.Count;
            // What the lost voters alone had is lost, and only that: the state from which the founder goes on counts, and what it has inherited is in it.
            foreach (var id in era.Inherited.Where(id => !order.Contains(id)).ToArray())
            {
                order.Add(id);
                versions.Add(new(era.Base));
            }
            if (!era.Founding.IsFirst)
            {
                lost.UnionWith(order.Skip(CheckBase(era, versions)).Except(era.Inherited));
                (state, numbers, lastNumber) = (new(era.Base), new(era.Numbers), null);
                mayHaveUniqueNames |= hasUniqueNames;
                hasUniqueNames = era.InheritsUniqueIndexes;
                refused.Clear();
                order.Add(default);
                versions.Add(new(state));
            }
            foreach (var entry in era.Decided)
            {
                var id = entry.Id;
                hasUniqueNames |= entry.Kind == SequenceEntryKind.UniqueIndexes;
                if (!entry.HasOutcome || order.IndexOf(id, begun) >= 0 || refused.Contains(id))
                    continue;
                if (!_serial.TryGetValue(id, out var transaction))
                    throw new Violation("no transaction takes effect twice", $"{id} was applied, which no user has sent.");
                if (entry.Refusal is { } refusal)
                {
                    refused.Add(id);
                    if (ObstacleTo(transaction, state, hasUniqueNames || mayHaveUniqueNames) is null)
                        throw new Violation("nothing is refused without cause", $"{id} was refused by {refusal}, although nothing was in its way.");
                    continue;
                }
                if (ObstacleTo(transaction, state, hasUniqueNames) is { } obstacle)
                    throw new Violation("serializable", $"{id} was applied although {obstacle}.");
                order.Add(id);
                lost.Remove(id);
                CheckNumbers(id, transaction, entry.Numbers, ref lastNumber);
                foreach (int slot in transaction.Written.Keys)
                    numbers[slot] = slot == transaction.Written.Keys.First() && transaction.Numbers > 0 ? entry.Numbers[0] : 0;
                foreach (var (slot, value) in transaction.Written)
                    state[slot] = value;
                versions.Add(new(state));
            }
        }
        foreach (var (id, transaction) in _serial)
        {
            int position = order.LastIndexOf(id);
            if (transaction.End is not null && position < 0)
                throw new Violation("nothing acknowledged is lost", $"{id} was acknowledged and is lost.");
            // What took effect for the lost voters alone may be refused when it is repeated.
            if (transaction.IsRefused && position >= 0 && !lost.Contains(id))
                throw new Violation("a refused transaction never takes effect", $"{id} was refused, and took effect.");
            if (position >= 0 && transaction.End is { } end && order[..position].FirstOrDefault(earlier => earlier != default && _serial[earlier].Start > end) is var late && late != default)
                throw new Violation("real time", $"{late} began after {id} had ended, and is before it.");
        }
        foreach (var read in _serialReads)
        {
            int first = 0, last = order.Count;
            for (int i = 0; i < order.Count; i++)
            {
                if (order[i] == default)
                    continue;
                if (_serial[order[i]].End < read.Start)
                    first = i + 1;
                if (_serial[order[i]].Start > read.End)
                    last = Math.Min(last, i);
            }
            if (!versions[first..(last + 1)].Exists(version => read.Seen.All(seen => version.GetValueOrDefault(seen.Key) == seen.Value)))
                throw new Violation("real time", $"A serial read saw {string.Join(", ", read.Seen)}, which no version from {first} to {last} has.");
        }
        foreach (var machine in members)
        {
            foreach (var slot in _scenario.Slots.Where(static slot => slot.IsSerial))
            {
                if (ValueOf(ShownBy(machine, slot), slot) is var shown && shown != state.GetValueOrDefault(slot.Number))
                    throw new Violation("the sequence is shown", $"{Name(machine)} shows {shown} for {slot}; the sequence gives {state.GetValueOrDefault(slot.Number)}.");
                if (state.GetValueOrDefault(slot.Number) is not null && NumberOf(ShownBy(machine, slot)) is var number && number != numbers.GetValueOrDefault(slot.Number))
                    throw new Violation("the sequence is shown", $"{Name(machine)} shows the number {number} for {slot}; the sequence gives {numbers.GetValueOrDefault(slot.Number)}.");
            }
        }
    }
}
