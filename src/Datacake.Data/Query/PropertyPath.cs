using System.Linq.Expressions;

namespace Datacake.Data.Querying;

/// <summary>Recognises the properties that expressions name.</summary>
static class PropertyPath
{
    /// <summary>
    /// The names from the parameter on, joined by dots, or null if the expression is anything else. A nullable's <c>Value</c> is the
    /// nullable.
    /// </summary>
    /// <param name="expression">The expression.</param>
    /// <param name="parameter">What the names are looked up from.</param>
    /// <param name="allowsCast">Whether the parameter may be cast first, to name a property of a derived class.</param>
    public static string? Of(Expression expression, ParameterExpression parameter, bool allowsCast = false)
    {
        switch (expression)
        {
            case MemberExpression { Member.Name: nameof(Nullable<>.Value), Expression: { } nullable } when Nullable.GetUnderlyingType(nullable.Type) is not null:
                return Of(nullable, parameter, allowsCast);
            case MemberExpression { Expression: { } owner, Member: System.Reflection.PropertyInfo property }:
                if (owner == parameter || (allowsCast && owner is UnaryExpression { Operand: var cast } && cast == parameter))
                    return property.Name;
                return Of(owner, parameter, allowsCast) is { } path ? $"{path}.{property.Name}" : null;
            // An upcast, as of an entity that a generic method handles by its base class.
            case UnaryExpression { NodeType: ExpressionType.Convert or ExpressionType.TypeAs, Operand: { } operand } when !operand.Type.IsValueType
                && operand != parameter:
                return Of(operand, parameter, allowsCast);
            default:
                return null;
        }
    }
}
