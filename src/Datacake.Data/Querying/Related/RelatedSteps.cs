using System.Linq.Expressions;
using System.Runtime.CompilerServices;
using Datacake.Data.Querying.Including;

namespace Datacake.Data.Querying.Related;

/// <summary>The operators over batches of results whose expressions use navigations.</summary>
static class RelatedSteps
{
    public static async Task LoadAsync(RelatedNode root, QuerySource source, IReadOnlyList<object> entities, CancellationToken cancellationToken)
    {
        using var operation = source.Context.Concurrency.Enter();
        using var own = await source.Settings.OpenSnapshotAsync(source.Context, cancellationToken).ConfigureAwait(false);
        await root.LoadRelatedAsync(RelatedSource.Of(source, own ?? source.Settings.Snapshot!), entities, cancellationToken).ConfigureAwait(false);
    }

    /// <summary>Compiles an expression over the items of a batch, and loads the related entities that it uses.</summary>
    public static async ValueTask<Func<T, TResult>> BindAsync<T, TResult>(
        Expression<Func<T, TResult>> selector, QuerySource source, IReadOnlyList<T> batch, CancellationToken cancellationToken)
    {
        if (!NavigationBinder.IsUsedIn(source.Context.Model, selector))
            return source.Model.Expressions.Compile(selector);
        var places = new ItemEntityPositions(source.Context.Model);
        var bound = source.Model.Expressions.Compile(NavigationBinder.BindValue(places, selector));
        // Related entities that are results themselves are the instances that the context tracks.
        await places.LoadAsync(source.Context.Model.IsEntity(typeof(TResult)) ? source : Untracked(source), batch, cancellationToken).ConfigureAwait(false);
        return bound;
    }

    /// <summary>Adds keys to items.</summary>
    public static async IAsyncEnumerable<IReadOnlyList<(TKey Key, T Item)>> Key<T, TKey>(
        IAsyncEnumerable<IReadOnlyList<T>> items, QuerySource source, Expression<Func<T, TKey>> key, [EnumeratorCancellation] CancellationToken cancellationToken = default)
    {
        await foreach (var batch in items.WithCancellation(cancellationToken).ConfigureAwait(false))
        {
            var keyOf = await BindAsync(key, source, batch, cancellationToken).ConfigureAwait(false);
            yield return [.. batch.Select(item => (keyOf(item), item))];
        }
    }

    public static async IAsyncEnumerable<IReadOnlyList<T>> Where<T>(
        IAsyncEnumerable<IReadOnlyList<T>> items, QuerySource source, Expression<Func<T, bool>> predicate, [EnumeratorCancellation] CancellationToken cancellationToken = default)
    {
        await foreach (var batch in items.WithCancellation(cancellationToken).ConfigureAwait(false))
        {
            var places = new ItemEntityPositions(source.Context.Model);
            var isTrue = source.Model.Expressions.Compile(NavigationBinder.BindCondition(places, predicate));
            await places.LoadAsync(Untracked(source), batch, cancellationToken).ConfigureAwait(false);
            List<T> matches = [.. batch.Where(isTrue)];
            if (matches.Count > 0)
                yield return matches;
        }
    }

    public static async IAsyncEnumerable<IReadOnlyList<T>> Sort<T>(
        IAsyncEnumerable<IReadOnlyList<T>> items, QuerySource source, IReadOnlyList<Ordering<T>> orderings, [EnumeratorCancellation] CancellationToken cancellationToken = default)
    {
        var all = new List<T>();
        await foreach (var batch in items.WithCancellation(cancellationToken).ConfigureAwait(false))
            all.AddRange(batch);
        if (all.Count == 0)
            yield break;
        var places = new ItemEntityPositions(source.Context.Model);
        var bound = orderings.SelectMany(ordering => ordering.Bind(places)).ToList();
        await places.LoadAsync(Untracked(source), all, cancellationToken).ConfigureAwait(false);
        yield return [.. Ordering<T>.Sort(all, bound, static item => item)];
    }

    static QuerySource Untracked(QuerySource source) => source with { Settings = source.Settings with { IsTracking = false } };
}
