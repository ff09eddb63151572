using System.Collections;
using System.Diagnostics.CodeAnalysis;
using System.Linq.Expressions;

namespace Datacake.Data.Querying.Provider;

/// <summary>A queryable that represents a query.</summary>
interface IQueryableQuery
{
    /// <summary>Gets the query, which is a <see cref="Query{T}"/>.</summary>
    object Query { get; }
}

/// <summary>A query as an <see cref="IQueryable{T}"/>, for libraries that compose such queries.</summary>
[RequiresDynamicCode(QueryTranslator.Requirement), RequiresUnreferencedCode(QueryTranslator.Requirement)]
class QueryableQuery<T> : IOrderedQueryable<T>, IAsyncEnumerable<T>, IQueryableQuery
{
    public QueryableQuery(Query<T> query)
    {
        Query = query;
        Expression = Expression.Constant(this);
    }

    public QueryableQuery(Query<T> query, Expression expression)
    {
        Query = query;
        Expression = expression;
    }

    public Query<T> Query { get; }

    object IQueryableQuery.Query => Query;

    public Type ElementType => typeof(T);

    public Expression Expression { get; }

    public IQueryProvider Provider => QueryableProvider.Instance;

    public IAsyncEnumerator<T> GetAsyncEnumerator(CancellationToken cancellationToken = default) => Query.GetAsyncEnumerator(cancellationToken);

    public IEnumerator<T> GetEnumerator() => throw QueryableProvider.Synchronous("Enumerating the query", "ToListAsync(), or await foreach over AsAsyncEnumerable()");

    IEnumerator IEnumerable.GetEnumerator() => GetEnumerator();

    public override string ToString() => Query.Explain();
}
