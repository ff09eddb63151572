using Datacake.Crdt;
using Datacake.EventualConsistency.Keyspaces;
using Datacake.EventualConsistency.Layout;
using Datacake.EventualConsistency.Replication;
using Datacake.EventualConsistency.Replication.Messages;
using Datacake.Simulation.Machines;
using Datacake.Simulation.Scenarios;
using Datacake.Storage;
using Microsoft.Extensions.Logging.Abstractions;

namespace Datacake.Simulation.Worlds;

// Disks that corrupt records, and how replicas repair them.
sealed partial class World
{
    bool _hasRepairedLog;     // True if a log record was rebuilt without the superseded transactions; other replicas take the rebuilt record.

    /// <summary>
    /// Flips a bit of a record. A document is damaged only if another machine has everything that was written to it, so that nothing is lost. Only
    /// one machine has damage at a time, since two that lack the same data would wait for each other.
    /// </summary>
    void Damage(Machine machine, int chance)
    {
        if (!machine.IsJoined || !IsActive(machine) || _machines.Any(other => other.IsBeingRepaired))
            return;
        var range = (chance % 8) switch { 0 => StoreLayout.AllLog, 1 => StoreLayout.AllIndexEntries, _ => StoreLayout.AllDocuments };
        ReadOnlyMemory<byte>[] keys = [.. machine.Disk.Range(range).Select(entry => entry.Key)];
        if (keys.Length == 0)
            return;
        var key = keys[chance / 8 % keys.Length];
        if (StoreLayout.IsDocumentKey(key.Span) && !IsHeldElsewhere(machine, key))
            return;
        _statistics.Count("damaged records");
        _hasRepairedLog |= StoreLayout.IsLogKey(key.Span);
        machine.Disk.Flip(key, chance >> 6);
        machine.Damaged.Add(new StorageKey(key.ToArray()));
        if (chance % 3 == 0)
            Verify(machine);
    }

    /// <summary>
    /// Flips a bit in the key of a record, so that the record can no longer be found. The damage is found before anything is written in the
    /// record's place. Nothing happens while another machine repairs: a document that may have been purged is taken from the others rather
    /// than restored.
    /// </summary>
    void DamageKey(Machine machine, int chance)
    {
        if (!machine.IsJoined || !IsActive(machine) || machine.IsStalled || machine.Disk.IsFailing || machine.Disk.IsFull || _machines.Any(other => other.IsBeingRepaired))
            return;
        ReadOnlyMemory<byte>[] keys = [.. machine.Disk.Range(StoreLayout.AllDocuments).Concat(machine.Disk.Range(StoreLayout.AllLog)).Select(entry => entry.Key)];
        if (keys.Length == 0 || machine.Disk.FlipKey(keys[chance / 8 % keys.Length], chance) is not { } key)
            return;
        _statistics.Count("damaged keys");
        machine.Damaged.Add(new StorageKey(key.ToArray()));
        Verify(machine);
        RepairDamage(machine);
    }

    /// <summary>
    /// Loses a document without a trace. The disk is verified before anything is written in the document's place, and the replica notices the
    /// difference in its documents.
    /// </summary>
    void LoseRecord(Machine machine, int chance)
    {
        if (!machine.IsJoined || !IsActive(machine) || machine.IsStalled || machine.Disk.IsFailing || machine.Disk.IsFull || _machines.Any(other => other.IsBeingRepaired))
            return;
        ReadOnlyMemory<byte>[] keys = [.. machine.Disk.Range(StoreLayout.AllDocuments)
            .Where(entry => Document.Parse(entry.Value).IsAlive(SlotOf(machine, entry.Key).Policy) && IsHeldElsewhere(machine, entry.Key))
            .Select(entry => entry.Key)];
        if (keys.Length == 0)
            return;
        _statistics.Count("lost records");
        var key = keys[chance % keys.Length];
        machine.Disk.Lose(key);
        machine.IsIncomplete = true;
        var keyspace = machine.Replica!.Catalog[StoreLayout.KeyspaceOf(key.Span)];
        Run(machine, batch =>
        {
            if (_mutant.CountsWithoutTheLost)
                RecordRepairer.MustCount(batch, keyspace);
            else
                machine.Replica!.RepairKeyspaces(batch, [keyspace]);
        });
    }

    bool IsHeldElsewhere(Machine machine, ReadOnlyMemory<byte> documentKey)
    {
        int slot = SlotOf(machine, documentKey).Number;
        int[] writing = [.. machine.Held.Transactions.Where(number => _history[number].EffectOn(slot) is not null)];
        return Active.Any(other => other != machine && other.HadJoined && Array.TrueForAll(writing, other.Held.Has));
    }

    Slot SlotOf(Machine machine, ReadOnlyMemory<byte> documentKey)
    {
        var keyspace = machine.Replica!.Catalog[StoreLayout.KeyspaceOf(documentKey.Span)];
        return _scenario.Slots[_history.SlotOf(new DocumentName(keyspace.Name, keyspace.Policy, documentKey[StoreLayout.DocumentPrefixLength..]))];
    }

    /// <summary>Reads the damaged records of a machine, so that they are found.</summary>
    static void Verify(Machine machine)
    {
        if (!machine.IsUp)
            return;
        using var snapshot = Machine.Now(machine.Storage.OpenSnapshotAsync());
        foreach (var key in machine.Damaged)
        {
            try
            {
                Machine.Now(snapshot.GetAsync(key.Bytes));
            }
            catch (StorageException)
            {
                // Reading the record has recorded the damage.
            }
        }
    }

    /// <summary>Repairs the damage that a replica has found, in the same way as the store's repairer.</summary>
    void RepairDamage(Machine machine)
    {
        if (!machine.IsUp)
            return;
        if (machine.SuspectedLosses != machine.Replica!.SuspectedLosses)
        {
            machine.SuspectedLosses = machine.Replica.SuspectedLosses;
            machine.Storage.Clear();
        }
        machine.Damaged.RemoveWhere(key => !machine.Disk.IsDamaged(key.Bytes.Span));
        foreach (var key in machine.Damages.Records)
        {
            if (!machine.Disk.IsDamaged(key.Span))
                machine.Damages.Remove(key);
            else if (Machine.Now(machine.Checksummed.FindOriginalAsync(key)) is { } original)
                Queue(machine, new Work(batch => machine.Replica.RestoreKeyAsync(batch, key, original)));
            else if (machine.Replica!.NeedsAnswers(key.Span))
                RepairDocument(machine, key);
            else
                Queue(machine, new Work(batch => machine.Replica.RepairAsync(batch, key)));
        }
        if (machine.Damages.Count > 0 || machine.Damaged.Count > 0)
            return;
        machine.IsIncomplete &= machine.MustCount;
        foreach (var keyspace in machine.Replica!.Uncounted.ToArray())
            Queue(machine, new Work(batch => machine.Replica.CountAgainAsync(batch, keyspace, CancellationToken.None)));
        if (machine.MustBuild)
            Queue(machine, new Work(batch => BuildIndexesAsync(machine, batch)));
    }

    static async ValueTask BuildIndexesAsync(Machine machine, ReplicaBatch batch) => await IndexFiller.StepAsync(
        batch, machine.Replica!.Catalog, machine.StorageFailure, NullLogger.Instance, CancellationToken.None);

    void RepairDocument(Machine machine, ReadOnlyMemory<byte> key)
    {
        var replica = machine.Replica!;
        var slot = SlotOf(machine, key);
        DocumentAnswer[] answers = [.. _machines
            .Where(other => CanReach(machine, other) && HaveSession(machine, other) && other.IsJoined && !other.IsBeingRepaired)
            .Select(other => new DocumentAnswer(replica.KnownOf(other.Node), ShownBy(other, slot)))];
        Queue(machine, new Work(async batch =>
        {
            if (machine.Disk.IsDamaged(key.Span) && batch.FindRead(key) is null
                && await replica.RepairDocumentAsync(batch, key, answers, isFinal: _mutant.RepairsAtOnce) is not null)
                _statistics.Count("repaired documents");
        }));
    }
}
