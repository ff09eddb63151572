using System.Linq.Expressions;

namespace Datacake.Data.Querying;

/// <summary>Finds out whether a projection uses the entity itself, and not only its properties.</summary>
sealed class EntityUse : ExpressionVisitor
{
    readonly ParameterExpression _entity;
    bool _isFound;

    EntityUse(ParameterExpression entity) => _entity = entity;

    public static bool IsIn(LambdaExpression projection)
    {
        var search = new EntityUse(projection.Parameters[0]);
        search.Visit(projection.Body);
        return search._isFound;
    }

    protected override Expression VisitMember(MemberExpression node) =>
        PropertyPath.IsParameter(node.Expression, _entity) ? node : base.VisitMember(node);

    protected override Expression VisitTypeBinary(TypeBinaryExpression node) =>
        PropertyPath.IsParameter(node.Expression, _entity) ? node : base.VisitTypeBinary(node);

    protected override Expression VisitParameter(ParameterExpression node)
    {
        _isFound |= node == _entity;
        return node;
    }
}
