using System.Linq.Expressions;
using Datacake.Data.Expressions;
using Datacake.Data.Querying.Operators;
using Datacake.Data.Querying.Related;
using Datacake.EventualConsistency;
using Datacake.EventualConsistency.Snapshots;

namespace Datacake.Data.Querying;

/// <summary>A query for entities of one class that returns its results as a derived class. All results must be of that class.</summary>
sealed class DerivedQuery<T, TDerived>(Query<T> source) : OrderedQuery<TDerived>
{
    internal override Query<TDerived> With(Func<QuerySettings, QuerySettings> change) => new DerivedQuery<T, TDerived>(source.With(change));

    internal override ValueTask<StoreSnapshot?> OpenSnapshotAsync(CancellationToken cancellationToken) => source.OpenSnapshotAsync(cancellationToken);

    internal override Query<TDerived> ForUse(IReadOnlyList<ItemExpression> uses) => new DerivedQuery<T, TDerived>(source.ForUse([.. uses.Select(Cast)]));

    internal override bool CanLookUp(ItemExpression key) => source.CanLookUp(Cast(key));

    internal override Query<TDerived> ReverseCore() => new DerivedQuery<T, TDerived>(source.ReverseCore());

    public override string Explain() => source.Explain();

    internal override QuerySource Root => source.Root;

    internal override QuerySource? Source => source.Source;

    internal override IReadOnlyList<Ordering<TDerived>> Orderings => [];

    internal override Query<TDerived> WhereCore(Expression<Func<TDerived, bool>> predicate) =>
        new DerivedQuery<T, TDerived>(source.WhereCore(ParameterReplacement.Cast<T, TDerived, bool>(predicate)));

    internal override Query<TResult> SelectCore<TResult>(Expression<Func<TDerived, TResult>> selector) =>
        source.SelectCore(ParameterReplacement.Cast<T, TDerived, TResult>(selector));

    internal override OrderedQuery<TDerived> OrderByCore(IReadOnlyList<Ordering<TDerived>> orderings) =>
        new DerivedQuery<T, TDerived>(source.OrderByCore([.. orderings.Select(ordering => ordering.Of<T>())]));

    internal override OrderedQuery<TDerived> ThenByCore(Ordering<TDerived> ordering) => source is OrderedQuery<T> ordered
        ? new DerivedQuery<T, TDerived>(ordered.ThenByCore(ordering.Of<T>()))
        : OrderByCore([ordering]);

    internal override Query<TDerived> SkipCore(int count) => new DerivedQuery<T, TDerived>(source.SkipCore(count));

    internal override Query<TDerived> TakeCore(int count) => new DerivedQuery<T, TDerived>(source.TakeCore(count));

    internal override IAsyncEnumerable<IReadOnlyList<TDerived>> RunAsync(CancellationToken cancellationToken) =>
        Batches.Select(source.RunAsync(cancellationToken), Cast);

    internal override async Task<List<TDerived>> ToListCore(CancellationToken cancellationToken) =>
        (await source.ToListCore(cancellationToken).ConfigureAwait(false)).ConvertAll(Cast);

    internal override ValueTask<long> CountCoreAsync(CancellationToken cancellationToken) => source.CountCoreAsync(cancellationToken);

    internal override Task<TResult?> ExtremeCore<TResult>(
        Expression<Func<TDerived, TResult>> selector, bool isGreatest, CancellationToken cancellationToken)
        where TResult : default =>
        source.ExtremeCore(ParameterReplacement.Cast<T, TDerived, TResult>(selector), isGreatest, cancellationToken);

    internal override Task<SaveResult> ExecuteCore(Func<NavigationRoots, Action<object>>? update, Consistency? consistency, CancellationToken cancellationToken) =>
        source.ExecuteCore(update, consistency, cancellationToken);

    internal override IAsyncEnumerable<EntityChanges<TDerived>> WatchCore(WatchPosition? after, CancellationToken cancellationToken) =>
        source.WatchCore(after, cancellationToken).Select(changes =>
            new EntityChanges<TDerived>([.. changes.Changes.Select(Cast)], changes.Position, changes.HasGap));

    static ItemExpression Cast(ItemExpression use)
    {
        var item = Expression.Parameter(typeof(T), use.Item.Name);
        return new ItemExpression(item, use.With(Expression.Convert(item, typeof(TDerived))));
    }

    static TDerived Cast(T item) => (TDerived)(object)item!;

    // Before the entity became a result, or after it ceased to be one, it may have been of another class.
    static EntityChange<TDerived> Cast(EntityChange<T> change) =>
        new(change.Kind, change.Key, change.Before is TDerived before ? before : default, change.After is TDerived after ? after : default);
}
