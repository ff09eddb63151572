using System.Linq.Expressions;
using System.Reflection;

namespace Datacake.Data.Querying.Analysis;

/// <summary>An evaluator of the parts of a predicate that do not depend on the entity: constants and captured variables.</summary>
static class ExpressionValue
{
    /// <summary>Returns true if the expression has a value that does not depend on the entity, and gets this value.</summary>
    public static bool TryGet(Expression expression, CompiledExpressions compiled, out object? value)
    {
        try
        {
            if (TryGetQuickly(expression, out value))
                return true;
            if (DependsOnParameter(expression))
                return false;
            value = compiled.Evaluate(expression);
            return true;
        }
        catch (Exception)
        {
            // The predicate may never reach the expression, as in x != null && p.Name == x.Name. If it does, the exception is thrown there.
            value = null;
            return false;
        }
    }

    static bool TryGetQuickly(Expression expression, out object? value)
    {
        value = null;
        switch (expression)
        {
            case ConstantExpression constant:
                value = constant.Value;
                return true;
            case MemberExpression { Member: FieldInfo field } access when TryGetTarget(access.Expression, out object? target):
                value = field.GetValue(target);
                return true;
            case MemberExpression { Member: PropertyInfo property } access when TryGetTarget(access.Expression, out object? target):
                value = property.GetValue(target);
                return true;
            // Only conversions that keep the boxed value as it is: to a base type, or to the nullable type.
            case UnaryExpression { NodeType: ExpressionType.Convert, Method: null } convert
                when convert.Type.IsAssignableFrom(convert.Operand.Type)
                    || Nullable.GetUnderlyingType(convert.Type) == convert.Operand.Type:
                return TryGetQuickly(convert.Operand, out value);
            default:
                return false;
        }
    }

    static bool TryGetTarget(Expression? expression, out object? target)
    {
        target = null;
        return expression is null || (TryGetQuickly(expression, out target) && target is not null);
    }

    static bool DependsOnParameter(Expression expression)
    {
        var finder = new ParameterFinder();
        finder.Visit(expression);
        return finder.Found;
    }

    sealed class ParameterFinder : ExpressionVisitor
    {
        readonly List<ParameterExpression> _own = [];   // of nested lambdas

        public bool Found { get; private set; }

        protected override Expression VisitLambda<T>(Expression<T> node)
        {
            _own.AddRange(node.Parameters);
            return base.VisitLambda(node);
        }

        protected override Expression VisitParameter(ParameterExpression node)
        {
            Found |= !_own.Contains(node);
            return node;
        }
    }
}
