using System.Linq.Expressions;
using System.Runtime.CompilerServices;
using Datacake.Data.Metadata;
using Datacake.EventualConsistency;

namespace Datacake.Data.Querying;

/// <summary>A query for entities of one keyspace, which a plan answers.</summary>
sealed partial class EntityQuery<T>(Keyspace<T> source, QuerySpec<T> spec, QuerySettings settings) : OrderedQuery<T>
    where T : class
{
    internal override Query<T> With(Func<QuerySettings, QuerySettings> change)
    {
        var changed = change(settings);
        // Of what is read in parts, nothing is tracked.
        return new EntityQuery<T>(source, spec, spec.Components is null ? changed : changed with { IsTracking = false });
    }

    internal override CompiledExpressions Expressions => source.Model.Expressions;

    internal override QuerySource Source => new(source.Context, source.Model, settings);

    internal override IReadOnlyList<Ordering<T>> Orderings => spec.Orderings;

    internal override Query<T> WhereCore(Expression<Func<T, bool>> predicate)
    {
        UndeclaredNavigation.Refuse(source.Context, predicate);
        if (!spec.IsCut)
            return With(spec.Where(predicate, source.Model));
        return NavigationBinder.IsUsedIn(source.Model, predicate)
            ? Then($"where {predicate}", items => RelatedSteps.Where(items, Source, predicate))
            : base.WhereCore(predicate);
    }

    // A projection of properties needs no tracked entity, and no other properties.
    internal override Query<TResult> SelectCore<TResult>(Expression<Func<T, TResult>> selector)
    {
        UndeclaredNavigation.Refuse(source.Context, selector);
        bool isOfEntity = EntityUse.IsIn(selector);
        if (NavigationBinder.IsUsedIn(source.Model, selector))
            return new RelatedProjection<T, TResult>(isOfEntity ? this : new EntityQuery<T>(source, spec, settings with { IsTracking = false }), Source, selector);
        return isOfEntity
            ? base.SelectCore(selector)
            : new EntityQuery<T>(source, WithComponents([selector]), settings with { IsTracking = false }).Then(
                $"select {selector}", items => Batches.Select(items, Expressions.Compile(selector)));
    }

    internal override OrderedQuery<T> OrderByCore(IReadOnlyList<Ordering<T>> orderings)
    {
        foreach (var ordering in orderings)
            UndeclaredNavigation.Refuse(source.Context, ordering.KeySelector);
        // As in LINQ to Objects: what is equal stays in the order that it had.
        return spec.IsCut ? base.OrderByCore(orderings) : With(spec with { Orderings = [.. orderings, .. spec.Orderings] });
    }

    internal override OrderedQuery<T> ThenByCore(Ordering<T> ordering)
    {
        UndeclaredNavigation.Refuse(source.Context, ordering.KeySelector);
        return spec.IsCut
            ? throw new InvalidOperationException(
                "The query was cut off by Skip or Take and cannot be ordered further; call ThenBy before these.")
            : With(spec with { Orderings = [.. spec.Orderings, ordering] });
    }

    internal override Query<T> SkipCore(int count) => With(spec.SkipMore(count));

    internal override Query<T> TakeCore(int count) => With(spec.TakeLess(count));

    public override string Explain()
    {
        var run = NewRun();
        var parts = new List<string> { $"{source.Name}: {run.Path}" };
        if (run.Checked.Count + spec.RelatedPredicates.Count > 0)
            parts.Add($"check {string.Join(" and ", run.Checked.Concat(spec.RelatedPredicates).Select(predicate => CapturedVariables.Describe(predicate.Body)))}");
        if (spec.Orderings.Count > 0)
        {
            parts.Add(
                $"order by {string.Join(", ", spec.Orderings.Select(ordering => ordering.ToString()))}{(run.IsInOrder ? "" : " in memory")}");
        }
        if (spec.Skip > 0)
            parts.Add($"skip {spec.Skip}");
        if (spec.Take is not null)
            parts.Add($"take {spec.Take}");
        parts.AddRange(settings.Tags.Select(tag => $"tagged '{tag}'"));
        return string.Join("; ", parts);
    }

    internal override async IAsyncEnumerable<IReadOnlyList<T>> RunAsync([EnumeratorCancellation] CancellationToken cancellationToken)
    {
        var interception = await InterceptAsync(cancellationToken).ConfigureAwait(false);
        var run = NewRun();
        var batches = ExecuteAsync(run, cancellationToken).GetAsyncEnumerator(cancellationToken);
        long results = 0;
        Exception? failure = null;
        try
        {
            while (await MoveNextAsync().ConfigureAwait(false))
            {
                results += batches.Current.Count;
                yield return batches.Current;
            }
            WarnOfScan(run, results);
        }
        finally
        {
            await batches.DisposeAsync().ConfigureAwait(false);
            if (interception is not null)
                await interception.EndAsync(run.DocumentsRead, results, failure).ConfigureAwait(false);
        }

        // The context is busy while a batch is being fetched, and free while the caller handles it.
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

    // What most queries come to: without the steps between a stream of results and its reader.
    internal override Task<List<T>> ToListCore(CancellationToken cancellationToken) => ObserveAsync(
        NewRun,
        async (store, run) =>
        {
            using var snapshot = await store.OpenSnapshotAsync(cancellationToken).ConfigureAwait(false);
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
            return results ?? [];
        },
        static results => results.Count,
        cancellationToken);

    internal override async ValueTask<long> CountCoreAsync(CancellationToken cancellationToken) => await ObserveAsync(
        () => new QueryRun<T>(source.Metadata, source.Model, Filtered(WithComponents([]))),
        async (store, run) =>
        {
            using var snapshot = await store.OpenSnapshotAsync(cancellationToken).ConfigureAwait(false);
            return await run.CountAsync(snapshot, cancellationToken).ConfigureAwait(false);
        },
        static count => count,
        cancellationToken).ConfigureAwait(false);

    /// <summary>Runs the query as one operation of the context, of which interceptors are told.</summary>
    async Task<TResult> ObserveAsync<TResult>(
        Func<QueryRun<T>> newRun, Func<ReplicatedStore, QueryRun<T>, Task<TResult>> execute, Func<TResult, long> count, CancellationToken cancellationToken)
    {
        var interception = await InterceptAsync(cancellationToken).ConfigureAwait(false);
        QueryRun<T>? run = null;
        TResult result;
        long found;
        try
        {
            using var operation = source.Context.Concurrency.Enter();
            var store = await source.Context.GetStoreAsync(cancellationToken).ConfigureAwait(false);
            run = newRun();
            result = await execute(store, run).ConfigureAwait(false);
            found = count(result);
            WarnOfScan(run, found);
        }
        catch (Exception e) when (interception is not null)
        {
            await interception.EndAsync(run?.DocumentsRead ?? 0, 0, e).ConfigureAwait(false);
            throw;
        }
        if (interception is not null)
            await interception.EndAsync(run.DocumentsRead, found).ConfigureAwait(false);
        return result;
    }

    ValueTask<QueryInterception?> InterceptAsync(CancellationToken cancellationToken) =>
        QueryInterception.StartAsync(source.Context, source.Metadata, settings.Tags, Explain, cancellationToken);

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
            var first = new EntityQuery<T>(source, ordered, settings with { IsTracking = false });
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
            source.Model, uses.Concat(Filters).Concat(spec.Predicates).Concat(spec.RelatedPredicates).Concat(spec.Orderings.Select(ordering => ordering.KeySelector))),
    };

    internal QueryRun<T> NewRun() => new(source.Metadata, source.Model, Filtered(spec));

    EntityQuery<T> With(QuerySpec<T> other) => new(source, other, settings);

    /// <summary>Returns the query filters as the first conditions of what is asked for.</summary>
    QuerySpec<T> Filtered(QuerySpec<T> asked) => source.Context.QueryFilters.IsEmpty
        ? asked
        : asked with { Predicates = [.. Filters, .. asked.Predicates], Filtering = Source.Filtering };

    IEnumerable<Expression<Func<T, bool>>> Filters => Source.Filtering.Of<T>();

    async IAsyncEnumerable<IReadOnlyList<T>> ExecuteAsync(QueryRun<T> run, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        var store = await source.Context.GetStoreAsync(cancellationToken).ConfigureAwait(false);
        using var snapshot = await store.OpenSnapshotAsync(cancellationToken).ConfigureAwait(false);
        if (settings.IsTracking)
        {
            await foreach (var rows in run.ReadAsync(snapshot, cancellationToken).ConfigureAwait(false))
                yield return Track(rows);
        }
        else
        {
            await foreach (var entities in run.ReadEntitiesAsync(snapshot, cancellationToken).ConfigureAwait(false))
                yield return entities;
        }
    }

    T[] Track(List<QueryRow<T>> rows)
    {
        var results = new T[rows.Count];
        for (int i = 0; i < results.Length; i++)
        {
            var row = rows[i];
            results[i] = settings.Identities?.Take(source.Context.ChangeTracker, source.Metadata, row.Key, row.Entity)
                ?? source.Context.ChangeTracker.TrackRead(source.Metadata, row.Key, row.Document, row.Entity);
        }
        return results;
    }

    void WarnOfScan(QueryRun<T> run, long results) =>
        ScanWarning.Of(source.Context, source.Metadata, run.Path, run.Alternatives, run.Columns, settings.Tags, run.DocumentsRead, results);
}
