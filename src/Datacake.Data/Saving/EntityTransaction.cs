using Datacake.Crdt;
using Datacake.Data.Cells;
using Datacake.Data.ChangeTracking;
using Datacake.Data.CodeGeneration;
using Datacake.EventualConsistency;

namespace Datacake.Data.Saving;

/// <summary>The transaction of a save: its validation, its content and its commit.</summary>
static class EntityTransaction
{
    /// <summary>Checks that entities obey the rules of their classes. The exception lists all errors.</summary>
    /// <exception cref="EntityValidationException">Entities violate the rules of their classes.</exception>
    public static void Validate(IReadOnlyList<PendingWrite> writes)
    {
        var errors = new List<ValidationError>();
        foreach (var write in writes)
        {
            if (write.Content is null)
                continue;
            var (entry, model) = (write.Entry, write.Entry.Keyspace.Entity);
            model.Validate(entry.Entity, entry.Key, errors);
            // An entity that was stored without a required reference may still be changed in other ways.
            if (model.Relations.Count > 0)
                model.ValidateReferences(entry.Entity, entry.Key, write.Content, entry.CurrentState == EntityState.Added ? null : entry.Original, errors, relation => entry.Tracker.FindUnnumbered(relation, entry.Entity) is not null);
        }
        if (errors.Count > 0)
            throw new EntityValidationException(errors);
    }

    /// <summary>
    /// Reads the stored content of entities that were marked as modified without having been read, to find what they no longer have. A serial save does so itself.
    /// </summary>
    /// <exception cref="EntityConflictException">An entity is not stored.</exception>
    public static async Task<IReadOnlyList<PendingWrite>> CompleteAsync(
        ReplicatedStore store, IReadOnlyList<PendingWrite> writes, CancellationToken cancellationToken)
    {
        if (writes.All(IsComplete))
            return writes;
        using var snapshot = await store.OpenSnapshotAsync(cancellationToken).ConfigureAwait(false);
        var complete = new List<PendingWrite>(writes.Count);
        foreach (var write in writes)
        {
            if (IsComplete(write))
            {
                complete.Add(write);
                continue;
            }
            var (entry, content, _) = write;
            var stored = await snapshot.GetAsync(entry.Keyspace.Name, entry.Key, cancellationToken).ConfigureAwait(false)
                ?? throw new EntityConflictException(entry, isGone: true, new DocumentNotFoundException(entry.Keyspace.Name, entry.Key));
            complete.Add(write with { Changes = content!.AssertedOver(entry.ContentOf(stored)) });
        }
        return complete;
    }

    public static Transaction Of(IReadOnlyList<PendingWrite> writes, DateTimeOffset now)
    {
        var transaction = new Transaction();
        foreach (var (entry, content, changes) in writes)
        {
            if (entry.CurrentState == EntityState.Deleted)
                transaction.Delete(entry.Keyspace.Name, entry.Key);
            else if (entry.CurrentState == EntityState.Added && entry.Keyspace.Entity.ExpiryOf(entry.Entity, now) is { } expires)
                transaction.PutExpiring(entry.Keyspace.Name, SerialNumbers.KeyOf(entry), changes!.Cells, expires, changes.Counters);
            else if (entry.CurrentState == EntityState.Added)
                transaction.Put(entry.Keyspace.Name, SerialNumbers.KeyOf(entry), changes!.Cells, changes.Counters);
            else if (HasOtherExpiry(entry, content!))
                transaction.Renew(entry.Keyspace.Name, entry.Key, changes!.Cells, entry.Keyspace.Entity.ExpiryOf(entry.Entity, now), changes.Counters);
            else
                transaction.Update(entry.Keyspace.Name, entry.Key, changes!.Cells, changes.Counters);
            Require(transaction, entry);
        }
        return transaction;
    }

    /// <exception cref="EntityConflictException">
    /// The local store has a different value of a concurrency token than was read, or an entity was deleted or already exists.
    /// </exception>
    /// <exception cref="BoundExceededException">A counter would pass its bound.</exception>
    /// <exception cref="SaveLimitException">An entity, or the save as a whole, is too large.</exception>
    public static async Task<CommitResult> CommitAsync(
        ReplicatedStore store, IReadOnlyList<PendingWrite> writes, Consistency consistency, CancellationToken cancellationToken)
    {
        try
        {
            return await store.CommitAsync(Of(writes, store.Now), consistency, cancellationToken).ConfigureAwait(false);
        }
        catch (TransactionConflictException e)
        {
            var entry = EntryOf(writes, e.Keyspace, e.Key);
            bool isGone = entry.CurrentState != EntityState.Added && await IsGoneAsync(store, entry, cancellationToken).ConfigureAwait(false);
            throw new EntityConflictException(entry, isGone, e);
        }
        catch (DocumentNotFoundException e)
        {
            throw new EntityConflictException(EntryOf(writes, e.Keyspace, e.Key), isGone: true, e);
        }
        catch (CounterBoundException e)
        {
            throw new BoundExceededException(EntryOf(writes, e.Keyspace, e.Key), e);
        }
        catch (TransactionLimitException e)
        {
            throw LimitOf(writes, e);
        }
    }

    public static SaveLimitException LimitOf(IReadOnlyList<PendingWrite> writes, TransactionLimitException e) =>
        new(writes.Count, e.Keyspace is { } keyspace && e.Key is { } key ? TooLarge(writes, keyspace, key) : null, e);

    /// <summary>Returns the entity with a key that is too large. Of several that get their key when they are saved, it is the largest one.</summary>
    static EntityEntry TooLarge(IReadOnlyList<PendingWrite> writes, string keyspace, DocumentKey key) => writes
        .Where(write => write.Entry.Keyspace.Name == keyspace && SerialNumbers.KeyOf(write.Entry) == key).MaxBy(static write => write.Content?.Cells.Length ?? 0).Entry;

    static bool HasOtherExpiry(EntityEntry entry, EntityContent content) =>
        entry.Keyspace.Entity.Expiry is { } expiry && (entry.Original is not { } original || !content.HasSameValue(expiry.StoredName, original));

    static bool IsComplete(PendingWrite write) => write.Content is null || write.Changes is not null || write.Entry.Keyspace.Entity.IsSerial;

    static EntityEntry EntryOf(IReadOnlyList<PendingWrite> writes, string keyspace, DocumentKey key) =>
        writes.First(write => write.Entry.Key == key && write.Entry.Keyspace.Name == keyspace).Entry;

    static async Task<bool> IsGoneAsync(ReplicatedStore store, EntityEntry entry, CancellationToken cancellationToken)
    {
        using var snapshot = await store.OpenSnapshotAsync(cancellationToken).ConfigureAwait(false);
        return await snapshot.GetAsync(entry.Keyspace.Name, entry.Key, cancellationToken).ConfigureAwait(false) is null;
    }

    /// <summary>
    /// Adds the requirements of an entity to a transaction. An added entity must not exist, unless it replaces another one. For all other
    /// entities, the concurrency tokens must be unchanged.
    /// </summary>
    static void Require(Transaction transaction, EntityEntry entry)
    {
        bool isAdded = entry.CurrentState == EntityState.Added;
        // The sequencer assigns no number with which the key would be stored already.
        if (isAdded && entry.Tracker.AwaitsKey(entry))
            return;
        if (isAdded && !entry.MayReplace && entry.Replaced is null)
        {
            transaction.Require(entry.Keyspace.Name, entry.Key, static document => document is null);
            return;
        }
        var known = isAdded ? entry.Replaced : entry;
        if (known is not null && entry.Keyspace.Entity.ConcurrencyTokens.Count > 0 && (known.Original ?? known.AssumedOriginal) is { } original)
            RequireTokens(transaction, known, original);
    }

    static void RequireTokens(Transaction transaction, EntityEntry entry, EntityContent original)
    {
        var entity = entry.Keyspace.Entity;
        // The store's writer calls this, so it shares nothing with the context. An update of an entity that is gone is rejected anyway.
        var (key, lacking, mayBeGone) = (entry.Key, entry.Lacking, entry.CurrentState == EntityState.Modified);
        transaction.Require(entry.Keyspace.Name, key, document => document is null ? mayBeGone : HasTokens(entity, key, document, original, lacking));
    }

    /// <summary>Returns true if a stored entity has the values that the user assumes it to have.</summary>
    public static bool HasContent(EntityEntry entry, Document document, EntityContent assumed)
    {
        var entity = entry.Keyspace.Entity;
        var missing = entity.FindLacking(document);
        var stored = entry.ContentOf(document);
        return entity.Properties.All(property => missing.Contains(property.StoredName) || stored.HasSameValue(property.StoredName, assumed));
    }

    public static bool HasTokens(EntityModel entity, DocumentKey key, Document document, EntityContent original, IReadOnlyCollection<string> lacking)
    {
        // A property that was missing and still is has not changed, whatever value its initializer gives.
        var missing = lacking.Count == 0 ? [] : entity.FindLacking(document);
        var stored = entity.Encode(entity.ReadEntity(key, document), new CellWriter());
        return entity.ConcurrencyTokens.All(token =>
            (lacking.Contains(token.StoredName) && missing.Contains(token.StoredName)) || stored.HasSameValue(token.StoredName, original));
    }
}
