using System.Linq.Expressions;
using Datacake.Data.Expressions;
using Datacake.Data.Querying.Including;
using Datacake.Data.Querying.Related;
using Datacake.EventualConsistency;

namespace Datacake.Data.Querying.Operators;

/// <summary>The results of another operator as a derived class. All results must be of that class.</summary>
sealed class DerivedOperator<T, TDerived>(QueryOperator<T> source) : OrderedOperator<TDerived>
{
    public override QueryOperator<TDerived> With(Func<QuerySettings, QuerySettings> change) => new DerivedOperator<T, TDerived>(source.With(change));

    public override QueryOperator<TDerived> ForUse(IReadOnlyList<ItemExpression> uses) => new DerivedOperator<T, TDerived>(source.ForUse([.. uses.Select(Cast)]));

    public override QueryOperator<TDerived> Unordered() => new DerivedOperator<T, TDerived>(source.Unordered());

    public override bool CanLookUp(ItemExpression key) => source.CanLookUp(Cast(key));

    public override QueryOperator<TDerived> Reverse() => new DerivedOperator<T, TDerived>(source.Reverse());

    public override string Explain() => source.Explain();

    public override QuerySource Root => source.Root;

    public override QuerySource? Source => source.Source;

    public override IReadOnlyList<Ordering<TDerived>> Orderings => [];

    public override QueryOperator<TDerived> Where(Expression<Func<TDerived, bool>> predicate) =>
        new DerivedOperator<T, TDerived>(source.Where(ParameterReplacement.Cast<T, TDerived, bool>(predicate)));

    public override QueryOperator<TResult> Select<TResult>(Expression<Func<TDerived, TResult>> selector) =>
        source.Select(ParameterReplacement.Cast<T, TDerived, TResult>(selector));

    public override OrderedOperator<TDerived> OrderBy(IReadOnlyList<Ordering<TDerived>> orderings) =>
        new DerivedOperator<T, TDerived>(source.OrderBy([.. orderings.Select(ordering => ordering.Of<T>())]));

    public override OrderedOperator<TDerived> ThenBy(Ordering<TDerived> ordering) => source is OrderedOperator<T> ordered
        ? new DerivedOperator<T, TDerived>(ordered.ThenBy(ordering.Of<T>()))
        : OrderBy([ordering]);

    public override void RefuseOpaque(LambdaExpression key) => source.RefuseOpaque(key);

    public override OrderedOperator<TDerived> Include(Inclusion<TDerived> inclusion) =>
        new DerivedOperator<T, TDerived>(source.Include(new DerivedInclusion<T, TDerived>(inclusion)));

    public override QueryOperator<TDerived> Bounded(TDerived entity, bool isBefore) => new DerivedOperator<T, TDerived>(source.Bounded((T)(object)entity!, isBefore));

    public override QueryOperator<TDerived> Skip(int count) => new DerivedOperator<T, TDerived>(source.Skip(count));

    public override QueryOperator<TDerived> Take(int count) => new DerivedOperator<T, TDerived>(source.Take(count));

    public override IAsyncEnumerable<IReadOnlyList<TDerived>> RunAsync(CancellationToken cancellationToken) =>
        Batches.Select(source.RunAsync(cancellationToken), Cast);

    public override async Task<List<TDerived>> ToListAsync(CancellationToken cancellationToken) =>
        (await source.ToListAsync(cancellationToken).ConfigureAwait(false)).ConvertAll(Cast);

    public override ValueTask<long> CountAsync(CancellationToken cancellationToken) => source.CountAsync(cancellationToken);

    public override Task<TResult?> ExtremeAsync<TResult>(
        Expression<Func<TDerived, TResult>> selector, bool isGreatest, CancellationToken cancellationToken)
        where TResult : default =>
        source.ExtremeAsync(ParameterReplacement.Cast<T, TDerived, TResult>(selector), isGreatest, cancellationToken);

    public override Task<SaveResult> ExecuteAsync(Func<NavigationRoots, Action<object>>? update, BulkOptions options, CancellationToken cancellationToken) =>
        source.ExecuteAsync(update, options, cancellationToken);

    public override IAsyncEnumerable<EntityChanges<TDerived>> WatchAsync(WatchPosition? after, CancellationToken cancellationToken) =>
        source.WatchAsync(after, cancellationToken).Select(changes =>
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
