using System.Linq.Expressions;
using Datacake.Data.Metadata;

namespace Datacake.Data.Querying.Analysis;

/// <summary>
/// A search for parts of a condition or an ordering that cannot be analyzed: an unmapped property or a method of an entity whose class has
/// navigations. Related entities are not loaded for such a part. It would find none, and the results would be wrong without an error.
/// </summary>
sealed class OpaqueExpressionSearch : ExpressionVisitor
{
    readonly ContextModel _context;
    (EntityModel Model, Expression Use)? _found;

    OpaqueExpressionSearch(ContextModel context) => _context = context;

    /// <summary>Throws an exception if an expression of a query contains such a part.</summary>
    /// <exception cref="InvalidOperationException">The expression contains such a part.</exception>
    public static void Refuse(ContextModel context, LambdaExpression expression)
    {
        if (!context.HasRelations)
            return;
        var search = new OpaqueExpressionSearch(context);
        search.Visit(expression.Body);
        if (search._found is not var (model, use))
            return;
        var navigation = model.Navigations[0];
        throw new InvalidOperationException(
            $"The query cannot analyze '{ExpressionText.Of(use)}', which may use related entities of {model.Name} that are not loaded. "
                + "Write out its condition in the query, as in "
                + $"{(navigation.IsCollection ? $"e => e.{navigation.Name}.Any()" : $"e => e.{navigation.Name} != null")}, or include the related entities first: Include(e => e.{navigation.Name}).");
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

    /// <summary>Returns the class of an expression that is an entity of the query with navigations; null if it is something else.</summary>
    EntityModel? ModelOf(Expression expression) =>
        !expression.Type.IsValueType && ParameterUse.IsIn(expression) && _context.FindModel(expression.Type) is { Navigations.Count: > 0 } model ? model : null;

    // Methods of .NET and of this library, and comparisons of entities.
    static bool IsKnown(MethodCallExpression call) => call.Method.DeclaringType is not { } type || type.Assembly == typeof(object).Assembly || type == typeof(Enumerable)
        || type.Assembly == typeof(OpaqueExpressionSearch).Assembly || call.Method.Name is nameof(Equals);
}
