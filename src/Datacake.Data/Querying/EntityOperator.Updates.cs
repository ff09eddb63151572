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
        if (settings.Level is { } asked)
            await store.CatchUpAsync(asked, cancellationToken).ConfigureAwait(false);
        if (source.Context.Reads is not null)
        {
            throw new InvalidOperationException(
                $"{(update is null ? "ExecuteDeleteAsync" : "ExecuteUpdateAsync")} commits by itself, and cannot be part of a serial unit of work. Nothing was written. "
                    + "Load the entities and change them in the work, or call it before or after the work.");
        }
        var level = consistency ?? source.Context.DefaultConsistency;
        bool isSerial = source.Model.IsSerial || level == Consistency.Serial;
        for (int attempt = 1; ; attempt++)
        {
            // The local store may not have yet what the last attempt failed for.
            if (isSerial)
                await store.PassBarrierAsync(cancellationToken).ConfigureAwait(false);
            var (writes, found) = await WritesOfAsync(store, run, update, cancellationToken).ConfigureAwait(false);
            if (writes.Count == 0)
                return new SaveResult(found, default, NodeSet.Of(source.Context.Node.Id)) { Written = 0 };
            bool isLast = attempt == MaxAttempts;
            if (await writes.TryCommitAsync(store, level, isLast, cancellationToken).ConfigureAwait(false) is { } result)
                return new SaveResult(found, result.Stamp, result.Acknowledged) { Written = writes.Count };
            isSerial |= writes.IsSerial;
        }
    }

    /// <summary>Returns the writes to commit, and the number of entities found.</summary>
    async ValueTask<(UntrackedWrites Writes, int Found)> WritesOfAsync(
        ReplicatedStore store, QueryRun<T> run, Func<NavigationRoots, Action<object>>? update, CancellationToken cancellationToken)
    {
        var writes = new UntrackedWrites(source.Context);
        int found = 0;
        var errors = new List<ValidationError>();
        var writer = new CellWriter();
        using var snapshot = await store.OpenSnapshotAsync(cancellationToken).ConfigureAwait(false);
        writes.Observe(snapshot);
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
                var stored = new StoredEntity(source.Metadata, key, document, entity);
                if (change is null)
                {
                    writes.Delete(stored);
                    deleted.Add(stored);
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
                    if (!changes.IsEmpty)
                        writes.Update(stored, changes, source.Model.Expiry is { } expiry && !after.HasSameValue(expiry.StoredName, before));
                }
            }
        }
        await UntrackedDeletes.FollowAsync(writes, snapshot, deleted, cancellationToken).ConfigureAwait(false);
        return errors.Count == 0 ? (writes, found) : throw new EntityValidationException(errors);
    }
}
