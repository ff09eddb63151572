using System.Linq.Expressions;
using Datacake.Data.CodeGeneration;
using Datacake.Data.Values;

namespace Datacake.Data.Querying.Analysis;

/// <summary>A rewriter that replaces the values in an expression, constants and captured variables, by parameters that are named "?".</summary>
sealed class ValueMask : ExpressionVisitor
{
    protected override Expression VisitConstant(ConstantExpression node) =>
        // A comparison with null is another query than one with a value. How values are compared is part of the query.
        node.Value is null or Type or StringComparison or IOrderedCodec or ElementEquality ? node : Masked(node);

    protected override Expression VisitMember(MemberExpression node)
    {
        var root = node.Expression;
        while (root is MemberExpression inner)
            root = inner.Expression;
        return root is ConstantExpression ? Masked(node) : base.VisitMember(node);
    }

    static ParameterExpression Masked(Expression value) => Expression.Parameter(value.Type, "?");
}
