using System.Linq.Expressions;

namespace Datacake.Data.Querying;

/// <summary>Recognises the properties that expressions name.</summary>
static class PropertyPath
{
    /// <summary>
    /// The names from the parameter on, joined by dots, or null if the expression is anything else. A nullable's <c>Value</c> is the
    /// nullable. The parameter may be cast to another class first, to name a property of that; but not to an interface, which a class may
    /// implement with another property than the one of that name.
    /// </summary>
    public static string? Of(Expression expression, ParameterExpression parameter) => Of(expression, parameter, out _);

    /// <inheritdoc cref="Of(Expression, ParameterExpression)"/>
    /// <param name="expression">The expression.</param>
    /// <param name="parameter">What the names are looked up from.</param>
    /// <param name="of">What the parameter is cast to, or its own type.</param>
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
            // An upcast, as of an entity that a generic method handles by its base class.
            case UnaryExpression { NodeType: ExpressionType.Convert or ExpressionType.TypeAs, Operand: { } operand } when !operand.Type.IsValueType:
                return Of(operand, parameter, out of);
            default:
                return null;
        }
    }

    /// <summary>Whether an expression is the parameter, perhaps cast to another class.</summary>
    public static bool IsParameter(Expression? expression, ParameterExpression parameter)
    {
        while (expression is UnaryExpression { NodeType: ExpressionType.Convert or ExpressionType.TypeAs, Method: null, Operand: { Type.IsValueType: false } operand })
            expression = operand;
        return expression == parameter;
    }
}
