using System.Collections;
using System.Linq.Expressions;

namespace Datacake.Data.Querying;

/// <summary>
/// Makes of a condition on null a no, for those that an index answers, too: a null string starts with nothing, the value of a null number equals none, and a null array has no
/// elements. So a query that finds its entities by an index does not throw where there is none, or while it is being built. What else comes upon null throws, as in C#.
/// </summary>
sealed class NullGuard : ExpressionVisitor
{
    public static Expression Apply(Expression body) => new NullGuard().Visit(body);

    protected override Expression VisitMethodCall(MethodCallExpression node)
    {
        var visited = base.VisitMethodCall(node);
        if (visited is not MethodCallExpression call || call.Type != typeof(bool))
            return visited;
        if (call.Method.DeclaringType == typeof(string) && call.Object is { } text && CanBeReadTwice(text)
            && call.Method.Name is nameof(string.StartsWith) or nameof(string.EndsWith) or nameof(string.Contains))
            return UnlessNull(text, call);
        if (call.Method.Name != nameof(IList.Contains))
            return call;
        Expression guarded = call.Method.DeclaringType == typeof(IList) ? UnlessNull(call.Object!, call) : call;
        return call.Arguments.Select(static argument => NullableOf(argument is UnaryExpression { NodeType: ExpressionType.Convert, Operand: var operand } ? operand : argument)).FirstOrDefault(static found => found is not null) is { } nullable
            ? UnlessNull(nullable, guarded)
            : guarded;
    }

    protected override Expression VisitBinary(BinaryExpression node)
    {
        bool isComparison = node.NodeType is ExpressionType.Equal or ExpressionType.NotEqual or ExpressionType.LessThan or ExpressionType.LessThanOrEqual
            or ExpressionType.GreaterThan or ExpressionType.GreaterThanOrEqual;
        var (left, right) = (NullableOf(node.Left), NullableOf(node.Right));
        if (!isComparison || (left is null && right is null))
            return base.VisitBinary(node);
        var type = (left ?? right)!.Type;
        return Expression.MakeBinary(
            node.NodeType, left is null ? Expression.Convert(Visit(node.Left), type) : Visit(left), right is null ? Expression.Convert(Visit(node.Right), type) : Visit(right),
            liftToNull: false, node.Method);
    }

    static BinaryExpression UnlessNull(Expression value, Expression condition) => Expression.AndAlso(Expression.NotEqual(value, Expression.Constant(null, value.Type)), condition);

    /// <summary>Returns the nullable of which an expression is the value.</summary>
    static Expression? NullableOf(Expression expression) => expression switch
    {
        MemberExpression { Member.Name: nameof(Nullable<int>.Value), Expression: { } owner } when Nullable.GetUnderlyingType(owner.Type) is not null => owner,
        _ => null,
    };

    static bool CanBeReadTwice(Expression text) => text is MemberExpression or ParameterExpression;
}
