using System.Linq.Expressions;

namespace Datacake.Data.Querying;

/// <summary>What a query for entities asks for. Immutable.</summary>
sealed record QuerySpec<T>
{
    public IReadOnlyList<Expression<Func<T, bool>>> Predicates { get; init; } = [];

    public IReadOnlyList<Ordering<T>> Orderings { get; init; } = [];

    /// <summary>Which components of the entities are used, by the model's paths; null: all of them.</summary>
    public bool[]? Components { get; init; }

    /// <summary>True if entities that cannot be read are left out.</summary>
    public bool SkipsUnreadable { get; init; }

    public int Skip { get; init; }

    public int? Take { get; init; }

    /// <summary>Whether some of what fits is left out, so that the rest depends on the order.</summary>
    public bool IsCut => Skip > 0 || Take is not null;

    public QuerySpec<T> Where(Expression<Func<T, bool>> predicate) => this with { Predicates = [.. Predicates, predicate] };

    public QuerySpec<T> SkipMore(int count) => Take is { } take
        ? this with { Skip = Sum(Skip, Math.Min(count, take)), Take = take - Math.Min(count, take) }
        : this with { Skip = Sum(Skip, count) };

    public QuerySpec<T> TakeLess(int count) => this with { Take = Math.Min(Take ?? int.MaxValue, count) };

    public static int Sum(int a, int b) => (int)Math.Min((long)a + b, int.MaxValue);
}
