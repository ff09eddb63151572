using System.Linq.Expressions;

namespace Datacake.Data.Querying;

/// <summary>Recognises the properties that expressions name.</summary>
static class PropertyPath
{
    /// <summary>
    /// The names from the parameter on, joined by dots, or null if the expression is anything else. A nullable's <c>Value</c> is the
    /// nullable.
    /// </summary>
    public static string? Of(Expression expression, ParameterExpression parameter)
    {
        switch (expression)
        {
            case MemberExpression { Member.Name: nameof(Nullable<>.Value), Expression: { } nullable } when Nullable.GetUnderlyingType(nullable.Type) is not null:
                return Of(nullable, parameter);
            case MemberExpression { Expression: { } owner, Member: System.Reflection.PropertyInfo property }:
                if (owner == parameter)
                    return property.Name;
                return Of(owner, parameter) is { } path ? $"{path}.{property.Name}" : null;
            // An upcast, as of an entity that a generic method handles by its base class.
            case UnaryExpression { NodeType: ExpressionType.Convert or ExpressionType.TypeAs, Operand: { } operand } when !operand.Type.IsValueType
                && operand != parameter:
                return Of(operand, parameter);
            default:
                return null;
        }
    }
}
