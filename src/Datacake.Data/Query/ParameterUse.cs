using System.Linq.Expressions;

namespace Datacake.Data.Querying;

/// <summary>Finds out whether an expression depends on a parameter, such as the items of the query.</summary>
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
