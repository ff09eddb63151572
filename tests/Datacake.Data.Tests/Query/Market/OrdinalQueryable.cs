using System.Collections;
using System.Linq.Expressions;
using System.Reflection;

namespace Datacake.Data.Tests.Query.Market;

/// <summary>The reference for store queries: LINQ to Objects with ordinal string comparison in every culture.</summary>
sealed class OrdinalQueryable<T>(IQueryable<T> source) : IOrderedQueryable<T>
{
    public Type ElementType => typeof(T);

    public Expression Expression => source.Expression;

    public IQueryProvider Provider => new OrdinalProvider(source.Provider);

    public IEnumerator<T> GetEnumerator() => source.Provider.CreateQuery<T>(OrdinalStrings.Rewrite(source.Expression)).GetEnumerator();

    IEnumerator IEnumerable.GetEnumerator() => GetEnumerator();
}

sealed class OrdinalProvider(IQueryProvider provider) : IQueryProvider
{
    public IQueryable CreateQuery(Expression expression) => throw new NotSupportedException("The suite creates typed queries alone.");

    public IQueryable<TElement> CreateQuery<TElement>(Expression expression) => new OrdinalQueryable<TElement>(provider.CreateQuery<TElement>(expression));

    public object? Execute(Expression expression) => provider.Execute(OrdinalStrings.Rewrite(expression));

    public TResult Execute<TResult>(Expression expression) => provider.Execute<TResult>(OrdinalStrings.Rewrite(expression));
}

/// <summary>Adds an ordinal comparer to the operators that compare strings.</summary>
sealed class OrdinalStrings : ExpressionVisitor
{
    public static Expression Rewrite(Expression expression) => new OrdinalStrings().Visit(expression);

    // A source of the suite within a query is replaced by its list.
    protected override Expression VisitMember(MemberExpression node)
    {
        if (typeof(IQueryable).IsAssignableFrom(node.Type) && Evaluate(node) is IQueryable queryable)
            return Visit(queryable.Expression);
        return base.VisitMember(node);
    }

    protected override Expression VisitMethodCall(MethodCallExpression node)
    {
        var visited = (MethodCallExpression)base.VisitMethodCall(node);
        var types = visited.Method.GetGenericArguments();
        if ((visited.Method.DeclaringType != typeof(Queryable) && visited.Method.DeclaringType != typeof(Enumerable)) || types.Length == 0 || types[^1] != typeof(string))
            return visited;
        int wanted = visited.Method.Name switch
        {
            "Order" or "OrderDescending" => 1,
            "Min" or "Max" when types.Length == 1 => 1,
            "OrderBy" or "OrderByDescending" or "ThenBy" or "ThenByDescending" or "MinBy" or "MaxBy" => 2,
            "Min" or "Max" => 3,
            _ => 0,
        };
        if (wanted == 3)
        {
            var select = visited.Method.DeclaringType!.GetMethods().First(method => method.Name == "Select").MakeGenericMethod(types);
            var selected = Expression.Call(select, visited.Arguments);
            return Expression.Call(WithComparer(visited.Method, 2).MakeGenericMethod(typeof(string)), selected, Ordinal);
        }
        return visited.Arguments.Count != wanted ? visited
            : Expression.Call(WithComparer(visited.Method, wanted + 1).MakeGenericMethod(types), [.. visited.Arguments, Ordinal]);
    }

    static Expression Ordinal => Expression.Constant(StringComparer.Ordinal, typeof(IComparer<string>));

    static MethodInfo WithComparer(MethodInfo method, int parameters) => method.DeclaringType!.GetMethods().First(other =>
        other.Name == method.Name && other.GetParameters().Length == parameters
        && other.GetParameters()[^1].ParameterType is { IsGenericType: true } type && type.GetGenericTypeDefinition() == typeof(IComparer<>));

    static object? Evaluate(Expression node)
    {
        try
        {
            return Expression.Lambda<Func<object?>>(node).Compile(preferInterpretation: true)();
        }
        catch (InvalidOperationException)
        {
            // The expression depends on a query parameter.
            return null;
        }
    }
}
