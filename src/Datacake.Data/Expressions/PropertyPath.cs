using System.Linq.Expressions;

namespace Datacake.Data.Expressions;

/// <summary>The paths of the properties that expressions name.</summary>
static class PropertyPath
{
    /// <summary>
    /// Returns the property names from the parameter on, joined by dots; null if the expression is anything else. The <c>Value</c> of a
    /// nullable counts as the nullable. The parameter may be cast to another class first, to name a property of that class, but not to an
    /// interface: a class may implement its property by one of another name.
    /// </summary>
    public static string? Of(Expression expression, ParameterExpression parameter) => Of(expression, parameter, out _);

    /// <inheritdoc cref="Of(Expression, ParameterExpression)"/>
    /// <param name="expression">The expression.</param>
    /// <param name="parameter">The parameter that the path starts from.</param>
    /// <param name="of">The type that the parameter is cast to, or its own type.</param>
    public static string? Of(Expression expression, ParameterExpression parameter, out Type of)
    {
        of = parameter.Type;
        switch (expression)
        {
            case MemberExpression { Member.Name: nameof(Nullable<>.Value), Expression: { } nullable } when Nullable.GetUnderlyingType(nullable.Type) is not null:
                return Of(nullable, parameter, out of);
            case MemberExpression { Expression: { } owner, Member: System.Reflection.PropertyInfo property }:
                if (IsParameter(owner, parameter))
                {
                    of = owner.Type;
                    return of.IsInterface ? null : property.Name;
                }
                return Of(owner, parameter, out of) is { } path ? $"{path}.{property.Name}" : null;
            // An upcast, such as that of an entity in a generic method with a base class as its constraint.
            case UnaryExpression { NodeType: ExpressionType.Convert or ExpressionType.TypeAs, Operand: { } operand } when !operand.Type.IsValueType:
                return Of(operand, parameter, out of);
            default:
                return null;
        }
    }

    /// <summary>Returns true if an expression is the parameter, which may be cast to another class.</summary>
    public static bool IsParameter(Expression? expression, ParameterExpression parameter)
    {
        while (expression is UnaryExpression { NodeType: ExpressionType.Convert or ExpressionType.TypeAs, Method: null, Operand: { Type.IsValueType: false } operand })
            expression = operand;
        return expression == parameter;
    }
}
