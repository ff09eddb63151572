using System.Linq.Expressions;
using Datacake.Data.Expressions;
using Datacake.Data.Metadata;
using Datacake.Data.Querying.Analysis;
using Datacake.Data.Querying.Related;

namespace Datacake.Data.Querying.Including;

/// <summary>The content of an <c>Include</c> expression: a path of navigations, with an optional filter of the last collection.</summary>
static class IncludePathParser
{
    /// <exception cref="InvalidOperationException">The model has no relation for a property on the path.</exception>
    /// <exception cref="ArgumentException">The expression is not a property, or its filter is not supported.</exception>
    public static IReadOnlyList<NavigationModel> Read<TRelated>(
        ContextModel context, EntityModel entity, LambdaExpression expression, out RelatedFilter<TRelated>? filter)
        where TRelated : class
    {
        var model = entity;
        var body = StripConversions(expression.Body);
        filter = body is MethodCallExpression ? FilterOf<TRelated>(context, ref body, expression, model) : null;
        string path = PropertyPath.Of(body, expression.Parameters[0])
            ?? throw new ArgumentException($"'{expression.Body}' is not a property. Write an expression such as o => o.Customer.", nameof(expression));
        var navigations = new List<NavigationModel>();
        foreach (string name in path.Split('.'))
        {
            if (navigations is [.., { IsCollection: true } collection])
                throw new ArgumentException($"'{expression.Body}' goes through the collection {collection.Name}. Include it, and continue with ThenInclude.", nameof(expression));
            var navigation = model.FindNavigation(name) ?? throw UndeclaredNavigation.NotIncludable(model, name);
            navigations.Add(navigation);
            model = navigation.TargetModel;
        }
        return navigations[^1].Target == typeof(TRelated)
            ? navigations
            : throw new ArgumentException($"'{expression.Body}' refers to entities of class {navigations[^1].Target.Name}, not {typeof(TRelated).Name}.", nameof(expression));
    }

    static Expression StripConversions(Expression expression) =>
        expression is UnaryExpression { NodeType: ExpressionType.Convert, Operand: var operand } ? StripConversions(operand) : expression;

    /// <summary>
    /// Splits the calls on a collection. Conditions at the start become part of the query, and all other calls are applied to the related
    /// entities of each entity.
    /// </summary>
    static RelatedFilter<TRelated> FilterOf<TRelated>(ContextModel context, ref Expression body, LambdaExpression expression, EntityModel model)
        where TRelated : class
    {
        var calls = new Stack<MethodCallExpression>();
        while (StripConversions(body) is MethodCallExpression { Object: null, Arguments: [var source, ..] } call && call.Method.DeclaringType == typeof(Enumerable))
        {
            if (call.Method.Name is not (nameof(Enumerable.Where) or nameof(Enumerable.OrderBy) or nameof(Enumerable.OrderByDescending) or nameof(Enumerable.ThenBy)
                or nameof(Enumerable.ThenByDescending) or nameof(Enumerable.Skip) or nameof(Enumerable.Take)))
                throw new ArgumentException($"'{call.Method.Name}' is not supported in an Include. Use Where, OrderBy, ThenBy, Skip and Take.", nameof(expression));
            calls.Push(call);
            body = StripConversions(source);
        }
        var items = Expression.Parameter(typeof(IEnumerable<TRelated>), "items");
        Expression chain = items;
        var conditions = new List<Expression<Func<TRelated, bool>>>();
        bool isFirst = true;
        string description = "";
        foreach (var call in calls)
        {
            if (UsesParameter.IsIn(expression.Parameters[0], call.Arguments.Skip(1)))
                throw new ArgumentException($"'{call.Method.Name}' in an Include uses the including entity. It can use only the included entities.", nameof(expression));
            foreach (var function in call.Arguments.OfType<LambdaExpression>())
                UndeclaredNavigation.Refuse(context, function);
            if (isFirst && call is { Method.Name: nameof(Enumerable.Where), Arguments: [_, Expression<Func<TRelated, bool>> condition] })
            {
                conditions.Add(OrdinalNormalizer.Normalize(condition));
                description += $".Where({condition})";
                continue;
            }
            if (call.Arguments.OfType<LambdaExpression>().Any(function => context.FindModel(typeof(TRelated)) is { } related && NavigationBinder.IsUsedIn(related, function)))
            {
                throw new ArgumentException(
                    $"'{call.Method.Name}' in an Include uses entities that are related to the included ones. Only Where calls at the start can do that. "
                        + "Sort and limit the entities in memory.", nameof(expression));
            }
            isFirst = false;
            chain = Expression.Call(call.Method, call.Arguments.Skip(1).Prepend(chain));
            description += $".{call.Method.Name}({string.Join(", ", call.Arguments.Skip(1).Select(ExpressionText.Of))})";
        }
        var lambda = OrdinalNormalizer.Normalize(Expression.Lambda<Func<IEnumerable<TRelated>, IEnumerable<TRelated>>>(chain, items));
        return new RelatedFilter<TRelated>(description, conditions, model.Expressions.Compile(lambda));
    }

    sealed class UsesParameter(ParameterExpression parameter) : ExpressionVisitor
    {
        bool _isFound;

        public static bool IsIn(ParameterExpression parameter, IEnumerable<Expression> expressions)
        {
            var search = new UsesParameter(parameter);
            foreach (var expression in expressions)
                search.Visit(expression);
            return search._isFound;
        }

        protected override Expression VisitParameter(ParameterExpression node)
        {
            _isFound |= node == parameter;
            return node;
        }
    }
}
