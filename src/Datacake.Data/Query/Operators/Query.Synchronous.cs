using System.ComponentModel;
using System.Linq.Expressions;

namespace Datacake.Data;

#pragma warning disable CA1720 // Single is the name of the operator

// What a query would have if it could be read synchronously: to name what to write instead, where the compiler would only say that it is not there.
public abstract partial class Query<T>
{
    const string Subquery =
        " Within the expression of another query, use a navigation, as in a => a.Books.Any(), or bring the two together with Join, LeftJoin, GroupJoin or SelectMany, or read this one first and use its results.";

    /// <summary>Is AnyAsync here.</summary>
    [Obsolete("A query reads its store asynchronously: await AnyAsync()." + Subquery, error: true), EditorBrowsable(EditorBrowsableState.Never)]
    public bool Any() => throw Synchronous("AnyAsync");

    /// <summary>Is AnyAsync here.</summary>
    [Obsolete("A query reads its store asynchronously: await AnyAsync()." + Subquery, error: true), EditorBrowsable(EditorBrowsableState.Never)]
    public bool Any(Expression<Func<T, bool>> predicate) => throw Synchronous("AnyAsync");

    /// <summary>Is AllAsync here.</summary>
    [Obsolete("A query reads its store asynchronously: await AllAsync()." + Subquery, error: true), EditorBrowsable(EditorBrowsableState.Never)]
    public bool All(Expression<Func<T, bool>> predicate) => throw Synchronous("AllAsync");

    /// <summary>Is CountAsync here.</summary>
    [Obsolete("A query reads its store asynchronously: await CountAsync()." + Subquery, error: true), EditorBrowsable(EditorBrowsableState.Never)]
    public int Count() => throw Synchronous("CountAsync");

    /// <summary>Is CountAsync here.</summary>
    [Obsolete("A query reads its store asynchronously: await CountAsync()." + Subquery, error: true), EditorBrowsable(EditorBrowsableState.Never)]
    public int Count(Expression<Func<T, bool>> predicate) => throw Synchronous("CountAsync");

    /// <summary>Is LongCountAsync here.</summary>
    [Obsolete("A query reads its store asynchronously: await LongCountAsync()." + Subquery, error: true), EditorBrowsable(EditorBrowsableState.Never)]
    public long LongCount() => throw Synchronous("LongCountAsync");

    /// <summary>Is LongCountAsync here.</summary>
    [Obsolete("A query reads its store asynchronously: await LongCountAsync()." + Subquery, error: true), EditorBrowsable(EditorBrowsableState.Never)]
    public long LongCount(Expression<Func<T, bool>> predicate) => throw Synchronous("LongCountAsync");

    /// <summary>Is FirstAsync here.</summary>
    [Obsolete("A query reads its store asynchronously: await FirstAsync()." + Subquery, error: true), EditorBrowsable(EditorBrowsableState.Never)]
    public T First() => throw Synchronous("FirstAsync");

    /// <summary>Is FirstAsync here.</summary>
    [Obsolete("A query reads its store asynchronously: await FirstAsync()." + Subquery, error: true), EditorBrowsable(EditorBrowsableState.Never)]
    public T First(Expression<Func<T, bool>> predicate) => throw Synchronous("FirstAsync");

    /// <summary>Is FirstOrDefaultAsync here.</summary>
    [Obsolete("A query reads its store asynchronously: await FirstOrDefaultAsync()." + Subquery, error: true), EditorBrowsable(EditorBrowsableState.Never)]
    public T? FirstOrDefault() => throw Synchronous("FirstOrDefaultAsync");

    /// <summary>Is FirstOrDefaultAsync here.</summary>
    [Obsolete("A query reads its store asynchronously: await FirstOrDefaultAsync()." + Subquery, error: true), EditorBrowsable(EditorBrowsableState.Never)]
    public T? FirstOrDefault(Expression<Func<T, bool>> predicate) => throw Synchronous("FirstOrDefaultAsync");

    /// <summary>Is LastAsync here.</summary>
    [Obsolete("A query reads its store asynchronously: await LastAsync()." + Subquery, error: true), EditorBrowsable(EditorBrowsableState.Never)]
    public T Last() => throw Synchronous("LastAsync");

    /// <summary>Is LastAsync here.</summary>
    [Obsolete("A query reads its store asynchronously: await LastAsync()." + Subquery, error: true), EditorBrowsable(EditorBrowsableState.Never)]
    public T Last(Expression<Func<T, bool>> predicate) => throw Synchronous("LastAsync");

    /// <summary>Is LastOrDefaultAsync here.</summary>
    [Obsolete("A query reads its store asynchronously: await LastOrDefaultAsync()." + Subquery, error: true), EditorBrowsable(EditorBrowsableState.Never)]
    public T? LastOrDefault() => throw Synchronous("LastOrDefaultAsync");

    /// <summary>Is LastOrDefaultAsync here.</summary>
    [Obsolete("A query reads its store asynchronously: await LastOrDefaultAsync()." + Subquery, error: true), EditorBrowsable(EditorBrowsableState.Never)]
    public T? LastOrDefault(Expression<Func<T, bool>> predicate) => throw Synchronous("LastOrDefaultAsync");

    /// <summary>Is SingleAsync here.</summary>
    [Obsolete("A query reads its store asynchronously: await SingleAsync()." + Subquery, error: true), EditorBrowsable(EditorBrowsableState.Never)]
    public T Single() => throw Synchronous("SingleAsync");

    /// <summary>Is SingleAsync here.</summary>
    [Obsolete("A query reads its store asynchronously: await SingleAsync()." + Subquery, error: true), EditorBrowsable(EditorBrowsableState.Never)]
    public T Single(Expression<Func<T, bool>> predicate) => throw Synchronous("SingleAsync");

    /// <summary>Is SingleOrDefaultAsync here.</summary>
    [Obsolete("A query reads its store asynchronously: await SingleOrDefaultAsync()." + Subquery, error: true), EditorBrowsable(EditorBrowsableState.Never)]
    public T? SingleOrDefault() => throw Synchronous("SingleOrDefaultAsync");

    /// <summary>Is SingleOrDefaultAsync here.</summary>
    [Obsolete("A query reads its store asynchronously: await SingleOrDefaultAsync()." + Subquery, error: true), EditorBrowsable(EditorBrowsableState.Never)]
    public T? SingleOrDefault(Expression<Func<T, bool>> predicate) => throw Synchronous("SingleOrDefaultAsync");

    /// <summary>Is ContainsAsync here.</summary>
    [Obsolete("A query reads its store asynchronously: await ContainsAsync()." + Subquery, error: true), EditorBrowsable(EditorBrowsableState.Never)]
    public bool Contains(T item) => throw Synchronous("ContainsAsync");

    /// <summary>Is SumAsync here.</summary>
    [Obsolete("A query reads its store asynchronously: await SumAsync()." + Subquery, error: true), EditorBrowsable(EditorBrowsableState.Never)]
    public TResult Sum<TResult>(Expression<Func<T, TResult>> selector) => throw Synchronous("SumAsync");

    /// <summary>Is MinAsync here.</summary>
    [Obsolete("A query reads its store asynchronously: await MinAsync()." + Subquery, error: true), EditorBrowsable(EditorBrowsableState.Never)]
    public TResult Min<TResult>(Expression<Func<T, TResult>> selector) => throw Synchronous("MinAsync");

    /// <summary>Is MaxAsync here.</summary>
    [Obsolete("A query reads its store asynchronously: await MaxAsync()." + Subquery, error: true), EditorBrowsable(EditorBrowsableState.Never)]
    public TResult Max<TResult>(Expression<Func<T, TResult>> selector) => throw Synchronous("MaxAsync");

    /// <summary>Is AverageAsync here.</summary>
    [Obsolete("A query reads its store asynchronously: await AverageAsync()." + Subquery, error: true), EditorBrowsable(EditorBrowsableState.Never)]
    public TResult Average<TResult>(Expression<Func<T, TResult>> selector) => throw Synchronous("AverageAsync");

    /// <summary>Is ToListAsync here.</summary>
    [Obsolete("A query reads its store asynchronously: await ToListAsync()." + Subquery, error: true), EditorBrowsable(EditorBrowsableState.Never)]
    public List<T> ToList() => throw Synchronous("ToListAsync");

    /// <summary>Is ToArrayAsync here.</summary>
    [Obsolete("A query reads its store asynchronously: await ToArrayAsync()." + Subquery, error: true), EditorBrowsable(EditorBrowsableState.Never)]
    public T[] ToArray() => throw Synchronous("ToArrayAsync");

    /// <summary>Is ToDictionaryAsync here.</summary>
    [Obsolete("A query reads its store asynchronously: await ToDictionaryAsync()." + Subquery, error: true), EditorBrowsable(EditorBrowsableState.Never)]
    public Dictionary<TKey, T> ToDictionary<TKey>(Func<T, TKey> keySelector)
        where TKey : notnull => throw Synchronous("ToDictionaryAsync");

    static NotSupportedException Synchronous(string remedy) => new($"A query reads its store asynchronously: await {remedy}().{Subquery}");
}
