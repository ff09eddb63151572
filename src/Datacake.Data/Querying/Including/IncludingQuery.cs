using System.Linq.Expressions;
using System.Runtime.CompilerServices;
using Datacake.Data.Querying;
using Datacake.Data.Querying.Including;
using Datacake.Data.Querying.Related;
using Datacake.EventualConsistency;
using Datacake.EventualConsistency.Snapshots;

namespace Datacake.Data;

/// <summary>A query for entities with related ones. Call <c>ThenInclude</c> to include entities related to those in turn.</summary>
/// <typeparam name="T">The entity class.</typeparam>
/// <typeparam name="TRelated">The class of the most recently included entities.</typeparam>
public sealed class IncludingQuery<T, TRelated> : OrderedQuery<T>, IIncludingQuery<T>
    where T : class
    where TRelated : class
{
    readonly Query<T> _entities;
    readonly QuerySource _source;
    readonly IReadOnlyList<Inclusion<T>> _inclusions;
    readonly Func<Inclusion<TRelated>, Inclusion<T>> _further;

    /// <param name="entities">The query for the entities without related ones.</param>
    /// <param name="source">The source of the entities.</param>
    /// <param name="inclusions">The inclusions of the query.</param>
    /// <param name="further">A function that returns the last inclusion followed by another one.</param>
    internal IncludingQuery(
        Query<T> entities, QuerySource source, IReadOnlyList<Inclusion<T>> inclusions, Func<Inclusion<TRelated>, Inclusion<T>> further)
    {
        _entities = entities;
        _source = source;
        _inclusions = inclusions;
        _further = further;
    }

    internal override Query<T> With(Func<QuerySettings, QuerySettings> change) =>
        new IncludingQuery<T, TRelated>(_entities.With(change), _source with { Settings = change(_source.Settings) }, _inclusions, _further);

    internal override ValueTask<StoreSnapshot?> OpenSnapshotAsync(CancellationToken cancellationToken) => _entities.OpenSnapshotAsync(cancellationToken);

    /// <inheritdoc/>
    public override string Explain() => $"{_entities.Explain()}; {string.Join("; ", _inclusions)}";

    internal override QuerySource Root => _source;

    internal override QuerySource Source => _source;

    IncludingQuery<T, TOther> IIncludingQuery<T>.Including<TOther>(Inclusion<T> inclusion, Func<Inclusion<TOther>, Inclusion<T>> further) => And(inclusion, further);

    /// <summary>Returns the query with an inclusion for the most recently included entities.</summary>
    internal IncludingQuery<T, TNext> ThenIncluding<TNext>(Func<EntityModel, Inclusion<TRelated, TNext>> next)
        where TNext : class
    {
        var inclusion = next(_source.Context.Model.KeyspaceOf<TRelated>().Model);
        return And(_further(inclusion), (Inclusion<TNext> last) => _further(inclusion.Then(last)));
    }

    /// <summary>Returns the query with an inclusion of a navigation of the most recently included entities.</summary>
    internal IncludingQuery<T, TNext> ThenIncluding<TNext>(LambdaExpression navigation)
        where TNext : class
    {
        var path = IncludePathParser.Read<TNext>(_source.Context.Model, _source.Context.Model.KeyspaceOf<TRelated>().Model, navigation, out var filter);
        Inclusion<T> With(Inclusion<TNext>? last) => _further(PathInclusion<TRelated, TNext>.Of(path, filter, last));
        return And(With(null), (Inclusion<TNext> last) => With(last));
    }

    internal override async IAsyncEnumerable<IReadOnlyList<T>> RunAsync([EnumeratorCancellation] CancellationToken cancellationToken)
    {
        await foreach (var batch in _entities.RunAsync(cancellationToken).ConfigureAwait(false))
        {
            foreach (var inclusion in _inclusions)
                await inclusion.LoadAsync(_source, batch, cancellationToken).ConfigureAwait(false);
            yield return batch;
        }
    }

    // Operators that use the included entities through the entity itself run after the inclusion. All others run before it, so that no
    // entity is loaded in vain.
    internal override Query<T> WhereCore(Expression<Func<T, bool>> predicate)
    {
        if (!UsesIncluded(predicate))
            return Over(_entities.WhereCore(predicate));
        if (predicate.Body is BinaryExpression { NodeType: ExpressionType.AndAlso } both && !UsesIncluded(Part(both.Left)))
            return Over(_entities.WhereCore(Part(both.Left))).WhereCore(Part(both.Right));
        UndeclaredNavigation.Refuse(_source.Context.Model, predicate, Included);
        return base.WhereCore(predicate);

        Expression<Func<T, bool>> Part(Expression body) => Expression.Lambda<Func<T, bool>>(body, predicate.Parameters);
    }

    internal override Query<TResult> SelectCore<TResult>(Expression<Func<T, TResult>> selector)
    {
        if (!UsesIncluded(selector))
            return _entities.SelectCore(selector);
        UndeclaredNavigation.Refuse(_source.Context.Model, selector, Included);
        return base.SelectCore(selector);
    }

    // The key may use the included entities, so nothing is refused.
    internal override void RefuseOpaque(LambdaExpression key)
    {
    }

    internal override IReadOnlyList<Ordering<T>> Orderings => _entities is OrderedQuery<T> ordered ? ordered.Orderings : [];

    internal override OrderedQuery<T> OrderByCore(IReadOnlyList<Ordering<T>> orderings) =>
        orderings.Any(UsesIncluded) ? base.OrderByCore(orderings) : Over(_entities.OrderByCore(orderings));

    internal override OrderedQuery<T> ThenByCore(Ordering<T> ordering)
    {
        if (UsesIncluded(ordering))
            return base.OrderByCore([.. Orderings, ordering]);
        return Over(_entities is OrderedQuery<T> ordered ? ordered.ThenByCore(ordering) : _entities.OrderByCore([ordering]));
    }

    internal override Query<T> SkipCore(int count) => Over(_entities.SkipCore(count));

    internal override Query<T> TakeCore(int count) => Over(_entities.TakeCore(count));

    internal override ValueTask<long> CountCoreAsync(CancellationToken cancellationToken) => _entities.CountCoreAsync(cancellationToken);

    internal override Task<SaveResult> ExecuteCore(Func<NavigationRoots, Action<object>>? update, Consistency? consistency, CancellationToken cancellationToken) =>
        _entities.ExecuteCore(update, consistency, cancellationToken);

    bool UsesIncluded(Ordering<T> ordering) => UsesIncluded(ordering.KeySelector);

    /// <summary>Gets the names of the properties that are filled.</summary>
    IReadOnlyCollection<string> Included => [.. _inclusions.SelectMany(inclusion => inclusion.AllNavigations)];

    // An unmapped property, a method or the entity as a whole may use included entities. Navigations of the model are loaded where they are
    // used.
    bool UsesIncluded(LambdaExpression use) => WholeEntitySearch.IsUsedIn(_source.Model, use);

    IncludingQuery<T, TRelated> Over(Query<T> entities) => new(entities, _source, _inclusions, _further);

    IncludingQuery<T, TOther> And<TOther>(Inclusion<T> inclusion, Func<Inclusion<TOther>, Inclusion<T>> further)
        where TOther : class => new(_entities, _source, Inclusion<T>.Merge(_inclusions, inclusion), further);
}
