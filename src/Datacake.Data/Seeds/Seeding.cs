using System.Security.Cryptography;
using System.Text;
using Datacake.Crdt;
using Datacake.Data.Cells;
using Datacake.Data.CodeGeneration;
using Datacake.Data.Saving;
using Datacake.EventualConsistency;
using Datacake.EventualConsistency.Snapshots;

namespace Datacake.Data.Seeds;

/// <summary>
/// The addition of the entities that a new cluster starts with, once each. A separate keyspace records which entities were added, so that
/// neither a restart nor a node that joins later brings back entities that the application has deleted.
/// </summary>
/// <remarks>
/// A store knows the data of its cluster only once it has joined. So two nodes that start for the first time and cannot reach each other
/// may both add an entity. The two entities are the same and merge. Counters would add up, so they must start at 0.
/// </remarks>
static class Seeding
{
    const int MaxAttempts = 100;

    /// <summary>The keyspace that records the added entities.</summary>
    public const string Keyspace = "datacake.seeds";

    /// <summary>
    /// Adds the entities that were not added yet. Returns false, without adding any, if the store has not joined its cluster or takes no
    /// writes; the caller tries later.
    /// </summary>
    /// <exception cref="InvalidOperationException">An entity cannot be added.</exception>
    /// <exception cref="EntityValidationException">Entities violate the rules of their classes.</exception>
    public static async Task<bool> SeedAsync(
        ReplicatedStore store, IReadOnlyList<KeyspaceModel> keyspaces, IReadOnlyList<(Type Type, Func<IEnumerable<object>> Entities)> seeds,
        CancellationToken cancellationToken)
    {
        if (seeds.Count == 0)
            return true;
        var all = Prepare(keyspaces, seeds);
        return await SeedMergingAsync(store, all.FindAll(static seed => !seed.IsSerial), cancellationToken).ConfigureAwait(false)
            && await SerialSeeding.SeedAsync(store, keyspaces, all.FindAll(static seed => seed.IsSerial), cancellationToken).ConfigureAwait(false);
    }

    static async Task<bool> SeedMergingAsync(ReplicatedStore store, List<Seed> entities, CancellationToken cancellationToken)
    {
        if (entities.Count == 0)
            return true;
        for (int attempt = 1; ; attempt++)
        {
            var transaction = new Transaction();
            using (var snapshot = await store.OpenSnapshotAsync(cancellationToken).ConfigureAwait(false))
            {
                if (!store.Joined.IsCompletedSuccessfully)
                    return false;
                foreach (var entity in entities)
                    await AddAsync(transaction, snapshot, entity, cancellationToken).ConfigureAwait(false);
            }
            if (transaction.Count == 0)
                return true;
            try
            {
                await store.CommitAsync(transaction, Consistency.None, cancellationToken).ConfigureAwait(false);
                return true;
            }
            catch (TransactionConflictException) when (attempt < MaxAttempts)
            {
                // Another context, or a write received from another node, was first to add one of the entities.
            }
            catch (StoreExcludedException)
            {
                return false;
            }
        }
    }

    static List<Seed> Prepare(IReadOnlyList<KeyspaceModel> keyspaces, IReadOnlyList<(Type Type, Func<IEnumerable<object>> Entities)> seeds)
    {
        var prepared = new List<Seed>();
        var known = new HashSet<(string, DocumentKey)>();
        var errors = new List<ValidationError>();
        var writer = new CellWriter();
        foreach (var (type, entities) in seeds)
        {
            var keyspace = keyspaces.First(candidate => candidate.Entity.Type == type || candidate.Entity.Has(type));
            foreach (object entity in entities())
            {
                var model = keyspace.Entity;
                if (model.UnsetKeyValue is { } unset && unset.Equals(model.Key[0].GetValue(entity)))
                {
                    throw new InvalidOperationException(
                        $"An entity in HasData of {model.Name} has no key: its {model.Key[0].Name} is {unset}. "
                            + $"{(model.IsKeyNumbered ? "The key of a seed is not numbered, because it tells whether the seed was added before" : "No key is generated, because each node would generate a different one")}. "
                            + $"Set {model.Key[0].Name}.");
                }
                var key = model.KeyOf(entity);
                if (!known.Add((keyspace.Name, key)))
                    throw new InvalidOperationException($"Two entities in HasData of {model.Name} have the key {key}. Give each entity its own key.");
                var content = model.Encode(entity, writer);
                if (content.Counters.Any(counter => counter.Amount != 0))
                {
                    throw new InvalidOperationException(
                        $"The {model.Name} {key} in HasData has a counter that is not 0. It would count twice if two nodes added the entity. "
                            + "Leave the counter at 0, and add to it once the entity is stored.");
                }
                model.Validate(entity, key, errors);
                model.ValidateReferences(entity, key, content: null, original: null, errors);
                prepared.Add(new Seed(keyspace.Name, key, content, model.IsSerial) { Numbers = NumbersOf(keyspace, content) });
            }
        }
        return errors.Count == 0 ? prepared : throw new EntityValidationException(errors);
    }

    /// <summary>Returns the numbers of an entity of a serial class whose numbered properties are 0.</summary>
    static IReadOnlyList<SeedNumber> NumbersOf(KeyspaceModel keyspace, EntityContent content) =>
    [
        .. keyspace.Entity.Properties
            .Where(property => property is { IsNumbered: true, Kind: not PropertyKind.Key } && SerialNumbers.IsZero(content.Cells, keyspace.Entity, property))
            .Select(property => new SeedNumber(SerialNumbers.NameOf(keyspace, property), SerialNumbers.MaxOf(property), SerialNumbers.PathOf(keyspace.Entity, property))),
    ];

    static async Task AddAsync(Transaction transaction, StoreSnapshot snapshot, Seed seed, CancellationToken cancellationToken)
    {
        var recordKey = RecordKeyOf(seed);
        if (await snapshot.GetAsync(Keyspace, recordKey, cancellationToken).ConfigureAwait(false) is not null)
            return;
        transaction.Put(Keyspace, recordKey, DocumentContent.OfRaw(Encoding.UTF8.GetBytes(seed.Keyspace)));
        transaction.Require(Keyspace, recordKey, static document => document is null);
        // An entity that already has the key belongs to the application.
        if (await snapshot.GetAsync(seed.Keyspace, seed.Key, cancellationToken).ConfigureAwait(false) is not null)
            return;
        transaction.Put(seed.Keyspace, seed.Key, seed.Content.Cells, []);
        transaction.Require(seed.Keyspace, seed.Key, static document => document is null);
    }

    /// <summary>
    /// Returns the key of the record that an entity was added. It has a fixed length, because the entity's own key may have the maximum
    /// length.
    /// </summary>
    internal static DocumentKey RecordKeyOf(Seed seed)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        hash.AppendData(Encoding.UTF8.GetBytes(seed.Keyspace));
        hash.AppendData([0]);
        hash.AppendData(seed.Key.Encoded.Span);
        return hash.GetHashAndReset();
    }
}
