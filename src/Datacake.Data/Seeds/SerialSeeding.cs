using System.Text;
using Datacake.Crdt;
using Datacake.Data.Serial;
using Datacake.EventualConsistency;
using Datacake.EventualConsistency.Keyspaces;
using Datacake.EventualConsistency.Sequencing;

namespace Datacake.Data.Seeds;

/// <summary>The addition of entities of serial classes that a new cluster starts with. Each is added once, whatever nodes start at the same time.</summary>
static class SerialSeeding
{
    const int MaxAttempts = 100;

    /// <summary>The keyspace that records the added entities. It is serial, because the records are conditions.</summary>
    const string Keyspace = "datacake.seeds.serial";

    /// <summary>
    /// Adds the entities that were not added yet. Returns false if the store has not joined its cluster, or if no majority of the voters can be reached or answers in
    /// time, or if other nodes are first again and again; the caller tries later.
    /// </summary>
    public static async Task<bool> SeedAsync(ReplicatedStore store, IReadOnlyList<KeyspaceModel> keyspaces, List<Seed> seeds, CancellationToken cancellationToken)
    {
        if (seeds.Count == 0)
            return true;
        var taken = new HashSet<DocumentKey>();
        await store.DeclareAsync(new KeyspaceDeclaration(Keyspace, MergePolicy.Serial, []), cancellationToken).ConfigureAwait(false);
        for (int attempt = 1; attempt <= MaxAttempts + seeds.Count; attempt++)
        {
            var reads = new SerialReads();
            var effects = new Transaction();
            var numbers = new List<SerialNumber>();
            using (var snapshot = await store.OpenSnapshotAsync(cancellationToken).ConfigureAwait(false))
            {
                if (!store.Joined.IsCompletedSuccessfully)
                    return false;
                foreach (var seed in seeds)
                {
                    var record = Seeding.RecordKeyOf(seed);
                    snapshot.Observer = null;
                    if (await snapshot.GetAsync(Keyspace, record, cancellationToken).ConfigureAwait(false) is not null)
                        continue;
                    reads.Add(Keyspace, record, content: null);
                    effects.Put(Keyspace, record, DocumentContent.OfRaw(Encoding.UTF8.GetBytes(seed.Keyspace)));
                    // An entity that already has the key belongs to the application.
                    snapshot.Observer = reads;
                    if (await snapshot.GetAsync(seed.Keyspace, seed.Key, cancellationToken).ConfigureAwait(false) is null && !taken.Contains(record))
                    {
                        numbers.AddRange(seed.Numbers.Select(number => new SerialNumber(number.Sequence, number.Max, [NumberPlace.OfCell(effects.Count, number.Path)])));
                        effects.Put(seed.Keyspace, seed.Key, seed.Content.Cells);
                    }
                }
            }
            if (effects.Count == 0)
                return true;
            try
            {
                if (await TryCommitAsync(store, reads.ToTransaction(effects) with { UniqueIndexes = UniqueIndexes.Of(keyspaces), Numbers = numbers }, taken, cancellationToken).ConfigureAwait(false))
                    return true;
            }
            catch (Exception e) when (e is NotEnoughNodesException or OutcomeUnknownException or TimeoutException or StoreExcludedException)
            {
                return false;
            }
        }
        return false;
    }

    /// <summary>Commits the seeds. Returns false if they have to be prepared again.</summary>
    static async Task<bool> TryCommitAsync(ReplicatedStore store, SerialTransaction transaction, HashSet<DocumentKey> taken, CancellationToken cancellationToken)
    {
        try
        {
            await store.CommitSerialAsync(transaction, cancellationToken).ConfigureAwait(false);
            return true;
        }
        catch (SerialConflictException e) when (e.Refusal.Reason == RefusalReason.Unique)
        {
            // An entity that has the values of a unique index already belongs to the application, too. The record of the seed comes right before it.
            taken.Add(transaction.Effects.Operations[e.Refusal.Condition - 1].Key);
        }
        catch (SerialConflictException)
        {
            // Another node was first.
            await store.PassBarrierAsync(cancellationToken).ConfigureAwait(false);
        }
        return false;
    }
}
