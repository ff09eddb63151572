using System.Linq.Expressions;
using System.Runtime.CompilerServices;
using Datacake.Data.Metadata;

namespace Datacake.Data.Querying;

/// <summary>A query for entities of one keyspace, which a plan answers.</summary>
sealed partial class EntityQuery<T>(Keyspace<T> source, QuerySpec<T> spec, bool isTracking = true, RunIdentities? identities = null) : OrderedQuery<T>
    where T : class
{
    public override Query<T> AsNoTracking() => new EntityQuery<T>(source, spec, isTracking: false);

    internal override Query<T> Resolving(RunIdentities run) => isTracking ? new EntityQuery<T>(source, spec, isTracking, run) : this;

    internal override CompiledExpressions Expressions => source.Model.Expressions;

    internal override QuerySource Source => new(source.Context, source.Model, isTracking, identities);

    internal override IReadOnlyList<Ordering<T>> Orderings => spec.Orderings;

    internal override Query<T> WhereCore(Expression<Func<T, bool>> predicate) =>
        spec.IsCut ? base.WhereCore(predicate) : With(spec.Where(predicate));

    // A projection of properties needs no tracked entity, and no other properties.
    internal override Query<TResult> SelectCore<TResult>(Expression<Func<T, TResult>> selector) => EntityUse.IsIn(selector)
        ? base.SelectCore(selector)
        : new EntityQuery<T>(source, WithComponents([selector]), isTracking: false).Then(
            $"select {selector}", items => Batches.Select(items, Expressions.Compile(selector)));

    internal override OrderedQuery<T> OrderByCore(IReadOnlyList<Ordering<T>> orderings) =>
        // As in LINQ to Objects: what is equal stays in the order that it had.
        spec.IsCut ? base.OrderByCore(orderings) : With(spec with { Orderings = [.. orderings, .. spec.Orderings] });

    internal override OrderedQuery<T> ThenByCore(Ordering<T> ordering) => spec.IsCut
        ? throw new InvalidOperationException(
            "The query was cut off by Skip or Take and cannot be ordered further; call ThenBy before these.")
        : With(spec with { Orderings = [.. spec.Orderings, ordering] });

    internal override Query<T> SkipCore(int count) => With(spec.SkipMore(count));

    internal override Query<T> TakeCore(int count) => With(spec.TakeLess(count));

    public override string Explain()
    {
        var run = NewRun();
        var parts = new List<string> { $"{source.Name}: {run.Path}" };
        if (run.Checked.Count > 0)
            parts.Add($"check {string.Join(" and ", run.Checked.Select(predicate => CapturedVariables.Describe(predicate.Body)))}");
        if (spec.Orderings.Count > 0)
        {
            parts.Add(
                $"order by {string.Join(", ", spec.Orderings.Select(ordering => ordering.ToString()))}{(run.IsInOrder ? "" : " in memory")}");
        }
        if (spec.Skip > 0)
            parts.Add($"skip {spec.Skip}");
        if (spec.Take is not null)
            parts.Add($"take {spec.Take}");
        return string.Join("; ", parts);
    }

    internal override async IAsyncEnumerable<IReadOnlyList<T>> RunAsync([EnumeratorCancellation] CancellationToken cancellationToken)
    {
        var batches = ExecuteAsync(cancellationToken).GetAsyncEnumerator(cancellationToken);
        await using (batches.ConfigureAwait(false))
        {
            while (await MoveNextAsync(batches).ConfigureAwait(false))
                yield return batches.Current;
        }
    }

    // What most queries come to: without the steps between a stream of results and its reader.
    internal override async Task<List<T>> ToListCore(CancellationToken cancellationToken)
    {
        using var operation = source.Context.Concurrency.Enter();
        var store = await source.Context.GetStoreAsync(cancellationToken).ConfigureAwait(false);
        using var snapshot = await store.OpenSnapshotAsync(cancellationToken).ConfigureAwait(false);
        var run = NewRun();
        List<T>? results = null;
        if (isTracking)
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

    internal override async ValueTask<long> CountCoreAsync(CancellationToken cancellationToken)
    {
        using var operation = source.Context.Concurrency.Enter();
        var store = await source.Context.GetStoreAsync(cancellationToken).ConfigureAwait(false);
        using var snapshot = await store.OpenSnapshotAsync(cancellationToken).ConfigureAwait(false);
        var run = new QueryRun<T>(source.Metadata, source.Model, WithComponents([]));
        long count = await run.CountAsync(snapshot, cancellationToken).ConfigureAwait(false);
        WarnOfScan(run, count);
        return count;
    }

    /// <summary>The first value of an index or of the keys, if one has the values in order.</summary>
    internal override async Task<TResult?> ExtremeCore<TResult>(
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
            var first = new EntityQuery<T>(source, ordered, isTracking: false);
            if (first.NewRun() is { IsInOrder: true } && await first.Select(selector).ToListAsync(cancellationToken).ConfigureAwait(false) is [var found])
                return found;
        }
        return await base.ExtremeCore(selector, isGreatest, cancellationToken).ConfigureAwait(false);
    }

    /// <summary>The same, of which only what the query itself and some expressions use is read.</summary>
    QuerySpec<T> WithComponents(IEnumerable<LambdaExpression> uses) => spec with
    {
        // Which entities can be read must not depend on what is asked of them.
        Components = spec.SkipsUnreadable ? null : ComponentUse.Of(
            source.Model, uses.Concat(spec.Predicates).Concat(spec.Orderings.Select(ordering => ordering.KeySelector))),
    };

    internal QueryRun<T> NewRun() => new(source.Metadata, source.Model, spec);

    EntityQuery<T> With(QuerySpec<T> other) => new(source, other, isTracking, identities);

    /// <summary>The context is busy while a batch is being fetched, and free while the caller handles it.</summary>
    async ValueTask<bool> MoveNextAsync(IAsyncEnumerator<IReadOnlyList<T>> batches)
    {
        using var operation = source.Context.Concurrency.Enter();
        return await batches.MoveNextAsync().ConfigureAwait(false);
    }

    async IAsyncEnumerable<IReadOnlyList<T>> ExecuteAsync([EnumeratorCancellation] CancellationToken cancellationToken)
    {
        var store = await source.Context.GetStoreAsync(cancellationToken).ConfigureAwait(false);
        using var snapshot = await store.OpenSnapshotAsync(cancellationToken).ConfigureAwait(false);
        var run = NewRun();
        long count = 0;
        if (isTracking)
        {
            await foreach (var rows in run.ReadAsync(snapshot, cancellationToken).ConfigureAwait(false))
            {
                count += rows.Count;
                yield return Track(rows);
            }
        }
        else
        {
            await foreach (var entities in run.ReadEntitiesAsync(snapshot, cancellationToken).ConfigureAwait(false))
            {
                count += entities.Count;
                yield return entities;
            }
        }
        WarnOfScan(run, count);
    }

    T[] Track(List<QueryRow<T>> rows)
    {
        var results = new T[rows.Count];
        for (int i = 0; i < results.Length; i++)
        {
            var row = rows[i];
            results[i] = identities?.Take(source.Context.ChangeTracker, source.Metadata, row.Key, row.Entity)
                ?? source.Context.ChangeTracker.TrackRead(source.Metadata, row.Key, row.Document, row.Entity);
        }
        return results;
    }

    void WarnOfScan(QueryRun<T> run, long results) =>
        ScanWarning.Of(source.Context, source.Metadata, run.Path, run.Alternatives, run.Columns, run.DocumentsRead, results);
}
