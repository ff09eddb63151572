using Datacake.Crdt;
using Datacake.Data.Cells;
using Datacake.Data.Serial;
using Datacake.EventualConsistency;
using Datacake.EventualConsistency.Sequencing;
using Datacake.EventualConsistency.Snapshots;
using Datacake.EventualConsistency.Transactions;

namespace Datacake.Data.Querying.Updates;

/// <summary>
/// The writes to entities that a query found and does not track. They are committed only if the entities are still as they were read, and, if one of them is
/// serial, only if the query would find the same ones.
/// </summary>
/// <param name="context">The context of the query.</param>
sealed class UntrackedWrites(IQueryContext context)
{
    readonly List<(StoredEntity Entity, EntityContent? Changes, bool IsRenewal)> _writes = [];
    readonly SerialReads _reads = new();

    /// <summary>Gets the length that the transaction will have at least, in bytes.</summary>
    public long Length { get; private set; }

    /// <summary>Gets the number of entities to write.</summary>
    public int Count => _writes.Count;

    /// <summary>True if one of the entities is serial, so that all are written serially.</summary>
    public bool IsSerial => _writes.Exists(static write => IsOfSerialClass(write.Entity));

    /// <summary>Observes what is read from a snapshot.</summary>
    public void Observe(StoreSnapshot snapshot) => snapshot.Observer = _reads;

    public void Delete(StoredEntity entity) => Add(entity, null, isRenewal: false);

    /// <summary>Adds the update of an entity.</summary>
    /// <param name="entity">The entity, with its new values.</param>
    /// <param name="changes">What changes in the store.</param>
    /// <param name="isRenewal">True if the entity expires at another instant from now on.</param>
    public void Update(StoredEntity entity, EntityContent changes, bool isRenewal = false) => Add(entity, changes, isRenewal);

    /// <summary>Commits the writes.</summary>
    /// <param name="store">The store.</param>
    /// <param name="consistency">The level, which is always that of serial writes if one of the entities is serial.</param>
    /// <param name="isLast">True to throw if an entity has changed.</param>
    /// <param name="cancellationToken">Cancels the commit.</param>
    /// <exception cref="BoundExceededException">A counter would pass its bound.</exception>
    /// <exception cref="UniqueConstraintException">Another entity has the values of an entity in a unique index.</exception>
    /// <returns>The result; null if an entity has changed since it was read, so that nothing was written.</returns>
    public async Task<CommitResult?> TryCommitAsync(ReplicatedStore store, Consistency consistency, bool isLast, CancellationToken cancellationToken)
    {
        try
        {
            return IsSerial || consistency == Consistency.Serial
                ? await CommitSerialAsync(store, cancellationToken).ConfigureAwait(false)
                : await store.CommitAsync(Requiring(Effects(isSerial: false, store.Now)), consistency, cancellationToken).ConfigureAwait(false);
        }
        catch (SerialConflictException e) when (e.Refusal.Reason == RefusalReason.Unique)
        {
            var (keyspace, key, _, entity) = _writes[e.Refusal.Condition].Entity;
            throw context.ConflictOf(keyspace, key, entity, e);
        }
        catch (CounterBoundException e)
        {
            var (keyspace, key, _, entity) = _writes.Find(write => write.Entity.Keyspace.Name == e.Keyspace && write.Entity.Key == e.Key).Entity;
            throw context.BoundOf(keyspace, key, entity, e);
        }
        catch (TransactionConflictException) when (!isLast)
        {
            return null;
        }
        catch (SerialConflictException e)
        {
            return e.Refusal.Reason is RefusalReason.Document or RefusalReason.Range && !isLast ? null : throw ConflictOf(e);
        }
    }

    void Add(StoredEntity entity, EntityContent? changes, bool isRenewal)
    {
        _writes.Add((entity, changes, isRenewal));
        Length += TransactionCheck.LengthOf(entity.Keyspace.Name, entity.Key, changes?.Cells.Length ?? 0);
    }

    /// <summary>Returns the exception for a refusal that a further attempt would not avoid.</summary>
    static Exception ConflictOf(SerialConflictException refused) => refused.Refusal.Reason switch
    {
        RefusalReason.Document => new TransactionConflictException(refused.Keyspace, refused.Transaction.Conditions[refused.Condition].Key),
        RefusalReason.Range => new InvalidOperationException(
            $"Other writers kept changing what the query searches in the keyspace '{refused.Keyspace}'. Nothing was written. Retry, or search fewer entities, such as by an index.", refused),
        RefusalReason.TooMuch => new InvalidOperationException(
            $"The query searches more of the keyspace '{refused.Keyspace}' than can be checked. Nothing was written. Search fewer entities, such as by an index, or use Take, and repeat.", refused),
        _ => new InvalidOperationException(refused.Message, refused),
    };

    async Task<CommitResult> CommitSerialAsync(ReplicatedStore store, CancellationToken cancellationToken)
    {
        var unknown = new UnknownIndexes();
        bool checksRanges = true;
        while (true)
        {
            try
            {
                var transaction = await _reads.ToTransactionAsync(store, Effects(isSerial: true, store.Now), Written, unknown, checksRanges, cancellationToken).ConfigureAwait(false);
                return await store.CommitSerialAsync(transaction, cancellationToken).ConfigureAwait(false);
            }
            catch (SerialConflictException e) when (unknown.Add(e))
            {
                // The sequencer cannot search the index. It checks all entities instead.
            }
            catch (SerialConflictException e) when (e.Refusal.Reason == RefusalReason.TooMuch && checksRanges)
            {
                // The entities are too large to be searched by the sequencer. It checks those that were found.
                checksRanges = false;
            }
        }
    }

    IEnumerable<KeyspaceModel> Written => _writes.Where(static write => write.Changes is not null).Select(static write => write.Entity.Keyspace);

    static bool IsOfSerialClass(StoredEntity entity) => entity.Keyspace.Entity.IsSerial;

    Transaction Effects(bool isSerial, DateTimeOffset now)
    {
        var effects = new Transaction();
        foreach (var (entity, changes, isRenewal) in _writes)
        {
            if (changes is not null && isSerial)
                SerialCounters.Check(entity.Keyspace.Entity, entity.Key, changes.Counters, isPut: false);
            if (changes is null)
                effects.Delete(entity.Keyspace.Name, entity.Key);
            else if (IsOfSerialClass(entity))
                effects.Put(entity.Keyspace.Name, entity.Key, StoredContent.Of(entity.Document).With(changes.Cells));
            else if (isRenewal)
                effects.Renew(entity.Keyspace.Name, entity.Key, changes.Cells, entity.Keyspace.Entity.ExpiryOf(entity.Entity, now), changes.Counters);
            else
                effects.Update(entity.Keyspace.Name, entity.Key, changes.Cells, changes.Counters);
        }
        return effects;
    }

    Transaction Requiring(Transaction transaction)
    {
        foreach (var (entity, _, _) in _writes)
            transaction.Require(entity.Keyspace.Name, entity.Key, current => current is not null && current.Equals(entity.Document));
        return transaction;
    }
}
