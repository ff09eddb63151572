using System.Runtime.ExceptionServices;
using Datacake.Data.Cells;
using Datacake.Data.CodeGeneration;
using Datacake.Data.Querying.Including;
using Datacake.Data.Querying.Related;
using Datacake.Data.Querying.Updates;
using Datacake.EventualConsistency;
using Datacake.EventualConsistency.Transactions;
using Datacake.Node;

namespace Datacake.Data.Querying;

// Updates and deletes in the store, without tracking.
sealed partial class EntityOperator<T>
{
    const int MaxAttempts = 100;

    /// <summary>The length at which a part of a change is committed, in bytes. Longer parts are not faster, and hold up other writers.</summary>
    const int PartLength = 1024 * 1024;

    /// <summary>The maximum number of keys that a part looks up.</summary>
    const int MaxPartKeys = 10_000;

    public override Task<SaveResult> ExecuteAsync(Func<NavigationRoots, Action<object>>? update, BulkOptions options, CancellationToken cancellationToken)
    {
        return ObserveAsync(this, (query, run, token) => query.ExecuteAsync(run, update, options, token), static result => result.Count, cancellationToken);
    }

    async Task<SaveResult> ExecuteAsync(QueryRun<T> run, Func<NavigationRoots, Action<object>>? update, BulkOptions options, CancellationToken cancellationToken)
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
        var level = options.Consistency ?? source.Context.DefaultConsistency;
        bool isSerial = source.Model.IsSerial || level == Consistency.Serial, allowsParts = !options.RequireAtomic && !isSerial && !spec.IsCut;
        if (options.After is not null)
        {
            return allowsParts ? await ExecuteInPartsAsync(store, update, level, options, cancellationToken).ConfigureAwait(false)
                : throw new ArgumentException($"Only a change in parts can continue {nameof(options.After)} a key, and this one requires one transaction.", nameof(options));
        }
        for (int attempt = 1; ; attempt++)
        {
            // The local store may not have yet what the last attempt failed for.
            if (isSerial)
                await store.PassBarrierAsync(cancellationToken).ConfigureAwait(false);
            var (writes, found, _, isWhole) = await WritesOfAsync(store, run, update, level, allowsParts ? TransactionCheck.MaxTransactionLength : long.MaxValue, cancellationToken).ConfigureAwait(false);
            if (!isWhole)
                return await ExecuteInPartsAsync(store, update, level, options, cancellationToken).ConfigureAwait(false);
            if (writes.Count == 0)
                return new SaveResult(found, default, NodeSet.Of(source.Context.Node.Id)) { Written = 0 };
            try
            {
                if (await writes.TryCommitAsync(store, level, attempt == MaxAttempts, cancellationToken).ConfigureAwait(false) is { } result)
                    return new SaveResult(found, result.Stamp, result.Acknowledged) { Written = writes.Count };
            }
            catch (TransactionLimitException e) when (allowsParts && e.Key is null)
            {
                return await ExecuteInPartsAsync(store, update, level, options, cancellationToken).ConfigureAwait(false);
            }
            isSerial |= writes.IsSerial;
        }
    }

    /// <summary>Changes the results in several transactions, in the order of their keys. Each reads its entities again, from a snapshot of its own, so that no snapshot is kept for long.</summary>
    async Task<SaveResult> ExecuteInPartsAsync(
        ReplicatedStore store, Func<NavigationRoots, Action<object>>? update, Consistency level, BulkOptions options, CancellationToken cancellationToken)
    {
        var rest = await CandidatesAsync(store, options.After, cancellationToken).ConfigureAwait(false);
        var total = new SaveResult(0, default, NodeSet.Of(source.Context.Node.Id)) { Written = 0, Parts = 0 };
        long limit = PartLength;
        for (int attempt = 1; !rest.IsEmpty;)
        {
            var part = rest.First(MaxPartKeys);
            var run = NewUnorderedRun();
            run.Fix(part.Path);
            var (writes, found, last, isWhole) = await WritesOfAsync(store, run, update, level, limit, cancellationToken).ConfigureAwait(false);
            ExceptionDispatchInfo? failure = null;
            try
            {
                if (writes.Count > 0)
                {
                    if (await writes.TryCommitAsync(store, level, attempt++ == MaxAttempts, cancellationToken).ConfigureAwait(false) is not { } result)
                    {
                        // The local store may not have yet what the attempt failed for.
                        if (writes.IsSerial)
                            await store.PassBarrierAsync(cancellationToken).ConfigureAwait(false);
                        continue;
                    }
                    total = total with { Stamp = result.Stamp, Acknowledged = result.Acknowledged, Parts = total.Parts + 1 };
                }
            }
            catch (Exception e) when (e is ConsistencyException or CommitCanceledException)
            {
                // The part is kept, so the change must not continue before it.
                failure = ExceptionDispatchInfo.Capture(e);
                total = total with { Parts = total.Parts + 1 };
            }
            catch (TransactionLimitException e) when (e.Key is null && found > 1)
            {
                // What is deleted along with the entities does not fit, either.
                limit = Math.Max(1, Math.Min(limit, writes.Length) / 2);
                continue;
            }
            attempt = 1;
            total = total with { Count = total.Count + found, Written = total.Written + writes.Count };
            var passed = isWhole ? part.Last ?? last : last;
            // Ranges of keys have no more entities if a part has all.
            rest = (isWhole && part.Last is null) || passed is not { } position ? Candidates.None : rest.After(position);
            if (passed is { } reached)
                options.Progress?.Report(new BulkProgress(total.Count, total.Written, total.Parts, reached));
            failure?.Throw();
        }
        return total with { Parts = Math.Max(total.Parts, 1) };
    }

    async Task<Candidates> CandidatesAsync(ReplicatedStore store, DocumentKey? after, CancellationToken cancellationToken)
    {
        using var snapshot = await store.OpenSnapshotAsync(cancellationToken).ConfigureAwait(false);
        var all = new Candidates(await NewUnorderedRun().FindCandidatesAsync(snapshot, cancellationToken).ConfigureAwait(false));
        return after is { } position ? all.After(position) : all;
    }

    QueryRun<T> NewUnorderedRun() => new(source.Metadata, source.Model, Filtered(spec with { Orderings = [], LastOrderings = 0, IsReversed = false }));

    /// <summary>Returns the writes to commit. If they reach a length, further entities are left out.</summary>
    async ValueTask<FoundWrites> WritesOfAsync(
        ReplicatedStore store, QueryRun<T> run, Func<NavigationRoots, Action<object>>? update, Consistency level, long maxLength, CancellationToken cancellationToken)
    {
        var writes = new UntrackedWrites(source.Context);
        int found = 0;
        var errors = new List<ValidationError>();
        var writer = new CellWriter();
        using var snapshot = await store.OpenSnapshotAsync(cancellationToken).ConfigureAwait(false);
        // A serial commit checks what was read. What is deleted along with the entities may be serial.
        if (source.Model.IsSerial || level == Consistency.Serial || source.Model.Relations.Count > 0)
            writes.Observe(snapshot);
        DocumentKey? last = null;
        bool isWhole = true;
        var deleted = new List<StoredEntity>();
        await foreach (var rows in run.ReadAsync(snapshot, cancellationToken).ConfigureAwait(false))
        {
            var root = new RelatedNode(source.Model);
            var change = update?.Invoke(root);
            if (root.IsUsed)
                await root.LoadRelatedAsync(new RelatedSource(snapshot) { Filtering = Source.Filtering }, [.. rows.Select(static row => row.Entity)], cancellationToken).ConfigureAwait(false);
            foreach (var (key, document, entity, _) in rows)
            {
                if (writes.Length >= maxLength)
                {
                    isWhole = false;
                    break;
                }
                found++;
                last = key;
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
            if (!isWhole)
                break;
        }
        await UntrackedDeletes.FollowAsync(writes, snapshot, deleted, cancellationToken).ConfigureAwait(false);
        return errors.Count == 0 ? new FoundWrites(writes, found, last, isWhole) : throw new EntityValidationException(errors);
    }
}
