using System.Security.Cryptography;
using System.Text;
using Datacake.Crdt;
using Datacake.Data.Metadata;
using Datacake.EventualConsistency;
using Datacake.Node;

namespace Datacake.Data;

/// <summary>
/// Adds the entities that a new cluster begins with, each once. That one was added is remembered in a keyspace of its own, so that neither a node that joins later nor a restart brings
/// back what the application has deleted.
/// </summary>
/// <remarks>
/// A store knows what the cluster has once it has joined, and not before. So two nodes that start for the first time and cannot reach one another both add an entity; it is the same, and the two
/// merge. Counters would add up, and are refused.
/// </remarks>
static class Seeding
{
    const int MaxAttempts = 100;

    /// <summary>The keyspace that remembers what was added.</summary>
    public const string Keyspace = "datacake.seeds";

    /// <summary>Adds what was not added yet; returns false if that has to wait, since the store has not joined its cluster or takes no writes.</summary>
    /// <exception cref="InvalidOperationException">An entity cannot be added.</exception>
    /// <exception cref="EntityValidationException">Entities break the rules of their classes.</exception>
    public static async Task<bool> SeedAsync(
        ReplicatedStore store, IReadOnlyList<KeyspaceModel> keyspaces, IReadOnlyList<(Type Type, Func<IEnumerable<object>> Entities)> seeds,
        CancellationToken cancellationToken)
    {
        if (seeds.Count == 0)
            return true;
        var entities = Prepare(keyspaces, seeds);
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
                // Another context, or what another node has sent, was first with one of them.
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
                        $"HasData of {model.Name} has an entity without a key: its {model.Key[0].Name} is {unset}. No key is generated for it, since each node would make another one. Set {model.Key[0].Name}.");
                }
                var key = model.KeyOf(entity);
                if (!known.Add((keyspace.Name, key)))
                    throw new InvalidOperationException($"HasData of {model.Name} has two entities with the key {key}. Give each a key of its own.");
                var content = model.Encode(entity, writer);
                if (content.Counters.Any(counter => counter.Amount != 0))
                {
                    throw new InvalidOperationException(
                        $"The {model.Name} {key} that HasData gives has a counter that is not 0, and would count twice where two nodes add it: leave it at 0, and add to it where what it counts happens.");
                }
                model.Validate(entity, key, errors);
                model.ValidateReferences(entity, key, content: null, original: null, errors);
                prepared.Add(new Seed(keyspace.Name, key, content));
            }
        }
        return errors.Count == 0 ? prepared : throw new EntityValidationException(errors);
    }

    static async Task AddAsync(Transaction transaction, StoreSnapshot snapshot, Seed seed, CancellationToken cancellationToken)
    {
        var mark = MarkOf(seed);
        if (await snapshot.GetAsync(Keyspace, mark, cancellationToken).ConfigureAwait(false) is not null)
            return;
        transaction.Put(Keyspace, mark, DocumentContent.OfRaw(Encoding.UTF8.GetBytes(seed.Keyspace)));
        transaction.Require(Keyspace, mark, static document => document is null);
        // What has the key already is the application's.
        if (await snapshot.GetAsync(seed.Keyspace, seed.Key, cancellationToken).ConfigureAwait(false) is not null)
            return;
        transaction.Put(seed.Keyspace, seed.Key, seed.Content.Cells, []);
        transaction.Require(seed.Keyspace, seed.Key, static document => document is null);
    }

    /// <summary>Returns the key under which it is remembered that an entity was added; of a fixed length, since its own may have the greatest.</summary>
    static DocumentKey MarkOf(Seed seed)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        hash.AppendData(Encoding.UTF8.GetBytes(seed.Keyspace));
        hash.AppendData([0]);
        hash.AppendData(seed.Key.Encoded.Span);
        return hash.GetHashAndReset();
    }

    sealed record Seed(string Keyspace, DocumentKey Key, EntityContent Content);
}
