using System.Linq.Expressions;
using Datacake.Data.Querying.Analysis;
using Datacake.Data.Querying.Including;
using Datacake.Data.Querying.Operators;
using Datacake.Data.Querying.Planning;

namespace Datacake.Data.Querying;

/// <summary>The operator that reads the entities of one keyspace by a query plan, from which all other operators start.</summary>
sealed partial class EntityOperator<T>(EntitySource<T> source, QuerySpec<T> spec, QuerySettings settings) : OrderedOperator<T>
    where T : class
{
    QuerySource? _root;

    public QuerySettings Settings => settings;

    public override QueryOperator<T> With(Func<QuerySettings, QuerySettings> change)
    {
        var changed = change(settings);
        // Entities that are read in part are not tracked.
        return new EntityOperator<T>(source, spec, spec.Components is null || changed.Identities is not null ? changed : changed with { IsTracking = false });
    }

    public override QuerySource Root => _root ??= new(source.Context, source.Model, settings);

    public override QuerySource Source => Root;

    public override IReadOnlyList<Ordering<T>> Orderings => [.. spec.Orderings.Take(spec.LastOrderings)];

    public override QueryOperator<T> Where(Expression<Func<T, bool>> predicate)
    {
        if (UsesIncluded(predicate))
            return WhereIncluded(predicate);
        UndeclaredNavigation.Refuse(source.Context.Model, predicate);
        OpaqueExpressionSearch.Refuse(source.Context.Model, predicate);
        if (!spec.IsCut)
            return With(spec.Where(predicate, source.Model));
        return spec.Inclusions.Count == 0 ? WhereInMemory(predicate) : new IncludeOperator<T>(WithoutInclusions().WhereInMemory(predicate), spec.Inclusions);
    }

    public override QueryOperator<TResult> Select<TResult>(Expression<Func<T, TResult>> selector)
    {
        if (spec.Inclusions.Count > 0 && !UsesIncluded(selector))
            return WithoutInclusions().Select(selector);
        UndeclaredNavigation.Refuse(source.Context.Model, selector, Included);
        return base.Select(selector);
    }

    public override OrderedOperator<T> OrderBy(IReadOnlyList<Ordering<T>> orderings)
    {
        if (orderings.Any(UsesIncluded))
            return base.OrderBy(orderings);
        foreach (var ordering in orderings)
            Refuse(ordering);
        // As in LINQ to Objects, results that compare equal keep the order that they had.
        if (!spec.IsCut)
            return With(spec.OrderBy(orderings));
        return spec.Inclusions.Count == 0 ? base.OrderBy(orderings) : new IncludeOperator<T>(WithoutInclusions().OrderBy(orderings), spec.Inclusions);
    }

    public override OrderedOperator<T> ThenBy(Ordering<T> ordering)
    {
        if (UsesIncluded(ordering))
            return base.OrderBy([.. Orderings, ordering]);
        Refuse(ordering);
        return spec.IsCut
            ? throw new InvalidOperationException(
                "ThenBy cannot follow Skip or Take. Call ThenBy before them.")
            : With(spec.ThenBy(ordering));
    }

    public override QueryOperator<T> Skip(int count) => With(spec.SkipMore(count));

    public override QueryOperator<T> Take(int count) => With(spec.TakeLess(count));

    public override string Explain() => string.Join("; ", [ExplainEntities(), .. spec.Inclusions]);

    string ExplainEntities()
    {
        var run = NewRun();
        var parts = new List<string> { $"{source.Name}: {run.Path}" };
        if (run.Checked.Count + spec.RelatedPredicates.Count > 0)
            parts.Add($"check {ExpressionText.Of(run.Checked.Concat(spec.RelatedPredicates).Select(predicate => predicate.Body).Aggregate(Expression.AndAlso))}");
        if (spec.Orderings.Count > 0)
        {
            parts.Add(ExplainOrder(run));
        }
        else if (spec.IsReversed)
            parts.Add("reverse");
        parts.AddRange(ExplainBoundaries(run));
        if (spec.Skip > 0)
            parts.Add($"skip {spec.Skip}{(run.SkipsByIndex ? " in the index" : "")}");
        if (spec.Take is not null)
            parts.Add($"take {spec.Take}");
        parts.AddRange(settings.Tags.Select(tag => $"tagged '{tag}'"));
        return string.Join("; ", parts);
    }

    /// <summary>Describes the order: the part of it that the path provides, and the rest, which is sorted in memory.</summary>
    string ExplainOrder(QueryRun<T> run)
    {
        int provided = run.OrderingsOfPath;
        string keeping = run.Needed is { } needed ? $", keeping {needed}" : "";
        return provided == 0 ? $"order by {Text(spec.Orderings)} in memory{keeping}"
            : provided == spec.Orderings.Count ? $"order by {Text(spec.Orderings)}"
            : $"order by {Text(spec.Orderings.Take(provided))}, then {Text(spec.Orderings.Skip(provided))} in memory";

        static string Text(IEnumerable<Ordering<T>> orderings) => string.Join(", ", orderings.Select(static ordering => ordering.ToString()));
    }

    /// <summary>Describes a run of the query without the values in it.</summary>
    QueryDescription Describe(QueryRun<T> run, long results)
    {
        const int minDocumentsToAdvise = 100;
        string[] cut = [.. spec.Skip > 0 ? ["skip ?"] : Array.Empty<string>(), .. spec.Take is not null ? ["take ?"] : Array.Empty<string>()];
        string[] orderings = [.. spec.Orderings.Select(static ordering => ordering.ToShape())];
        var predicates = spec.Predicates.Concat(spec.RelatedPredicates).ToArray();
        var shape = new List<string> { source.Name };
        if (predicates.Length > 0)
            shape.Add($"where {string.Join(" and ", predicates.Select(static predicate => ExpressionText.ShapeOf(predicate.Body)))}");
        if (orderings.Length > 0)
            shape.Add($"order by {string.Join(", ", orderings)}");
        if (spec.IsReversed)
            shape.Add("reverse");
        shape.AddRange(spec.Boundaries.Select(static boundary => $"{boundary.Name} ?"));
        shape.AddRange(cut);
        var plan = new List<string> { run.Path.Describe(showsValues: false) };
        if (run.Checked.Count + spec.RelatedPredicates.Count > 0)
            plan.Add($"check {string.Join(" && ", run.Checked.Concat(spec.RelatedPredicates).Select(static predicate => ExpressionText.ShapeOf(predicate.Body)))}");
        if (orderings.Length > 0 && !run.IsInOrder)
            plan.Add("sort in memory");
        bool isWasteful = run.DocumentsRead > minDocumentsToAdvise && run.DocumentsRead >= results * 2;
        return new QueryDescription(
            string.Join(" ", shape), string.Join("; ", plan),
            isWasteful ? ScanWarning.Remedy(source.Model, run.Alternatives, run.Columns, spec.RelatedPredicates.Count > 0) : null);
    }

    /// <summary>Returns the specification, limited to the components that the query itself and the given expressions use.</summary>
    QuerySpec<T> WithComponents(IEnumerable<ItemExpression> uses)
    {
        var components = ComponentAnalysis.Of(
            source.Model,
            [
                .. uses, .. Filters.Concat(spec.Predicates).Concat(spec.RelatedPredicates).Select(ItemExpression.Of),
                .. spec.OrderingKeys.Select(ItemExpression.Of),
            ],
            out bool isKeyUsed);
        // Which entities can be read must not depend on the properties that are used.
        return spec with { Inclusions = [], Components = spec.SkipsUnreadable ? null : components, IsKeyUsed = isKeyUsed };
    }

    public QueryRun<T> NewRun() => new(source.Metadata, source.Model, Filtered(spec));

    EntityOperator<T> With(QuerySpec<T> other) => new(source, other, settings);

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
