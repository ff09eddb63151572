using System.ComponentModel;
using System.Linq.Expressions;

namespace Datacake.Data;

#pragma warning disable CA1720 // Single is the name of the operator

// Synchronous operators, which do not compile and whose errors name the asynchronous operators. Without them, the compiler would only
// report that the method does not exist.
public abstract partial class Query<T>
{
    const string Subquery =
        " Within the expression of another query, use a navigation, as in a => a.Books.Any(), or combine the queries with Join, LeftJoin, GroupJoin or SelectMany, or read this query first and use its results.";

    /// <summary>Throws <see cref="NotSupportedException"/>. Use <c>AnyAsync</c>.</summary>
    [Obsolete("A query reads its store asynchronously. Await AnyAsync()." + Subquery, error: true), EditorBrowsable(EditorBrowsableState.Never)]
    public bool Any() => throw Synchronous("AnyAsync");

    /// <summary>Throws <see cref="NotSupportedException"/>. Use <c>AnyAsync</c>.</summary>
    [Obsolete("A query reads its store asynchronously. Await AnyAsync()." + Subquery, error: true), EditorBrowsable(EditorBrowsableState.Never)]
    public bool Any(Expression<Func<T, bool>> predicate) => throw Synchronous("AnyAsync");

    /// <summary>Throws <see cref="NotSupportedException"/>. Use <c>AllAsync</c>.</summary>
    [Obsolete("A query reads its store asynchronously. Await AllAsync()." + Subquery, error: true), EditorBrowsable(EditorBrowsableState.Never)]
    public bool All(Expression<Func<T, bool>> predicate) => throw Synchronous("AllAsync");

    /// <summary>Throws <see cref="NotSupportedException"/>. Use <c>CountAsync</c>.</summary>
    [Obsolete("A query reads its store asynchronously. Await CountAsync()." + Subquery, error: true), EditorBrowsable(EditorBrowsableState.Never)]
    public int Count() => throw Synchronous("CountAsync");

    /// <summary>Throws <see cref="NotSupportedException"/>. Use <c>CountAsync</c>.</summary>
    [Obsolete("A query reads its store asynchronously. Await CountAsync()." + Subquery, error: true), EditorBrowsable(EditorBrowsableState.Never)]
    public int Count(Expression<Func<T, bool>> predicate) => throw Synchronous("CountAsync");

    /// <summary>Throws <see cref="NotSupportedException"/>. Use <c>LongCountAsync</c>.</summary>
    [Obsolete("A query reads its store asynchronously. Await LongCountAsync()." + Subquery, error: true), EditorBrowsable(EditorBrowsableState.Never)]
    public long LongCount() => throw Synchronous("LongCountAsync");

    /// <summary>Throws <see cref="NotSupportedException"/>. Use <c>LongCountAsync</c>.</summary>
    [Obsolete("A query reads its store asynchronously. Await LongCountAsync()." + Subquery, error: true), EditorBrowsable(EditorBrowsableState.Never)]
    public long LongCount(Expression<Func<T, bool>> predicate) => throw Synchronous("LongCountAsync");

    /// <summary>Throws <see cref="NotSupportedException"/>. Use <c>FirstAsync</c>.</summary>
    [Obsolete("A query reads its store asynchronously. Await FirstAsync()." + Subquery, error: true), EditorBrowsable(EditorBrowsableState.Never)]
    public T First() => throw Synchronous("FirstAsync");

    /// <summary>Throws <see cref="NotSupportedException"/>. Use <c>FirstAsync</c>.</summary>
    [Obsolete("A query reads its store asynchronously. Await FirstAsync()." + Subquery, error: true), EditorBrowsable(EditorBrowsableState.Never)]
    public T First(Expression<Func<T, bool>> predicate) => throw Synchronous("FirstAsync");

    /// <summary>Throws <see cref="NotSupportedException"/>. Use <c>FirstOrDefaultAsync</c>.</summary>
    [Obsolete("A query reads its store asynchronously. Await FirstOrDefaultAsync()." + Subquery, error: true), EditorBrowsable(EditorBrowsableState.Never)]
    public T? FirstOrDefault() => throw Synchronous("FirstOrDefaultAsync");

    /// <summary>Throws <see cref="NotSupportedException"/>. Use <c>FirstOrDefaultAsync</c>.</summary>
    [Obsolete("A query reads its store asynchronously. Await FirstOrDefaultAsync()." + Subquery, error: true), EditorBrowsable(EditorBrowsableState.Never)]
    public T? FirstOrDefault(Expression<Func<T, bool>> predicate) => throw Synchronous("FirstOrDefaultAsync");

    /// <summary>Throws <see cref="NotSupportedException"/>. Use <c>LastAsync</c>.</summary>
    [Obsolete("A query reads its store asynchronously. Await LastAsync()." + Subquery, error: true), EditorBrowsable(EditorBrowsableState.Never)]
    public T Last() => throw Synchronous("LastAsync");

    /// <summary>Throws <see cref="NotSupportedException"/>. Use <c>LastAsync</c>.</summary>
    [Obsolete("A query reads its store asynchronously. Await LastAsync()." + Subquery, error: true), EditorBrowsable(EditorBrowsableState.Never)]
    public T Last(Expression<Func<T, bool>> predicate) => throw Synchronous("LastAsync");

    /// <summary>Throws <see cref="NotSupportedException"/>. Use <c>LastOrDefaultAsync</c>.</summary>
    [Obsolete("A query reads its store asynchronously. Await LastOrDefaultAsync()." + Subquery, error: true), EditorBrowsable(EditorBrowsableState.Never)]
    public T? LastOrDefault() => throw Synchronous("LastOrDefaultAsync");

    /// <summary>Throws <see cref="NotSupportedException"/>. Use <c>LastOrDefaultAsync</c>.</summary>
    [Obsolete("A query reads its store asynchronously. Await LastOrDefaultAsync()." + Subquery, error: true), EditorBrowsable(EditorBrowsableState.Never)]
    public T? LastOrDefault(Expression<Func<T, bool>> predicate) => throw Synchronous("LastOrDefaultAsync");

    /// <summary>Throws <see cref="NotSupportedException"/>. Use <c>SingleAsync</c>.</summary>
    [Obsolete("A query reads its store asynchronously. Await SingleAsync()." + Subquery, error: true), EditorBrowsable(EditorBrowsableState.Never)]
    public T Single() => throw Synchronous("SingleAsync");

    /// <summary>Throws <see cref="NotSupportedException"/>. Use <c>SingleAsync</c>.</summary>
    [Obsolete("A query reads its store asynchronously. Await SingleAsync()." + Subquery, error: true), EditorBrowsable(EditorBrowsableState.Never)]
    public T Single(Expression<Func<T, bool>> predicate) => throw Synchronous("SingleAsync");

    /// <summary>Throws <see cref="NotSupportedException"/>. Use <c>SingleOrDefaultAsync</c>.</summary>
    [Obsolete("A query reads its store asynchronously. Await SingleOrDefaultAsync()." + Subquery, error: true), EditorBrowsable(EditorBrowsableState.Never)]
    public T? SingleOrDefault() => throw Synchronous("SingleOrDefaultAsync");

    /// <summary>Throws <see cref="NotSupportedException"/>. Use <c>SingleOrDefaultAsync</c>.</summary>
    [Obsolete("A query reads its store asynchronously. Await SingleOrDefaultAsync()." + Subquery, error: true), EditorBrowsable(EditorBrowsableState.Never)]
    public T? SingleOrDefault(Expression<Func<T, bool>> predicate) => throw Synchronous("SingleOrDefaultAsync");

    /// <summary>Throws <see cref="NotSupportedException"/>. Use <c>ContainsAsync</c>.</summary>
    [Obsolete("A query reads its store asynchronously. Await ContainsAsync()." + Subquery, error: true), EditorBrowsable(EditorBrowsableState.Never)]
    public bool Contains(T item) => throw Synchronous("ContainsAsync");

    /// <summary>Throws <see cref="NotSupportedException"/>. Use <c>SumAsync</c>.</summary>
    [Obsolete("A query reads its store asynchronously. Await SumAsync()." + Subquery, error: true), EditorBrowsable(EditorBrowsableState.Never)]
    public TResult Sum<TResult>(Expression<Func<T, TResult>> selector) => throw Synchronous("SumAsync");

    /// <summary>Throws <see cref="NotSupportedException"/>. Use <c>MinAsync</c>.</summary>
    [Obsolete("A query reads its store asynchronously. Await MinAsync()." + Subquery, error: true), EditorBrowsable(EditorBrowsableState.Never)]
    public TResult Min<TResult>(Expression<Func<T, TResult>> selector) => throw Synchronous("MinAsync");

    /// <summary>Throws <see cref="NotSupportedException"/>. Use <c>MaxAsync</c>.</summary>
    [Obsolete("A query reads its store asynchronously. Await MaxAsync()." + Subquery, error: true), EditorBrowsable(EditorBrowsableState.Never)]
    public TResult Max<TResult>(Expression<Func<T, TResult>> selector) => throw Synchronous("MaxAsync");

    /// <summary>Throws <see cref="NotSupportedException"/>. Use <c>AverageAsync</c>.</summary>
    [Obsolete("A query reads its store asynchronously. Await AverageAsync()." + Subquery, error: true), EditorBrowsable(EditorBrowsableState.Never)]
    public TResult Average<TResult>(Expression<Func<T, TResult>> selector) => throw Synchronous("AverageAsync");

    /// <summary>Throws <see cref="NotSupportedException"/>. Use <c>ToListAsync</c>.</summary>
    [Obsolete("A query reads its store asynchronously. Await ToListAsync()." + Subquery, error: true), EditorBrowsable(EditorBrowsableState.Never)]
    public List<T> ToList() => throw Synchronous("ToListAsync");

    /// <summary>Throws <see cref="NotSupportedException"/>. Use <c>ToArrayAsync</c>.</summary>
    [Obsolete("A query reads its store asynchronously. Await ToArrayAsync()." + Subquery, error: true), EditorBrowsable(EditorBrowsableState.Never)]
    public T[] ToArray() => throw Synchronous("ToArrayAsync");

    /// <summary>Throws <see cref="NotSupportedException"/>. Use <c>ToDictionaryAsync</c>.</summary>
    [Obsolete("A query reads its store asynchronously. Await ToDictionaryAsync()." + Subquery, error: true), EditorBrowsable(EditorBrowsableState.Never)]
    public Dictionary<TKey, T> ToDictionary<TKey>(Func<T, TKey> keySelector)
        where TKey : notnull => throw Synchronous("ToDictionaryAsync");

    static NotSupportedException Synchronous(string remedy) => new($"A query reads its store asynchronously. Await {remedy}().{Subquery}");
}
