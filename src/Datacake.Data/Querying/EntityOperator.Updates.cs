using Datacake.Data.Cells;
using Datacake.Data.CodeGeneration;
using Datacake.Data.Querying.Including;
using Datacake.Data.Querying.Related;
using Datacake.Data.Querying.Updates;
using Datacake.EventualConsistency;
using Datacake.Node;

namespace Datacake.Data.Querying;

// Updates and deletes in the store, without tracking.
sealed partial class EntityOperator<T>
{
    const int MaxAttempts = 100;

    public override Task<SaveResult> ExecuteAsync(
        Func<NavigationRoots, Action<object>>? update, Consistency? consistency, CancellationToken cancellationToken)
    {
        return ObserveAsync(this, (query, run, token) => query.ExecuteAsync(run, update, consistency, token), static result => result.Count, cancellationToken);
    }

    async Task<SaveResult> ExecuteAsync(QueryRun<T> run, Func<NavigationRoots, Action<object>>? update, Consistency? consistency, CancellationToken cancellationToken)
    {
        using var operation = source.Context.Concurrency.Enter();
        var store = await source.Context.GetStoreAsync(cancellationToken).ConfigureAwait(false);
        if (settings.Level is { } level)
            await store.CatchUpAsync(level, cancellationToken).ConfigureAwait(false);
        for (int attempt = 1; ; attempt++)
        {
            var (transaction, found) = await TransactionOfAsync(store, run, update, cancellationToken).ConfigureAwait(false);
            if (transaction.Count == 0)
                return new SaveResult(found, default, NodeSet.Of(source.Context.Node.Id)) { Written = 0 };
            try
            {
                var result = await store
                    .CommitAsync(transaction, consistency ?? source.Context.DefaultConsistency, cancellationToken).ConfigureAwait(false);
                return new SaveResult(found, result.Stamp, result.Acknowledged) { Written = transaction.Count };
            }
            catch (TransactionConflictException) when (attempt < MaxAttempts)
            {
                // An entity has changed since it was read: read again.
            }
        }
    }

    /// <summary>
    /// Returns the transaction to commit, which requires that the entities have not changed since they were read, and the number of
    /// entities found.
    /// </summary>
    async ValueTask<(Transaction Transaction, int Found)> TransactionOfAsync(
        ReplicatedStore store, QueryRun<T> run, Func<NavigationRoots, Action<object>>? update, CancellationToken cancellationToken)
    {
        var transaction = new Transaction();
        int found = 0;
        var errors = new List<ValidationError>();
        var writer = new CellWriter();
        using var snapshot = await store.OpenSnapshotAsync(cancellationToken).ConfigureAwait(false);
        var deleted = new List<StoredEntity>();
        await foreach (var rows in run.ReadAsync(snapshot, cancellationToken).ConfigureAwait(false))
        {
            var root = new RelatedNode(source.Model);
            var change = update?.Invoke(root);
            if (root.IsUsed)
                await root.LoadRelatedAsync(new RelatedSource(snapshot) { Filtering = Source.Filtering }, [.. rows.Select(static row => row.Entity)], cancellationToken).ConfigureAwait(false);
            foreach (var (key, document, entity, _) in rows)
            {
                found++;
                if (change is null)
                {
                    transaction.Delete(source.Name, key);
                    deleted.Add(new StoredEntity(source.Metadata, key, document, entity));
                }
                else
                {
                    var before = source.Model.Encode(entity, writer);
                    change(entity);
                    source.Model.Validate(entity, key, errors);
                    var after = source.Model.Encode(entity, writer);
                    if (source.Model.Relations.Count > 0)
                        source.Model.ValidateReferences(entity, key, after, before, errors);
                    var changes = after.ChangesFrom(before);
                    if (changes.IsEmpty)
                        continue;
                    transaction.Update(source.Name, key, changes.Cells, changes.Counters);
                }
                transaction.Require(source.Name, key, current => current is not null && current.Equals(document));
            }
        }
        await UntrackedDeletes.FollowAsync(transaction, snapshot, deleted, cancellationToken).ConfigureAwait(false);
        return errors.Count == 0 ? (transaction, found) : throw new EntityValidationException(errors);
    }
}
