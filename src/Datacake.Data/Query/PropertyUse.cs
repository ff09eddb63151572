using System.Linq.Expressions;

namespace Datacake.Data.Querying;

/// <summary>Finds out whether an expression uses one of some properties.</summary>
sealed class PropertyUse : ExpressionVisitor
{
    readonly ParameterExpression _entity;
    readonly IReadOnlyCollection<string> _properties;
    bool _isFound;

    PropertyUse(ParameterExpression entity, IReadOnlyCollection<string> properties) => (_entity, _properties) = (entity, properties);

    public static bool IsIn(LambdaExpression use, IReadOnlyCollection<string> properties)
    {
        var search = new PropertyUse(use.Parameters[0], properties);
        search.Visit(use.Body);
        return search._isFound;
    }

    protected override Expression VisitMember(MemberExpression node)
    {
        _isFound |= PropertyPath.Of(node, _entity) is { } path && _properties.Contains(path);
        return base.VisitMember(node);
    }
}
