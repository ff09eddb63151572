using System.Diagnostics.CodeAnalysis;
using System.Linq.Expressions;

namespace Datacake.Data.Querying.Provider;

/// <summary>The provider that translates queries composed by the methods of <see cref="Queryable"/>.</summary>
[RequiresDynamicCode(QueryTranslator.Requirement), RequiresUnreferencedCode(QueryTranslator.Requirement)]
sealed class QueryableProvider : IQueryProvider
{
    public static QueryableProvider Instance { get; } = new();

    public IQueryable<TElement> CreateQuery<TElement>(Expression expression)
    {
        ArgumentNullException.ThrowIfNull(expression);
        return new QueryableQuery<TElement>(QueryOf<TElement>(expression), expression);
    }

    public IQueryable CreateQuery(Expression expression)
    {
        ArgumentNullException.ThrowIfNull(expression);
        object query = QueryTranslator.Translate(expression);
        return (IQueryable)Activator.CreateInstance(typeof(QueryableQuery<>).MakeGenericType(QueryTranslator.ItemOf(query)), query, expression)!;
    }

    public object? Execute(Expression expression) => throw Synchronous(expression);

    public TResult Execute<TResult>(Expression expression) => throw Synchronous(expression);

    public static Query<T> QueryOf<T>(Expression expression) =>
        // A library may ask for items of a base class or an interface.
        QueryTranslator.Translate(expression) is Query<T> query ? query : throw new NotSupportedException(
            $"'{expression}' is not a query for items of {typeof(T).Name}. Call Cast<{typeof(T).Name}>().");

    public static InvalidOperationException Synchronous(string what, string remedy) => new(
        $"The query reads its store asynchronously. {what} would block the thread. Await {remedy} instead.");

    static InvalidOperationException Synchronous(Expression expression) => expression is MethodCallExpression call
        ? Synchronous($"{call.Method.Name}()", $"{call.Method.Name}Async()")
        : Synchronous("Running the query", "ToListAsync()");
}
