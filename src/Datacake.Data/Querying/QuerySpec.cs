using System.Linq.Expressions;
using Datacake.Data.Querying.Filters;
using Datacake.Data.Querying.Including;
using Datacake.Data.Querying.Related;

namespace Datacake.Data.Querying;

/// <summary>The specification of a query for entities: what it asks for. Immutable.</summary>
sealed record QuerySpec<T>
{
    /// <summary>Gets the specification of all entities.</summary>
    public static QuerySpec<T> All { get; } = new();

    public IReadOnlyList<Expression<Func<T, bool>>> Predicates { get; init; } = [];

    /// <summary>Gets the predicates that use related entities.</summary>
    public IReadOnlyList<Expression<Func<T, bool>>> RelatedPredicates { get; init; } = [];

    public IReadOnlyList<Ordering<T>> Orderings { get; init; } = [];

    /// <summary>
    /// Gets the number of leading orderings that come from the last <c>OrderBy</c> and the <c>ThenBy</c> calls after it. The others come
    /// from earlier calls.
    /// </summary>
    public int LastOrderings { get; init; }

    /// <summary>Gets the query filters for related entities; null if there are none.</summary>
    public QueryFiltering? Filtering { get; init; }

    /// <summary>True if the results may come in any order, because the caller computes something from them that does not depend on it.</summary>
    public bool IsUnordered { get; init; }

    /// <summary>True if entities that compare equal by the orderings come in descending order of their keys.</summary>
    public bool IsReversed { get; init; }

    /// <summary>Gets, for each of the model's paths, whether its component is used; null if all are used.</summary>
    public bool[]? Components { get; init; }

    /// <summary>True if the key may be used. It is read in any case, so that it is not among the <see cref="Components"/>.</summary>
    public bool IsKeyUsed { get; init; } = true;

    /// <summary>Gets the property of which the caller needs each value once: of entities with one value, all but the first may be left out. Null if the caller needs all entities.</summary>
    public string? DistinctBy { get; init; }

    /// <summary>True if entities that cannot be read are left out.</summary>
    public bool SkipsUnreadable { get; init; }

    /// <summary>Gets the related entities to load into the results.</summary>
    public IReadOnlyList<Inclusion<T>> Inclusions { get; init; } = [];

    /// <summary>Gets the places in orders that the results come after or before.</summary>
    public IReadOnlyList<Boundary<T>> Boundaries { get; init; } = [];

    /// <summary>Gets the expressions by which the query orders, and by which its boundaries do.</summary>
    public IEnumerable<LambdaExpression> OrderingKeys =>
        Orderings.Concat(Boundaries.SelectMany(static boundary => boundary.Orderings)).Select(static ordering => ordering.KeySelector);

    public int Skip { get; init; }

    public int? Take { get; init; }

    /// <summary>True if Skip or Take leaves out matching entities, so that the results depend on the order.</summary>
    public bool IsCut => Skip > 0 || Take is not null;

    public QuerySpec<T> Where(Expression<Func<T, bool>> predicate) => this with { Predicates = [.. Predicates, predicate] };

    /// <summary>Adds a predicate. Parts of it that use only the entity itself are checked before any related entity is loaded.</summary>
    public QuerySpec<T> Where(Expression<Func<T, bool>> predicate, EntityModel model)
    {
        if (!NavigationBinder.IsUsedIn(model, predicate))
            return Where(predicate);
        if (predicate.Body is BinaryExpression { NodeType: ExpressionType.AndAlso } both)
            return Where(Part(both.Left), model).Where(Part(both.Right), model);
        return this with { RelatedPredicates = [.. RelatedPredicates, predicate] };

        Expression<Func<T, bool>> Part(Expression body) => Expression.Lambda<Func<T, bool>>(body, predicate.Parameters);
    }

    public QuerySpec<T> OrderBy(IReadOnlyList<Ordering<T>> orderings) =>
        this with { Orderings = [.. orderings, .. Orderings], LastOrderings = orderings.Count };

    public QuerySpec<T> ThenBy(Ordering<T> ordering) => this with
    {
        Orderings = [.. Orderings.Take(LastOrderings), ordering, .. Orderings.Skip(LastOrderings)],
        LastOrderings = LastOrderings + 1,
    };

    public QuerySpec<T> Reversed()
    {
        var orderings = Reversed(Orderings);
        // A boundary in the order of the query remains one.
        return this with
        {
            IsReversed = !IsReversed,
            Orderings = orderings,
            Boundaries = [.. Boundaries.Select(boundary => boundary.Reversed(ReferenceEquals(boundary.Orderings, Orderings) ? orderings : Reversed(boundary.Orderings)))],
        };

        static IReadOnlyList<Ordering<T>> Reversed(IReadOnlyList<Ordering<T>> orderings) => [.. orderings.Select(static ordering => ordering.Reversed())];
    }

    public QuerySpec<T> SkipMore(int count) => Take is { } take
        ? this with { Skip = Sum(Skip, Math.Min(count, take)), Take = take - Math.Min(count, take) }
        : this with { Skip = Sum(Skip, count) };

    public QuerySpec<T> TakeLess(int count) => this with { Take = Math.Min(Take ?? int.MaxValue, count) };

    public static int Sum(int a, int b) => (int)Math.Min((long)a + b, int.MaxValue);
}
