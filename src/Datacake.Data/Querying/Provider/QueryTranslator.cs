using System.Collections;
using System.Diagnostics.CodeAnalysis;
using System.Linq.Expressions;
using System.Reflection;
using Datacake.Data.Querying.Operators;

namespace Datacake.Data.Querying.Provider;

/// <summary>
/// The translator from calls of the methods of <see cref="Queryable"/> to calls of the same operators of <see cref="Query{T}"/>.
/// </summary>
[RequiresDynamicCode(Requirement), RequiresUnreferencedCode(Requirement)]
static class QueryTranslator
{
    public const string Requirement = "An IQueryable is translated by reflection. In a trimmed or natively compiled application, use the operators of Query<T>.";

    /// <summary>Returns the query that an expression represents.</summary>
    /// <exception cref="NotSupportedException">An operator does not exist in <see cref="Query{T}"/>.</exception>
    public static object Translate(Expression expression)
    {
        switch (expression)
        {
            case ConstantExpression { Value: IQueryableQuery queryable }:
                return queryable.Query;
            case MethodCallExpression { Arguments: [var source, ..] } call when call.Method.DeclaringType == typeof(Queryable):
                return Invoke(call, Translate(source));
            default:
                // The queryable is captured by a lambda.
                return ValueOf(expression) is IQueryableQuery captured
                    ? captured.Query
                    : throw new NotSupportedException($"'{expression}' is not a Datacake query, and cannot be part of one. Read its results into a list first.");
        }
    }

    /// <summary>Returns the type of the items of a query.</summary>
    public static Type ItemOf(object query)
    {
        for (var type = query.GetType(); type is not null; type = type.BaseType)
        {
            if (type.IsGenericType && type.GetGenericTypeDefinition() == typeof(Query<>))
                return type.GetGenericArguments()[0];
        }
        throw new ArgumentException($"{query.GetType().Name} is not a query.", nameof(query));
    }

    static object Invoke(MethodCallExpression call, object source)
    {
        object?[] arguments = [.. call.Arguments.Skip(1).Select(argument => ArgumentOf(argument, RootOf(source)))];
        var method = FindMethod(call, QueryTypeOf(source), arguments) ?? throw NotKnown(call);
        try
        {
            return method.Invoke(source, BindingFlags.DoNotWrapExceptions, binder: null, arguments, culture: null)!;
        }
        catch (NullReferenceException e)
        {
            throw new NotSupportedException($"{call.Method.Name} cannot be translated with these arguments. Call ToListAsync first, and continue in memory.", e);
        }
    }

    static QuerySource RootOf(object query) => (QuerySource)typeof(Query<>).MakeGenericType(ItemOf(query))
        .GetProperty(nameof(Query<>.Root), BindingFlags.NonPublic | BindingFlags.Instance)!.GetValue(query)!;

    /// <summary>Returns the public type of a query, which has its operators.</summary>
    static Type QueryTypeOf(object query)
    {
        var item = ItemOf(query);
        var ordered = typeof(OrderedQuery<>).MakeGenericType(item);
        return ordered.IsInstanceOfType(query) ? ordered : typeof(Query<>).MakeGenericType(item);
    }

    static MethodInfo? FindMethod(MethodCallExpression call, Type query, object?[] arguments)
    {
        var types = call.Method.GetGenericArguments();
        foreach (var method in query.GetMethods(BindingFlags.Public | BindingFlags.Instance))
        {
            if (method.Name != call.Method.Name || method.GetParameters().Length != arguments.Length)
                continue;
            int arity = method.GetGenericArguments().Length;
            if (arity > types.Length)
                continue;
            // The first type argument is that of the source, except for OfType and Cast.
            var made = arity == 0 ? method : method.MakeGenericMethod(types[^arity..]);
            if (made.GetParameters().Zip(arguments).All(pair => pair.Second is null ? !pair.First.ParameterType.IsValueType : pair.First.ParameterType.IsInstanceOfType(pair.Second)))
                return made;
        }
        return null;
    }

    static object? ArgumentOf(Expression argument, QuerySource root)
    {
        if (argument is UnaryExpression { NodeType: ExpressionType.Quote, Operand: LambdaExpression quoted })
            return LambdaOf(quoted);
        if (argument is LambdaExpression lambda)
            return LambdaOf(lambda);
        if (argument is MethodCallExpression call && call.Method.DeclaringType == typeof(Queryable))
            return Translate(argument);
        return ValueOf(argument) switch
        {
            IQueryableQuery queryable => queryable.Query,
            LambdaExpression captured => LambdaOf(captured),
            IEnumerable items when argument.Type != typeof(string) && ElementOf(argument.Type) is { } element =>
                LocalOf(items, element, root),
            var value => value,
        };
    }

    static object LocalOf(IEnumerable items, Type element, QuerySource root) => Activator.CreateInstance(
        typeof(UnorderedQuery<>).MakeGenericType(element), Activator.CreateInstance(typeof(LocalOperator<>).MakeGenericType(element), items, root))!;

    /// <summary>Returns a lambda that returns a query if the given one returns a queryable.</summary>
    static LambdaExpression LambdaOf(LambdaExpression lambda)
    {
        var body = lambda.Body is UnaryExpression { NodeType: ExpressionType.Convert } convert ? convert.Operand : lambda.Body;
        if (lambda.Parameters.Count != 1 || !typeof(IQueryable).IsAssignableFrom(body.Type) || QueryExpressionOf(body) is not { } query)
        {
            new SubquerySearch().Visit(lambda.Body);
            return lambda;
        }
        var type = typeof(Func<,>).MakeGenericType(lambda.Parameters[0].Type, typeof(Query<>).MakeGenericType(ElementOf(body.Type)!));
        return Expression.Lambda(type, query, lambda.Parameters);
    }

    /// <summary>
    /// Returns the expression of the query that a queryable represents; null if the queryable is not one of this provider.
    /// </summary>
    static Expression? QueryExpressionOf(Expression expression)
    {
        if (expression is not MethodCallExpression { Arguments: [var source, ..] } call || call.Method.DeclaringType != typeof(Queryable))
            return ValueOf(expression) is IQueryableQuery root ? Expression.Constant(root.Query, typeof(Query<>).MakeGenericType(ItemOf(root.Query))) : null;
        if (QueryExpressionOf(source) is not { } query)
            return null;
        var quoted = call.Arguments.Skip(1).Select(argument => argument is UnaryExpression { Operand: LambdaExpression lambda } ? lambda : argument).ToList();
        object?[] arguments = [.. quoted.Select(argument => argument is LambdaExpression ? argument : ValueOf(argument))];
        var method = FindMethod(call, query.Type, arguments) ?? throw NotKnown(call);
        return Expression.Call(query, method, quoted.Select(argument => argument is LambdaExpression ? Expression.Quote(argument) : argument));
    }

    static object? ValueOf(Expression expression) => expression is ConstantExpression constant
        ? constant.Value
        : Depends(expression) ? null : Expression.Lambda<Func<object?>>(Expression.Convert(expression, typeof(object))).Compile(preferInterpretation: true)();

    static bool Depends(Expression expression)
    {
        var search = new FreeParameters();
        search.Visit(expression);
        return search.IsFound;
    }

    static Type? ElementOf(Type type) => type.GetInterfaces().Append(type)
        .FirstOrDefault(each => each.IsGenericType && each.GetGenericTypeDefinition() == typeof(IEnumerable<>))?.GetGenericArguments()[0];

    static NotSupportedException NotKnown(MethodCallExpression call) => new(
        $"{call.Method.Name} with the parameters ({string.Join(", ", call.Method.GetParameters().Skip(1).Select(parameter => parameter.ParameterType.Name))}) cannot be translated. "
        + "Call ToListAsync first, and continue in memory.");

    sealed class FreeParameters : ExpressionVisitor
    {
        readonly HashSet<ParameterExpression> _own = [];

        public bool IsFound { get; private set; }

        protected override Expression VisitLambda<T>(Expression<T> node)
        {
            _own.UnionWith(node.Parameters);
            return base.VisitLambda(node);
        }

        protected override Expression VisitParameter(ParameterExpression node)
        {
            IsFound |= !_own.Contains(node);
            return node;
        }
    }

    /// <summary>
    /// A search for queries within a condition or selector. It throws an exception for such a query, which would have to run synchronously.
    /// </summary>
    [RequiresDynamicCode(Requirement), RequiresUnreferencedCode(Requirement)]
    sealed class SubquerySearch : ExpressionVisitor
    {
        protected override Expression VisitMethodCall(MethodCallExpression node)
        {
            if (node.Method.DeclaringType == typeof(Queryable) && RootOf(node) is { } root && !Depends(root) && ValueOf(root) is IQueryableQuery)
            {
                throw new NotSupportedException(
                    $"{node.Method.Name} runs another query for each item, which is not supported within an expression. Use a navigation, as in a => a.Books.Any(), or combine the "
                    + "queries with Join, LeftJoin, GroupJoin or SelectMany, or read the other query first and use its results.");
            }
            return base.VisitMethodCall(node);
        }

        static Expression RootOf(Expression expression)
        {
            while (expression is MethodCallExpression { Arguments: [var source, ..] } call && call.Method.DeclaringType == typeof(Queryable))
                expression = source;
            return expression;
        }
    }
}
