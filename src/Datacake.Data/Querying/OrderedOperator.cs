namespace Datacake.Data.Querying;

/// <summary>An operator whose results are ordered, and can be ordered by further keys.</summary>
abstract class OrderedOperator<T> : QueryOperator<T>
{
    /// <summary>Gets the keys that the last <c>OrderBy</c> and the <c>ThenBy</c> calls after it order by.</summary>
    public abstract IReadOnlyList<Ordering<T>> Orderings { get; }

    public sealed override OrderedQuery<T> ToQuery() => new(this);

    public abstract OrderedOperator<T> ThenBy(Ordering<T> ordering);
}
