using System.Linq.Expressions;
using Datacake.Data.Expressions;

namespace Datacake.Data.Querying.Operators;

/// <summary>An item of a query, and the item that it is joined with.</summary>
readonly record struct Pair<TLeft, TRight>(TLeft Left, TRight Right)
{
    /// <summary>Gets the value of <see cref="Right"/>, or null where there is none.</summary>
    public TRight RightOrDefault => Right;
}

/// <summary>Conversions between expressions over two items and expressions over the pair of them.</summary>
static class Pair
{
    /// <summary>Converts a function of two items to a function of a pair.</summary>
    /// <param name="selector">The function.</param>
    /// <param name="isRightOptional">True if the second item may be missing.</param>
    public static Expression<Func<Pair<TLeft, TRight>, TResult>> Selector<TLeft, TRight, TResult>(
        Expression<Func<TLeft, TRight, TResult>> selector, bool isRightOptional)
    {
        Expression<Func<Pair<TLeft, TRight>, TLeft>> left = pair => pair.Left;
        Expression<Func<Pair<TLeft, TRight>, TRight>> right = isRightOptional ? pair => pair.RightOrDefault : pair => pair.Right;
        var (first, second) = (selector.Parameters[0], selector.Parameters[1]);
        // Exceptions name the items as in the source code.
        var both = Expression.Parameter(typeof(Pair<TLeft, TRight>), $"{first.Name}, {second.Name}");
        var body = new ParameterReplacement(first, ItemExpression.Of(left).With(both)).Visit(selector.Body);
        body = new ParameterReplacement(second, ItemExpression.Of(right).With(both)).Visit(body);
        return Expression.Lambda<Func<Pair<TLeft, TRight>, TResult>>(body, both);
    }

    public static bool IsLeft(Expression expression, ParameterExpression pair) =>
        expression is MemberExpression { Member.Name: nameof(Pair<,>.Left) } member && member.Expression == pair;

    public static bool IsRight(Expression expression, ParameterExpression pair) =>
        expression is MemberExpression { Member.Name: nameof(Pair<,>.Right) or nameof(Pair<,>.RightOrDefault) } member && member.Expression == pair;

    /// <summary>Returns the role of an expression over a pair for the use of the left side. The pair as a whole uses both sides.</summary>
    public static UseKind UseOfLeft(Expression expression, ParameterExpression pair) =>
        IsLeft(expression, pair) || expression == pair ? UseKind.Element : IsRight(expression, pair) ? UseKind.Apart : UseKind.None;

    /// <summary>Returns the role of an expression over a pair for the use of the right side.</summary>
    public static UseKind UseOfRight(Expression expression, ParameterExpression pair) =>
        IsRight(expression, pair) || expression == pair ? UseKind.Element : IsLeft(expression, pair) ? UseKind.Apart : UseKind.None;

    public static bool IsPair(Type type) => type.IsGenericType && type.GetGenericTypeDefinition() == typeof(Pair<,>);

    /// <summary>Converts an expression over a pair to one over the item of one side; returns null if it uses more than that side.</summary>
    public static ItemExpression? Side<TSide>(ItemExpression use, Func<Expression, ParameterExpression, bool> isSide)
    {
        var item = Expression.Parameter(typeof(TSide), NameOf(use.Item, isSide));
        var visitor = new SideReplacement(use.Item, item, isSide);
        var body = visitor.Visit(use.Body);
        return visitor.IsOther ? null : new ItemExpression(item, body);
    }

    /// <summary>Returns the name that a member of a pair has in the source code; null if it has none.</summary>
    public static string? NameOf(MemberExpression member) =>
        member.Expression is ParameterExpression { Name: not null } pair && IsPair(pair.Type)
            ? NameOf(pair, IsLeft(member, pair) ? IsLeft : IsRight)
            : null;

    static string? NameOf(ParameterExpression pair, Func<Expression, ParameterExpression, bool> isSide) =>
        pair.Name?.Split(", ") is [var left, var right] ? (isSide == IsLeft ? left : right) : null;

    sealed class SideReplacement(ParameterExpression pair, ParameterExpression item, Func<Expression, ParameterExpression, bool> isSide) : ExpressionVisitor
    {
        public bool IsOther { get; private set; }

        protected override Expression VisitMember(MemberExpression node) => isSide(node, pair) ? item : base.VisitMember(node);

        protected override Expression VisitParameter(ParameterExpression node)
        {
            IsOther |= node == pair;
            return node;
        }
    }
}
