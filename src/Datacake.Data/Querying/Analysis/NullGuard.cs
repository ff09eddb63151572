using System.Collections;
using System.Linq.Expressions;

namespace Datacake.Data.Querying.Analysis;

/// <summary>
/// A rewriter that makes conditions false for null, instead of throwing, if an index can also answer them: a null string starts with
/// nothing, the value of a null number equals nothing, and a null array has no elements. Such a query therefore does not throw if the index
/// is missing or still being built. All other expressions throw for null, as in C#.
/// </summary>
sealed class NullGuard : ExpressionVisitor
{
    // The nullable types, because a natively compiled application cannot construct them at run time. The compiler compares smaller integers
    // and enums as one of these types.
    static readonly Dictionary<Type, Type> Nullables = new()
    {
        [typeof(int)] = typeof(int?),
        [typeof(uint)] = typeof(uint?),
        [typeof(long)] = typeof(long?),
        [typeof(ulong)] = typeof(ulong?),
        [typeof(float)] = typeof(float?),
        [typeof(double)] = typeof(double?),
        [typeof(decimal)] = typeof(decimal?),
    };

    public static Expression Apply(Expression body) => new NullGuard().Visit(body);

    protected override Expression VisitMethodCall(MethodCallExpression node)
    {
        var visited = base.VisitMethodCall(node);
        if (visited is not MethodCallExpression call || call.Type != typeof(bool))
            return visited;
        if (call.Method.DeclaringType == typeof(string) && call.Object is { } text && CanBeReadTwice(text)
            && call.Method.Name is nameof(string.StartsWith) or nameof(string.EndsWith) or nameof(string.Contains) or nameof(string.Equals))
            return UnlessNull(text, call);
        if (call is { Method.Name: nameof(Equals), Object: { } owner } && NullableOf(owner) is { } value)
            return UnlessNull(value, call);
        if (call.Method.Name != nameof(IList.Contains))
            return call;
        Expression guarded = call.Method.DeclaringType == typeof(IList) ? UnlessNull(call.Object!, call) : call;
        return call.Arguments.Select(static argument => NullableOf(WithoutConversions(argument))).FirstOrDefault(static found => found is not null) is { } nullable
            ? UnlessNull(nullable, guarded)
            : guarded;
    }

    protected override Expression VisitBinary(BinaryExpression node)
    {
        if (node.NodeType is not (ExpressionType.Equal or ExpressionType.NotEqual or ExpressionType.LessThan or ExpressionType.LessThanOrEqual
            or ExpressionType.GreaterThan or ExpressionType.GreaterThanOrEqual))
            return base.VisitBinary(node);
        // p.Day.Value.CompareTo(x) > 0
        if (node is { NodeType: not ExpressionType.NotEqual, Left: MethodCallExpression { Method.Name: nameof(IComparable.CompareTo), Object: { } compared } }
            && NullableOf(compared) is { } owner)
            return UnlessNull(Visit(owner), base.VisitBinary(node));
        var (left, right) = (Lifted(node.Left), Lifted(node.Right));
        if (left is null && right is null)
            return base.VisitBinary(node);
        var type = (left ?? right)!.Type;
        return Expression.MakeBinary(
            node.NodeType, left is null ? Expression.Convert(Visit(node.Left), type) : Visit(left), right is null ? Expression.Convert(Visit(node.Right), type) : Visit(right),
            liftToNull: false, node.Method);
    }

    static BinaryExpression UnlessNull(Expression value, Expression condition) => Expression.AndAlso(Expression.NotEqual(value, Expression.Constant(null, value.Type)), condition);

    /// <summary>Returns the nullable whose <c>Value</c> an expression reads; null if it reads none.</summary>
    static Expression? NullableOf(Expression expression) => expression switch
    {
        MemberExpression { Member.Name: nameof(Nullable<int>.Value), Expression: { } owner } when Nullable.GetUnderlyingType(owner.Type) is not null => owner,
        _ => null,
    };

    /// <summary>
    /// Returns the nullable whose <c>Value</c> an expression reads, or null if it reads none. The value may be converted, as the compiler
    /// does with enums and small integers.
    /// </summary>
    static Expression? Lifted(Expression expression) => expression is UnaryExpression { NodeType: ExpressionType.Convert } convert
        ? Nullables.TryGetValue(convert.Type, out var type) && Lifted(convert.Operand) is { } nullable ? Expression.Convert(nullable, type, convert.Method) : null
        : NullableOf(expression);

    static Expression WithoutConversions(Expression expression)
    {
        while (expression is UnaryExpression { NodeType: ExpressionType.Convert, Operand: var operand })
            expression = operand;
        return expression;
    }

    static bool CanBeReadTwice(Expression text) => text is MemberExpression or ParameterExpression;
}
