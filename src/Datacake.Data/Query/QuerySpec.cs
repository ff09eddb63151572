using System.Linq.Expressions;
using Datacake.Data.Metadata;

namespace Datacake.Data.Querying;

/// <summary>What a query for entities asks for. Immutable.</summary>
sealed record QuerySpec<T>
{
    public IReadOnlyList<Expression<Func<T, bool>>> Predicates { get; init; } = [];

    /// <summary>The predicates that say something of related entities.</summary>
    public IReadOnlyList<Expression<Func<T, bool>>> RelatedPredicates { get; init; } = [];

    public IReadOnlyList<Ordering<T>> Orderings { get; init; } = [];

    /// <summary>Gets how many of the orderings, the first ones, the last <c>OrderBy</c> and what followed it asked for; the others are of earlier ones.</summary>
    public int LastOrderings { get; init; }

    /// <summary>Gets the query filters, for what is related to the entities; null if there are none.</summary>
    public QueryFiltering? Filtering { get; init; }

    /// <summary>True if entities that the orderings do not tell apart come in the descending order of their keys.</summary>
    public bool IsReversed { get; init; }

    /// <summary>Which components of the entities are used, by the model's paths; null: all of them.</summary>
    public bool[]? Components { get; init; }

    /// <summary>True if entities that cannot be read are left out.</summary>
    public bool SkipsUnreadable { get; init; }

    public int Skip { get; init; }

    public int? Take { get; init; }

    /// <summary>Whether some of what fits is left out, so that the rest depends on the order.</summary>
    public bool IsCut => Skip > 0 || Take is not null;

    public QuerySpec<T> Where(Expression<Func<T, bool>> predicate) => this with { Predicates = [.. Predicates, predicate] };

    /// <summary>Adds a predicate; what of it is of the entity alone is checked before anything related is loaded.</summary>
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

    public QuerySpec<T> SkipMore(int count) => Take is { } take
        ? this with { Skip = Sum(Skip, Math.Min(count, take)), Take = take - Math.Min(count, take) }
        : this with { Skip = Sum(Skip, count) };

    public QuerySpec<T> TakeLess(int count) => this with { Take = Math.Min(Take ?? int.MaxValue, count) };

    public static int Sum(int a, int b) => (int)Math.Min((long)a + b, int.MaxValue);
}
