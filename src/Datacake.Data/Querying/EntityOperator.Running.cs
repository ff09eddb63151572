using System.Linq.Expressions;
using System.Runtime.CompilerServices;
using Datacake.Data.Expressions;
using Datacake.Data.Querying.Planning;
using Datacake.EventualConsistency.Snapshots;

namespace Datacake.Data.Querying;

// Runs of the query.
sealed partial class EntityOperator<T>
{
    public override IAsyncEnumerable<IReadOnlyList<T>> RunAsync(CancellationToken cancellationToken) => NeedsSnapshot(spec.Inclusions.Count > 0)
        ? OnSnapshotAsync(query => query.RunAsync(cancellationToken), cancellationToken)
        : Include(RunAsync(Track, static entities => entities, cancellationToken), cancellationToken);

    // The path of most queries, without the asynchronous steps between a stream of results and its reader.
    public override Task<List<T>> ToListAsync(CancellationToken cancellationToken)
    {
        if (spec.Inclusions.Count > 0)
            return base.ToListAsync(cancellationToken);
        return source.Context.ObservesQueries
            ? ObserveAsync(this, static (query, run, token) => query.ReadAllAsync(run, token), static results => results.Count, cancellationToken)
            : ReadAllAsync(NewRun(), cancellationToken);
    }

    public override ValueTask<long> CountAsync(CancellationToken cancellationToken)
    {
        var counted = new EntityOperator<T>(source, WithComponents([]) with { IsUnordered = !spec.IsCut }, settings);
        return source.Context.ObservesQueries
            ? new(ObserveAsync(counted, static (query, run, token) => query.CountAllAsync(run, token), static count => count, cancellationToken))
            : new(counted.CountAllAsync(counted.NewRun(), cancellationToken));
    }

    async Task<List<T>> ReadAllAsync(QueryRun<T> run, CancellationToken cancellationToken)
    {
        using var operation = source.Context.Concurrency.Enter();
        using var own = await settings.OpenSnapshotAsync(source.Context, cancellationToken).ConfigureAwait(false);
        var snapshot = own ?? settings.Snapshot!;
        List<T>? results = null;
        if (settings.IsTracking)
        {
            await foreach (var rows in run.ReadAsync(snapshot, cancellationToken).ConfigureAwait(false))
                (results ??= new(rows.Count)).AddRange(Track(rows));
        }
        else
        {
            await foreach (var entities in run.ReadEntitiesAsync(snapshot, cancellationToken).ConfigureAwait(false))
            {
                if (results is null)
                    results = entities;
                else
                    results.AddRange(entities);
            }
        }
        results ??= [];
        WarnOfScan(run, results.Count);
        return results;
    }

    async Task<long> CountAllAsync(QueryRun<T> run, CancellationToken cancellationToken)
    {
        using var operation = source.Context.Concurrency.Enter();
        using var own = await settings.OpenSnapshotAsync(source.Context, cancellationToken).ConfigureAwait(false);
        long count = await run.CountAsync(own ?? settings.Snapshot!, cancellationToken).ConfigureAwait(false);
        WarnOfScan(run, count);
        return count;
    }

    /// <summary>
    /// Returns the first value of an index or of the keys if one of them has the values in order; otherwise compares all values.
    /// </summary>
    public override async Task<TResult?> ExtremeAsync<TResult>(
        Expression<Func<T, TResult>> selector, bool isGreatest, CancellationToken cancellationToken)
        where TResult : default
    {
        if (!spec.IsCut && PropertyPath.Of(selector.Body, selector.Parameters[0]) is { } path
            && !path.Contains('.')
            && source.Model.FindProperty(path) is { OrderedCodec: not null, Kind: PropertyKind.Key or PropertyKind.Value })
        {
            var ordered = spec with { Orderings = [new Ordering<T, TResult>(selector, isGreatest, Expressions)], Take = 1 };
            if (default(TResult) is null)
            {
                var isNotNull = Expression.NotEqual(selector.Body, Expression.Constant(null, typeof(TResult)));
                ordered = ordered.Where(Expression.Lambda<Func<T, bool>>(isNotNull, selector.Parameters));
            }
            var first = new EntityOperator<T>(source, ordered, settings with { IsTracking = false });
            if (first.NewRun() is { IsInOrder: true } && await first.Select(selector).ToListAsync(cancellationToken).ConfigureAwait(false) is [var found])
                return found;
        }
        return await base.ExtremeAsync(selector, isGreatest, cancellationToken).ConfigureAwait(false);
    }

    /// <summary>Runs the query and maps its results: rows if they are tracked, otherwise the entities alone.</summary>
    IAsyncEnumerable<IReadOnlyList<TResult>> RunAsync<TResult>(
        Func<List<QueryRow<T>>, IReadOnlyList<TResult>> ofRows, Func<List<T>, IReadOnlyList<TResult>> ofEntities, CancellationToken cancellationToken) =>
        RunAsync((run, snapshot) => ExecuteAsync(run, snapshot, ofRows, ofEntities, cancellationToken), static batch => batch.Count, cancellationToken);

    /// <summary>Runs the query.</summary>
    /// <param name="read">Reads the batches of the run's results.</param>
    /// <param name="countOf">Returns the number of results in a batch.</param>
    /// <param name="cancellationToken">Cancels the query.</param>
    async IAsyncEnumerable<IReadOnlyList<TResult>> RunAsync<TResult>(
        Func<QueryRun<T>, StoreSnapshot, IAsyncEnumerable<IReadOnlyList<TResult>>> read, Func<IReadOnlyList<TResult>, long> countOf,
        [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        var interception = await InterceptAsync(cancellationToken).ConfigureAwait(false);
        var run = NewRun();
        var batches = OnSnapshotAsync().GetAsyncEnumerator(cancellationToken);
        long results = 0;
        Exception? failure = null;
        try
        {
            while (await MoveNextAsync().ConfigureAwait(false))
            {
                results += countOf(batches.Current);
                yield return batches.Current;
            }
            WarnOfScan(run, results);
        }
        finally
        {
            await batches.DisposeAsync().ConfigureAwait(false);
            if (interception is not null)
                await interception.EndAsync(run.Path.Kind, run.DocumentsRead, results, () => Describe(run, results), failure).ConfigureAwait(false);
        }

        async IAsyncEnumerable<IReadOnlyList<TResult>> OnSnapshotAsync()
        {
            using var own = await settings.OpenSnapshotAsync(source.Context, cancellationToken).ConfigureAwait(false);
            await foreach (var batch in read(run, own ?? settings.Snapshot!).ConfigureAwait(false))
                yield return batch;
        }

        // The context is busy while a batch is fetched, and free while the caller processes it.
        async ValueTask<bool> MoveNextAsync()
        {
            using var operation = source.Context.Concurrency.Enter();
            try
            {
                return await batches.MoveNextAsync().ConfigureAwait(false);
            }
            catch (Exception e)
            {
                failure = e;
                throw;
            }
        }
    }

    async IAsyncEnumerable<IReadOnlyList<TResult>> ExecuteAsync<TResult>(
        QueryRun<T> run, StoreSnapshot snapshot, Func<List<QueryRow<T>>, IReadOnlyList<TResult>> ofRows, Func<List<T>, IReadOnlyList<TResult>> ofEntities,
        [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        if (settings.IsTracking)
        {
            await foreach (var rows in run.ReadAsync(snapshot, cancellationToken).ConfigureAwait(false))
                yield return ofRows(rows);
        }
        else
        {
            await foreach (var entities in run.ReadEntitiesAsync(snapshot, cancellationToken).ConfigureAwait(false))
                yield return ofEntities(entities);
        }
    }

    /// <summary>Runs a query and reports it.</summary>
    static async Task<TResult> ObserveAsync<TResult>(
        EntityOperator<T> query, Func<EntityOperator<T>, QueryRun<T>, CancellationToken, Task<TResult>> execute, Func<TResult, long> count, CancellationToken cancellationToken)
    {
        var interception = await query.InterceptAsync(cancellationToken).ConfigureAwait(false);
        QueryRun<T>? run = null;
        TResult result;
        try
        {
            run = query.NewRun();
            result = await execute(query, run, cancellationToken).ConfigureAwait(false);
        }
        catch (Exception e) when (interception is not null)
        {
            await interception.EndAsync(run?.Path.Kind ?? "", run?.DocumentsRead ?? 0, 0, run is null ? null : () => query.Describe(run, 0), e).ConfigureAwait(false);
            throw;
        }
        if (interception is not null)
        {
            long results = count(result);
            await interception.EndAsync(run.Path.Kind, run.DocumentsRead, results, () => query.Describe(run, results)).ConfigureAwait(false);
        }
        return result;
    }

    ValueTask<IQueryInterception?> InterceptAsync(CancellationToken cancellationToken) =>
        source.Context.ObservesQueries ? source.Context.InterceptAsync(source.Metadata, settings.Tags, ExplainEntities, cancellationToken) : default;

    T[] Track(List<QueryRow<T>> rows)
    {
        // A caller that asks for a level wants the values that the level guarantees.
        if (settings.Level is not null)
        {
            foreach (var row in rows)
                source.Context.Tracker.RefreshUnchanged(source.Metadata, row.Key, row.Document);
        }
        return settings.Identities is { } identities
            ? [.. rows.Select(row => identities.Take(source.Context.Tracker, source.Metadata, row.Key, row.Entity))]
            : source.Context.Tracker.TrackRead(source.Metadata, rows);
    }

    void WarnOfScan(QueryRun<T> run, long results) =>
        ScanWarning.Of(source.Context, source.Metadata, run.Path, run.Alternatives, run.Columns, spec.RelatedPredicates.Count > 0, settings.Tags, run.DocumentsRead, results);
}
