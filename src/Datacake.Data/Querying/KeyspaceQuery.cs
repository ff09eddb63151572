using System.Linq.Expressions;
using Datacake.Data.Querying;
using Datacake.Data.Querying.Operators;
using Datacake.Data.Querying.Related;
using Datacake.EventualConsistency;
using Datacake.EventualConsistency.Snapshots;

namespace Datacake.Data;

/// <summary>A query for all entities of a keyspace, from which other queries start.</summary>
public abstract class KeyspaceQuery<T> : Query<T>
    where T : class
{
    private protected KeyspaceQuery()
    {
    }

    /// <inheritdoc/>
    public sealed override string Explain() => Entities.Explain();

    private protected abstract Query<T> Entities { get; }

    internal sealed override QuerySource Root => Entities.Root;

    internal sealed override QuerySource? Source => Entities.Source;

    internal sealed override Query<T> With(Func<QuerySettings, QuerySettings> change) => Entities.With(change);

    internal sealed override ValueTask<StoreSnapshot?> OpenSnapshotAsync(CancellationToken cancellationToken) => Entities.OpenSnapshotAsync(cancellationToken);

    internal sealed override Query<T> ForUse(IReadOnlyList<ItemExpression> uses) => Entities.ForUse(uses);

    internal sealed override bool CanLookUp(ItemExpression key) => Entities.CanLookUp(key);

    internal sealed override IAsyncEnumerable<IReadOnlyList<T>> RunAsync(CancellationToken cancellationToken) => Entities.RunAsync(cancellationToken);

    internal sealed override IAsyncEnumerable<IReadOnlyList<(TKey Key, T Item)>> RunKeyedAsync<TKey>(
        Expression<Func<T, TKey>> keySelector, CancellationToken cancellationToken) => Entities.RunKeyedAsync(keySelector, cancellationToken);

    internal sealed override Task<List<T>> ToListCore(CancellationToken cancellationToken) => Entities.ToListCore(cancellationToken);

    internal sealed override Query<T> WhereCore(Expression<Func<T, bool>> predicate) => Entities.WhereCore(predicate);

    internal sealed override Query<TResult> SelectCore<TResult>(Expression<Func<T, TResult>> selector) => Entities.SelectCore(selector);

    internal sealed override OrderedQuery<T> OrderByCore(IReadOnlyList<Ordering<T>> orderings) => Entities.OrderByCore(orderings);

    internal sealed override Query<T> SkipCore(int count) => Entities.SkipCore(count);

    internal sealed override Query<T> TakeCore(int count) => Entities.TakeCore(count);

    internal sealed override Query<T> ReverseCore() => Entities.ReverseCore();

    internal sealed override Task<bool> AnyCore(CancellationToken cancellationToken) => Entities.AnyCore(cancellationToken);

    internal sealed override ValueTask<long> CountCoreAsync(CancellationToken cancellationToken) => Entities.CountCoreAsync(cancellationToken);

    internal sealed override Task<SaveResult> ExecuteCore(Func<NavigationRoots, Action<object>>? update, Consistency? consistency, CancellationToken cancellationToken) =>
        Entities.ExecuteCore(update, consistency, cancellationToken);

    internal sealed override Task<TResult?> ExtremeCore<TResult>(
        Expression<Func<T, TResult>> selector, bool isGreatest, CancellationToken cancellationToken)
        where TResult : default => Entities.ExtremeCore(selector, isGreatest, cancellationToken);

    internal sealed override IAsyncEnumerable<EntityChanges<T>> WatchCore(WatchPosition? after, CancellationToken cancellationToken) =>
        Entities.WatchCore(after, cancellationToken);
}
