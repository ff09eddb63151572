using Datacake.Crdt;
using Datacake.EventualConsistency;
using Datacake.EventualConsistency.Joining;
using Datacake.EventualConsistency.Layout;
using Datacake.EventualConsistency.Replication;
using Datacake.Simulation.Histories;
using Datacake.Simulation.Machines;
using Datacake.Simulation.Scenarios;
using Datacake.Storage;

namespace Datacake.Simulation.Worlds;

// Activities of replicas.
sealed partial class World
{
    void Tick(Machine machine)
    {
        // A dial without an answer is given up.
        foreach (var link in machine.Streams.Values.Where(link => link.IsDialer && link.Session == 0 && ++link.Ticks > MaxDialTicks).ToArray())
            End(machine, link);
        RepairDamage(machine);
        Queue(machine, new Work(batch => _mutant.AroundAsync(machine, batch, isCollecting: false, () =>
        {
            var replica = machine.Replica!;
            if (!replica.IsJoined && HearsPresentLives(machine) && ClusterFormationRule.MustForm(replica, isTold: false, SeedsOf(machine)))
                FormApart(machine);
            replica.Tick(batch);
            return ValueTask.CompletedTask;
        }))
        { IsSmall = true });
        TickSequencer(machine);
        // In the store, indexes are built at every tick, too. Here, that is a part of the repair; on a disk that was full, the step also shows whether there is room.
        if (machine.StorageFailure is StorageException { Error: StorageError.Full })
            Queue(machine, new Work(batch => BuildIndexesAsync(machine, batch)));
    }

    /// <summary>
    /// Returns true if all sessions of a machine are with running processes. In reality, a report stays valid for three ticks, and no disk is
    /// replaced and joins that quickly. In the simulation no tick need pass meanwhile.
    /// </summary>
    bool HearsPresentLives(Machine machine) => machine.Replica!.Sessions.All(session => _machines[session.Key - 1].Replica?.Boot == session.Value.Boot);

    /// <summary>Returns the seeds of a machine: all machines.</summary>
    IReadOnlyList<byte?> SeedsOf(Machine machine) => [.. _machines
        .Where(other => !_mutant.FormsAlone || other == machine || machine.Replica!.Sessions.ContainsKey(other.Node))
        .Select(other => other == machine || machine.Replica!.Sessions.ContainsKey(other.Node) ? other.Node : (byte?)null)];

    void FormApart(Machine machine)
    {
        if (_machines.FirstOrDefault(other => other.HadJoined) is { } member)
            throw new Violation("one cluster", $"{Name(machine)} forms a cluster of its own although {Name(member)} is a member of one.");
        machine.Replica!.Bootstrap();
    }

    /// <summary>Has a machine form a second cluster, because an operator mistakes it for the first machine of a new cluster.</summary>
    void FormByMistake(Machine machine)
    {
        if (machine.HadJoined || machine.Replica!.HasPartOfSeed || machine.Replica.Sessions.Count > 0)
            return;
        _statistics.Count("clusters formed by mistake");
        Run(machine, _ => machine.Replica!.Bootstrap());
        _retired.Add(machine.StoreId);
    }

    void Forget(Machine machine, Machine other) => Run(machine, _ =>
    {
        var replica = machine.Replica!;
        if (other != machine && replica.Identity.Members.ContainsKey(other.Node) && !replica.Sessions.ContainsKey(other.Node))
            replica.Forget(other.Node);
    });

    const int MaxDialTicks = 5;

    void Pull(Machine machine, Machine peer) => Run(machine, batch =>
    {
        if (machine.Replica!.CanPull && machine.Replica.Sessions.ContainsKey(peer.Node))
            machine.Replica.StartPull(batch, peer.Node);
    });

    /// <summary>Performs one step of collecting, or all steps.</summary>
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
            if (await KeyspaceRemoval.RemoveAsync(machine.Replica, batch, CancellationToken.None) is > 0 and var removed)
                _statistics.Count("removed keyspaces", removed);
            if (wasJoined)
                CheckStability(machine, batch.State.Truncated.Except(before));
            else if (!wasWaiting && (machine.Replica.IsWaitingForRoll || machine.IsJoined))
                _statistics.Count("purged snapshots");
        })
        {
            IsSmall = true,
            Committed = () =>
            {
                if (hasMore && isThorough)
                    Collect(machine, beyondNow, isThorough);
            },
        });
    }

    void Retire(Machine machine, Machine peer)
    {
        Run(machine, _ =>
        {
            if (machine == peer || !machine.Replica!.Identity.Members.ContainsKey(peer.Node))
            {
                CheckRefusesToRetire(machine, peer);
                return;
            }
            if (!machine.IsJoined || _retired.Contains(machine.StoreId)
                || !machine.Replica!.Identity.Members.TryGetValue(peer.Node, out var member))
                return;
            _statistics.Count("retired stores");
            _retired.Add(member.StoreId);
            Retire(machine, peer.Node);
        });
    }

    /// <summary>Retires a member, through a machine that the operator uses.</summary>
    void Retire(Machine machine, byte node)
    {
        if (!_scenario.HasOperator)
        {
            machine.Replica!.Retire(node);
            return;
        }
        // A machine that has not met the cluster first hears of it through this command.
        if (machine.Replica!.Identity.Cluster == 0)
            return;
        var (cluster, store) = machine.Replica.OrderToRetire(node);
        machine.Replica.Retire(node, SimulatedOperator.Sign(cluster, store));
    }

    static void CheckRefusesToRetire(Machine machine, Machine peer)
    {
        try
        {
            machine.Replica!.Retire(peer.Node);
        }
        catch (ArgumentException)
        {
            return;
        }
        throw new Violation("bad input is refused", $"{Name(machine)} retires {Name(peer)}, which is the machine itself or not a member.");
    }

    void Write(Machine machine, int chance)
    {
        if (machine.HadJoined)
            Queue(machine, new Work(batch => WriteAsync(machine, batch, new Random(chance))));
    }

    void DropKeyspace(Machine machine, int chance)
    {
        if (!machine.HadJoined || _scenario.Slots[chance % _scenario.Slots.Count].IsSerial)
            return;
        string keyspace = _scenario.Slots[chance % _scenario.Slots.Count].Keyspace;
        _statistics.Count("dropped keyspaces");
        Queue(machine, new Work(async batch =>
        {
            var transaction = new Transaction();
            foreach (var slot in _scenario.Slots.Where(slot => slot.Keyspace == keyspace))
            {
                if ((await ReadAsync(machine, batch, slot)).IsAliveAt(batch.Now, slot.Policy))
                    transaction.Delete(keyspace, slot.Key);
            }
            if (transaction.Count > 0)
                await WriteAsync(machine, batch, transaction, []);
        })
        { IsSmall = true });
    }

    static async ValueTask<Document> ReadAsync(Machine machine, ReplicaBatch batch, Slot slot) =>
        machine.Replica!.Catalog.Find(slot.Keyspace) is { } keyspace
            ? await batch.ReadAsync(StoreLayout.DocumentKey(keyspace.Number, slot.Key.Encoded.Span))
            : Document.Nothing;

    async ValueTask WriteAsync(Machine machine, ReplicaBatch batch, Random random)
    {
        var transaction = new Transaction();
        var increments = new List<Increment>();
        var slots = _scenario.Slots.Where(static slot => !slot.IsSerial).ToArray();
        random.Shuffle(slots);
        foreach (var slot in slots[..random.Next(1, Math.Min(2, slots.Length) + 1)])
        {
            AddOperation(transaction, slot, await ReadAsync(machine, batch, slot), random, increments, machine);
        }
        await WriteAsync(machine, batch, transaction, increments);
    }

    async ValueTask WriteAsync(Machine machine, ReplicaBatch batch, Transaction transaction, List<Increment> increments)
    {
        try
        {
            var stamp = await machine.Replica!.WriteAsync(batch, transaction);
            _written[stamp] = increments;
        }
        catch (DocumentNotFoundException)
        {
            _statistics.Count("refused updates");
        }
        catch (Exception e) when (e is StoreExcludedException or TimeoutException)
        {
            _statistics.Count("refused writes");
        }
        catch (InvalidOperationException) when (_scenario.Theme.IsBounded)
        {
            _statistics.Count("refused puts");
        }
        catch (ArgumentException)
        {
            _statistics.Count("writes that were too large");
        }
    }

    void AddOperation(Transaction transaction, Slot slot, Document current, Random random, List<Increment> increments, Machine machine)
    {
        bool isShown = current.IsAliveAt(WallOf(machine), slot.Policy);
        int choice = random.Next(isShown ? 8 : 40);
        // A bounded counter needs some time to be sold.
        if (_scenario.Theme.IsBounded && isShown && choice > 5 && random.Next(3) > 0)
            choice = 4;
        var content = new DocumentContentBuilder();
        if (choice == 0 || (!isShown && choice > 3))
        {
            content.Set(PathP, Value(random));
            content.Set(PathQ, Value(random));
            content.Set(PathX, [1]);
            if (_scenario.Theme.HasExpiry && random.Next(4) > 0)
            {
                var expires = WallOf(machine).Time + (random.Next(1, 150) * SimulatedTime.Unit);
                _lastExpiry = expires > _lastExpiry ? expires : _lastExpiry;
                transaction.PutExpiring(slot.Keyspace, slot.Key, content.Build(), expires, [new CounterIncrement("n", random.Next(9))]);
                _statistics.Count("puts that expire");
                return;
            }
            transaction.Put(slot.Keyspace, slot.Key, content.Build(), _scenario.Theme.IsBounded ? [new CounterIncrement("n", random.Next(9)), NewBounded(random)] : [new CounterIncrement("n", random.Next(9))]);
        }
        else if (choice <= 3)
        {
            // Includes updates of documents that are not shown: they are refused and must change nothing.
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
}
