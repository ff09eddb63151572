using Datacake.Crdt;
using Datacake.Data.Metadata;
using Datacake.EventualConsistency;
using Datacake.Node;

namespace Datacake.Data;

/// <summary>Makes one transaction of what a save writes, and commits it.</summary>
static class EntityTransaction
{
    /// <summary>Refuses entities that break the rules of their classes, with all that is wrong.</summary>
    /// <exception cref="EntityValidationException">Some do.</exception>
    public static void Validate(IReadOnlyList<PendingWrite> writes)
    {
        var errors = new List<ValidationError>();
        foreach (var write in writes)
        {
            if (write.Content is not { } content)
                continue;
            var (entry, entity) = (write.Entry, write.Entry.Entity);
            entry.Keyspace.Entity.Validate(entity, entry.Key, errors);
            // What was stored without it before may still be changed otherwise.
            entry.Keyspace.Entity.ValidateReferences(
                entity, entry.Key, part => entry.CurrentState == EntityState.Added || entry.Original is not { } original || !content.HasSame(part.StoredName, original), errors);
        }
        if (errors.Count > 0)
            throw new EntityValidationException(errors);
    }

    /// <summary>
    /// Looks up what is stored of entities that are said to be modified and were not read before, to find what of it is gone.
    /// </summary>
    /// <exception cref="DocumentNotFoundException">One is not stored.</exception>
    public static async Task<IReadOnlyList<PendingWrite>> CompleteAsync(
        ReplicatedStore store, IReadOnlyList<PendingWrite> writes, CancellationToken cancellationToken)
    {
        if (writes.All(write => write.Content is null || write.Changes is not null))
            return writes;
        using var snapshot = await store.OpenSnapshotAsync(cancellationToken).ConfigureAwait(false);
        var complete = new List<PendingWrite>(writes.Count);
        foreach (var write in writes)
        {
            if (write.Content is null || write.Changes is not null)
            {
                complete.Add(write);
                continue;
            }
            var (entry, content, _) = write;
            var stored = await snapshot.GetAsync(entry.Keyspace.Name, entry.Key, cancellationToken).ConfigureAwait(false)
                ?? throw new DocumentNotFoundException(entry.Keyspace.Name, entry.Key);
            complete.Add(write with { Changes = content!.AssertedOver(entry.ContentOf(stored)) });
        }
        return complete;
    }

    public static Transaction Of(IReadOnlyList<PendingWrite> writes)
    {
        var transaction = new Transaction();
        foreach (var (entry, _, changes) in writes)
        {
            if (entry.CurrentState == EntityState.Deleted)
                transaction.Delete(entry.Keyspace.Name, entry.Key);
            else if (entry.CurrentState == EntityState.Added)
                transaction.Put(entry.Keyspace.Name, entry.Key, changes!.Cells, changes.Counters);
            else
                transaction.Update(entry.Keyspace.Name, entry.Key, changes!.Cells, changes.Counters);
            Require(transaction, entry);
        }
        return transaction;
    }

    /// <exception cref="EntityConflictException">The local store has another value of a concurrency token than was read.</exception>
    public static async Task<CommitResult> CommitAsync(
        ReplicatedStore store, IReadOnlyList<PendingWrite> writes, Consistency consistency, CancellationToken cancellationToken)
    {
        try
        {
            return await store.CommitAsync(Of(writes), consistency, cancellationToken).ConfigureAwait(false);
        }
        catch (TransactionConflictException e)
        {
            throw new EntityConflictException(
                writes.First(write => write.Entry.Key == e.Key && write.Entry.Keyspace.Name == e.Keyspace).Entry, e);
        }
    }

    /// <summary>An added entity must not be there, unless it replaces another one; of all others, the concurrency tokens must be as they were.</summary>
    static void Require(Transaction transaction, EntityEntry entry)
    {
        bool isAdded = entry.CurrentState == EntityState.Added;
        if (isAdded && !entry.MayReplace && entry.Replaced is null)
        {
            transaction.Require(entry.Keyspace.Name, entry.Key, static document => document is null);
            return;
        }
        var known = isAdded ? entry.Replaced : entry;
        if (known is not null && entry.Keyspace.Entity.ConcurrencyTokens.Count > 0 && (known.Original ?? known.Given) is { } original)
            RequireTokens(transaction, known, original);
    }

    static void RequireTokens(Transaction transaction, EntityEntry entry, EntityContent original)
    {
        var entity = entry.Keyspace.Entity;
        // The store's writer calls this: it shares nothing with the context. One that is gone is left to the operation itself.
        var lacking = entry.Lacking;
        transaction.Require(entry.Keyspace.Name, entry.Key, document => document is null || HasTokens(entity, entry.Key, document, original, lacking));
    }

    static bool HasTokens(EntityModel entity, DocumentKey key, Document document, EntityContent original, IReadOnlyCollection<string> lacking)
    {
        // What was missing and still is has not changed, whatever its initializer gives.
        var missing = lacking.Count == 0 ? [] : entity.FindLacking(document);
        var stored = entity.Encode(entity.ReadEntity(key, document), new CellWriter());
        return entity.ConcurrencyTokens.All(token =>
            (lacking.Contains(token.StoredName) && missing.Contains(token.StoredName)) || stored.HasSame(token.StoredName, original));
    }
}
