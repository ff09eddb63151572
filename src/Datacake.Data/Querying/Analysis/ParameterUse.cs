using System.Linq.Expressions;

namespace Datacake.Data.Querying.Analysis;

/// <summary>A search for parameters in an expression, such as the item of a query.</summary>
sealed class ParameterUse : ExpressionVisitor
{
    bool _isFound;

    ParameterUse()
    {
    }

    public static bool IsIn(Expression expression)
    {
        var search = new ParameterUse();
        search.Visit(expression);
        return search._isFound;
    }

    protected override Expression VisitParameter(ParameterExpression node)
    {
        _isFound = true;
        return node;
    }
}
