using System.Linq.Expressions;

namespace Datacake.Data.Querying.Operators;

/// <summary>A search for a certain parameter in an expression.</summary>
sealed class ParameterSearch(ParameterExpression parameter) : ExpressionVisitor
{
    bool _isFound;

    public static bool IsIn(Expression expression, ParameterExpression parameter)
    {
        var search = new ParameterSearch(parameter);
        search.Visit(expression);
        return search._isFound;
    }

    protected override Expression VisitParameter(ParameterExpression node)
    {
        _isFound |= node == parameter;
        return node;
    }
}
