using System.Linq.Expressions;
using Datacake.Data.Querying.Analysis;
using Datacake.Data.Querying.Including;
using Datacake.Data.Querying.Operators;

namespace Datacake.Data.Querying;

/// <summary>A query for the entities of one keyspace, which runs by a query plan.</summary>
sealed partial class EntityQuery<T>(EntitySource<T> source, QuerySpec<T> spec, QuerySettings settings) : OrderedQuery<T>
    where T : class
{
    internal override Query<T> With(Func<QuerySettings, QuerySettings> change)
    {
        var changed = change(settings);
        // Entities that are read in part are not tracked.
        return new EntityQuery<T>(source, spec, spec.Components is null || changed.Identities is not null ? changed : changed with { IsTracking = false });
    }

    internal override QuerySource Root => new(source.Context, source.Model, settings);

    internal override QuerySource Source => Root;

    internal override IReadOnlyList<Ordering<T>> Orderings => [.. spec.Orderings.Take(spec.LastOrderings)];

    internal override Query<T> WhereCore(Expression<Func<T, bool>> predicate)
    {
        UndeclaredNavigation.Refuse(source.Context.Model, predicate);
        OpaqueExpressionSearch.Refuse(source.Context.Model, predicate);
        return spec.IsCut ? base.WhereCore(predicate) : With(spec.Where(predicate, source.Model));
    }

    internal override Query<TResult> SelectCore<TResult>(Expression<Func<T, TResult>> selector)
    {
        UndeclaredNavigation.Refuse(source.Context.Model, selector);
        return base.SelectCore(selector);
    }

    internal override OrderedQuery<T> OrderByCore(IReadOnlyList<Ordering<T>> orderings)
    {
        foreach (var ordering in orderings)
            Refuse(ordering);
        // As in LINQ to Objects, results that compare equal keep the order that they had.
        return spec.IsCut ? base.OrderByCore(orderings) : With(spec.OrderBy(orderings));
    }

    internal override OrderedQuery<T> ThenByCore(Ordering<T> ordering)
    {
        Refuse(ordering);
        return spec.IsCut
            ? throw new InvalidOperationException(
                "ThenBy cannot follow Skip or Take. Call ThenBy before them.")
            : With(spec.ThenBy(ordering));
    }

    internal override Query<T> SkipCore(int count) => With(spec.SkipMore(count));

    internal override Query<T> TakeCore(int count) => With(spec.TakeLess(count));

    public override string Explain()
    {
        var run = NewRun();
        var parts = new List<string> { $"{source.Name}: {run.Path}" };
        if (run.Checked.Count + spec.RelatedPredicates.Count > 0)
            parts.Add($"check {ExpressionText.Of(run.Checked.Concat(spec.RelatedPredicates).Select(predicate => predicate.Body).Aggregate(Expression.AndAlso))}");
        if (spec.Orderings.Count > 0)
        {
            parts.Add(
                $"order by {string.Join(", ", spec.Orderings.Select(ordering => ordering.ToString()))}{(run.IsInOrder ? "" : " in memory")}");
        }
        else if (spec.IsReversed)
            parts.Add("reverse");
        if (spec.Skip > 0)
            parts.Add($"skip {spec.Skip}");
        if (spec.Take is not null)
            parts.Add($"take {spec.Take}");
        parts.AddRange(settings.Tags.Select(tag => $"tagged '{tag}'"));
        return string.Join("; ", parts);
    }

    /// <summary>Returns the specification, limited to the components that the query itself and the given expressions use.</summary>
    QuerySpec<T> WithComponents(IEnumerable<ItemExpression> uses) => spec with
    {
        // Which entities can be read must not depend on the properties that are used.
        Components = spec.SkipsUnreadable ? null : ComponentAnalysis.Of(
            source.Model,
            [
                .. uses, .. Filters.Concat(spec.Predicates).Concat(spec.RelatedPredicates).Select(ItemExpression.Of),
                .. spec.Orderings.Select(ordering => ItemExpression.Of(ordering.KeySelector)),
            ]),
    };

    internal QueryRun<T> NewRun() => new(source.Metadata, source.Model, Filtered(spec));

    EntityQuery<T> With(QuerySpec<T> other) => new(source, other, settings);

    /// <summary>Returns the specification with the query filters as its first predicates.</summary>
    QuerySpec<T> Filtered(QuerySpec<T> asked) => source.Context.QueryFilters.IsEmpty
        ? asked
        : asked with { Predicates = [.. Filters, .. asked.Predicates], Filtering = Source.Filtering };

    void Refuse(Ordering<T> ordering)
    {
        UndeclaredNavigation.Refuse(source.Context.Model, ordering.KeySelector);
        OpaqueExpressionSearch.Refuse(source.Context.Model, ordering.KeySelector);
    }

    IEnumerable<Expression<Func<T, bool>>> Filters => source.Context.QueryFilters.IsEmpty ? [] : Source.Filtering.Of<T>();
}
