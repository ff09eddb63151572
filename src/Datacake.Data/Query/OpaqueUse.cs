using System.Linq.Expressions;
using Datacake.Data.Metadata;

namespace Datacake.Data.Querying;

/// <summary>
/// Finds where a condition or an order cannot be looked into: at a property that is not mapped, or a method, of an entity whose class has related ones. These are not loaded for
/// it, so that it would find none, and the result be wrong without a word.
/// </summary>
sealed class OpaqueUse : ExpressionVisitor
{
    readonly DatacakeContext _context;
    (EntityModel Model, Expression Use)? _found;

    OpaqueUse(DatacakeContext context) => _context = context;

    /// <summary>Refuses an expression of a query that has such a use.</summary>
    /// <exception cref="InvalidOperationException">It has.</exception>
    public static void Refuse(DatacakeContext context, LambdaExpression expression)
    {
        if (!context.HasRelations)
            return;
        var search = new OpaqueUse(context);
        search.Visit(expression.Body);
        if (search._found is not var (model, use))
            return;
        var navigation = model.Navigations[0];
        throw new InvalidOperationException(
            $"The query cannot see into '{ExpressionText.Of(use)}', which may use related entities of {model.Name}, and these are not loaded for it. Say what it does in the query, as in "
                + $"{(navigation.IsCollection ? $"e => e.{navigation.Name}.Any()" : $"e => e.{navigation.Name} != null")}; or include before what it uses: Include(e => e.{navigation.Name}).");
    }

    protected override Expression VisitMember(MemberExpression node)
    {
        if (node.Expression is { } owner && ModelOf(owner) is { } model && model.FindProperty(node.Member.Name) is null && model.FindNavigation(node.Member.Name) is null)
            _found ??= (model, node);
        return base.VisitMember(node);
    }

    protected override Expression VisitMethodCall(MethodCallExpression node)
    {
        if (!IsKnown(node))
        {
            foreach (var argument in node.Arguments.Prepend(node.Object).OfType<Expression>())
            {
                if (ModelOf(argument) is { } model)
                    _found ??= (model, node);
            }
        }
        return base.VisitMethodCall(node);
    }

    /// <summary>Returns the class of an entity of the query that may lead to others; null if an expression is something else.</summary>
    EntityModel? ModelOf(Expression expression) =>
        !expression.Type.IsValueType && ParameterUse.IsIn(expression) && _context.FindModel(expression.Type) is { Navigations.Count: > 0 } model ? model : null;

    // Of the framework, and what comparisons of entities come to.
    static bool IsKnown(MethodCallExpression call) => call.Method.DeclaringType is not { } type || type.Assembly == typeof(object).Assembly || type == typeof(Enumerable)
        || type.Assembly == typeof(OpaqueUse).Assembly || call.Method.Name is nameof(Equals);
}
