using System.Linq.Expressions;
using Datacake.Data.Metadata;

namespace Datacake.Data.Querying;

/// <summary>Holds what the expression of an <c>Include</c> names: declared properties, one after the other, and perhaps a filter of the last one's collection.</summary>
static class IncludedPath
{
    /// <exception cref="InvalidOperationException">It is not a property that the model has a relation for.</exception>
    /// <exception cref="ArgumentException">It is not a property, or a filter that cannot be applied.</exception>
    public static IReadOnlyList<NavigationModel> Read<TRelated>(
        DatacakeContext context, EntityModel entity, LambdaExpression expression, out RelatedFilter<TRelated>? filter)
        where TRelated : class
    {
        var model = entity;
        var body = StripConversions(expression.Body);
        filter = body is MethodCallExpression ? FilterOf<TRelated>(context, ref body, expression, model) : null;
        string path = PropertyPath.Of(body, expression.Parameters[0])
            ?? throw new ArgumentException($"'{expression.Body}' is not a property. Write o => o.Customer.", nameof(expression));
        var navigations = new List<NavigationModel>();
        foreach (string name in path.Split('.'))
        {
            if (navigations is [.., { IsCollection: true } collection])
                throw new ArgumentException($"'{expression.Body}' leads through the collection {collection.Name}. Include that, and go on with ThenInclude.", nameof(expression));
            var navigation = model.FindNavigation(name) ?? throw UndeclaredNavigation.NotIncludable(model, name);
            navigations.Add(navigation);
            model = navigation.TargetModel;
        }
        return navigations[^1].Target == typeof(TRelated)
            ? navigations
            : throw new ArgumentException($"'{expression.Body}' has entities of {navigations[^1].Target.Name}, and not of {typeof(TRelated).Name}.", nameof(expression));
    }

    static Expression StripConversions(Expression expression) =>
        expression is UnaryExpression { NodeType: ExpressionType.Convert, Operand: var operand } ? StripConversions(operand) : expression;

    /// <summary>Takes the calls on a collection apart: conditions go into the query, all of them are applied to what each entity has.</summary>
    static RelatedFilter<TRelated> FilterOf<TRelated>(DatacakeContext context, ref Expression body, LambdaExpression expression, EntityModel model)
        where TRelated : class
    {
        var calls = new Stack<MethodCallExpression>();
        while (StripConversions(body) is MethodCallExpression { Object: null, Arguments: [var source, ..] } call && call.Method.DeclaringType == typeof(Enumerable))
        {
            if (call.Method.Name is not (nameof(Enumerable.Where) or nameof(Enumerable.OrderBy) or nameof(Enumerable.OrderByDescending) or nameof(Enumerable.ThenBy)
                or nameof(Enumerable.ThenByDescending) or nameof(Enumerable.Skip) or nameof(Enumerable.Take)))
                throw new ArgumentException($"'{call.Method.Name}' cannot be part of an Include: it takes Where, OrderBy, ThenBy, Skip and Take.", nameof(expression));
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
                throw new ArgumentException($"'{call.Method.Name}' in an Include says something of the including entity, and can only be about the included ones.", nameof(expression));
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
                    $"'{call.Method.Name}' in an Include says something of what the included entities are related to. Only the first Where can; order and cut them in memory.", nameof(expression));
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
