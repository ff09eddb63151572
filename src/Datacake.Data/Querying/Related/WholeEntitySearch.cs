using System.Linq.Expressions;
using Datacake.Data.Expressions;
using Datacake.Data.Querying.Operators;

namespace Datacake.Data.Querying.Related;

/// <summary>A search for uses of an entity other than through its mapped properties and navigations.</summary>
sealed class WholeEntitySearch : ExpressionVisitor
{
    readonly EntityModel _model;
    readonly ParameterExpression _entity;
    bool _isFound;

    WholeEntitySearch(EntityModel model, ParameterExpression entity) => (_model, _entity) = (model, entity);

    public static bool IsUsedIn(EntityModel model, ItemExpression use)
    {
        var search = new WholeEntitySearch(model, use.Item);
        search.Visit(use.Body);
        return search._isFound;
    }

    protected override Expression VisitMember(MemberExpression node)
    {
        if (!PropertyPath.IsParameter(node.Expression, _entity))
            return base.VisitMember(node);
        _isFound |= _model.FindProperty(node.Member.Name) is null && _model.FindNavigation(node.Member.Name) is null;
        return node;
    }

    protected override Expression VisitTypeBinary(TypeBinaryExpression node) =>
        PropertyPath.IsParameter(node.Expression, _entity) ? node : base.VisitTypeBinary(node);

    protected override Expression VisitParameter(ParameterExpression node)
    {
        _isFound |= node == _entity;
        return node;
    }
}
