using System.Linq.Expressions;
using System.Reflection;
using Datacake.Data.Metadata;
using Datacake.Data.Querying.Operators;

namespace Datacake.Data.Querying.Related;

/// <summary>
/// A rewriter that replaces the navigations in an expression by lookups of entities that are loaded for a query. A member of a missing
/// related entity is null. If the member's type cannot be null, comparisons of the member are false, except that <c>!=</c> is true.
/// </summary>
sealed partial class NavigationBinder : ExpressionVisitor
{
    readonly NavigationRoots _roots;
    readonly ParameterExpression _item;
    readonly Dictionary<ParameterExpression, RelatedNode> _nodes = [];
    readonly HashSet<Expression> _nullable = [];    // the rewritten expressions that are null if a related entity is missing

    // The conditions under which the operands of the current comparison exist; null outside of comparisons.
    List<Expression>? _guards;

    NavigationBinder(NavigationRoots roots, ParameterExpression item) => (_roots, _item) = (roots, item);

    /// <summary>Returns true if an expression uses navigations.</summary>
    public static bool IsUsedIn(EntityModel model, LambdaExpression lambda)
    {
        if (model.Navigations.Count == 0)
            return false;
        var root = new RelatedNode(model);
        new NavigationBinder(root, lambda.Parameters[0]).Visit(lambda.Body);
        return root.IsUsed;
    }

    /// <summary>Returns true if an expression uses navigations of entities anywhere in the items of a query.</summary>
    public static bool IsUsedIn(ContextModel context, ItemExpression use)
    {
        if (!context.HasRelations)
            return false;
        var places = new ItemEntityPositions(context);
        new NavigationBinder(places, use.Item).Visit(use.Body);
        return places.IsUsed;
    }

    /// <inheritdoc cref="IsUsedIn(ContextModel, ItemExpression)"/>
    public static bool IsUsedIn(ContextModel context, LambdaExpression lambda) => IsUsedIn(context, ItemExpression.Of(lambda));

    public static Expression<Func<T, bool>> BindCondition<T>(NavigationRoots roots, Expression<Func<T, bool>> condition)
    {
        var binder = new NavigationBinder(roots, condition.Parameters[0]);
        return Expression.Lambda<Func<T, bool>>(binder.VisitCondition(condition.Body), condition.Parameters);
    }

    public static Expression<Func<T, TResult>> BindValue<T, TResult>(NavigationRoots roots, Expression<Func<T, TResult>> selector)
    {
        var binder = new NavigationBinder(roots, selector.Parameters[0]);
        return Expression.Lambda<Func<T, TResult>>(binder.Visit(selector.Body), selector.Parameters);
    }

    /// <summary>Binds the key of an ordering.</summary>
    /// <param name="roots">The positions of entities, which collect the navigations that are used.</param>
    /// <param name="selector">The key.</param>
    /// <param name="isThere">A condition that is true for items with a value; null if all items have one.</param>
    public static Expression<Func<T, TKey>> BindKey<T, TKey>(NavigationRoots roots, Expression<Func<T, TKey>> selector, out Expression<Func<T, bool>>? isThere)
    {
        var binder = new NavigationBinder(roots, selector.Parameters[0]);
        var (key, guard) = binder.VisitGuarded(selector.Body);
        isThere = guard is null ? null : Expression.Lambda<Func<T, bool>>(guard, selector.Parameters);
        return Expression.Lambda<Func<T, TKey>>(guard is null ? key : Expression.Condition(guard, key, Expression.Default(key.Type)), selector.Parameters);
    }

    protected override Expression VisitMember(MemberExpression node)
    {
        if (node is not { Expression: { } owner, Member: PropertyInfo property })
            return base.VisitMember(node);
        var place = NodeOf(owner);
        if (place?.Model.FindNavigation(property.Name) is { } navigation)
        {
            var lookup = Expression.Constant(place.Child(navigation), typeof(RelatedLookup));
            var value = Expression.Convert(Expression.Call(lookup, RelatedLookup.GetMethod, Visit(owner)), node.Type);
            if (!navigation.IsCollection)
                _nullable.Add(value);
            return value;
        }
        if (place is null && FindUnfollowed(owner, property.Name) is { } model)
        {
            throw new InvalidOperationException(
                $"The query uses {property.Name} of {model.Name} in '{node}', but it cannot be determined which entities this refers to. "
                    + "Start from the entity of the query, as in o => o.Customer.Orders.Any(…), or load the entities with Include and continue with AsAsyncEnumerable().");
        }
        var visited = Visit(owner);
        return OfNullable(visited, node.Update(visited));
    }

    protected override Expression VisitMethodCall(MethodCallExpression node)
    {
        BindLambdas(node);
        var visited = (MethodCallExpression)base.VisitMethodCall(node);
        return visited.Object is { } receiver ? OfNullable(receiver, visited) : visited;
    }

    protected override Expression VisitLambda<T>(Expression<T> node)
    {
        var outer = _guards;
        _guards = null;
        var body = node.Body.Type == typeof(bool) ? VisitCondition(node.Body) : Visit(node.Body);
        _guards = outer;
        return node.Update(body, node.Parameters);
    }

    protected override Expression VisitUnary(UnaryExpression node)
    {
        if (node.NodeType == ExpressionType.Not && node.Type == typeof(bool))
        {
            var (operand, guard) = VisitGuarded(node.Operand);
            return guard is null ? Expression.Not(operand) : Expression.AndAlso(guard, Expression.Not(operand));
        }
        bool isNullable = node.NodeType == ExpressionType.Convert && Nullable.GetUnderlyingType(node.Type) is not null && Nullable.GetUnderlyingType(node.Operand.Type) is null;
        if (isNullable)
        {
            var (operand, guard) = VisitGuarded(node.Operand);
            var converted = node.Update(operand);
            return guard is null ? converted : Expression.Condition(guard, converted, Expression.Default(node.Type));
        }
        var visited = base.VisitUnary(node);
        if (visited is UnaryExpression { NodeType: ExpressionType.Convert or ExpressionType.TypeAs, Type.IsValueType: false } cast && _nullable.Contains(cast.Operand))
            _nullable.Add(cast);
        return visited;
    }

    protected override Expression VisitBinary(BinaryExpression node)
    {
        switch (node.NodeType)
        {
            case ExpressionType.AndAlso or ExpressionType.OrElse or ExpressionType.And or ExpressionType.Or or ExpressionType.ExclusiveOr when node.Type == typeof(bool):
                return Expression.MakeBinary(node.NodeType, VisitCondition(node.Left), VisitCondition(node.Right), node.IsLiftedToNull, node.Method);
            case ExpressionType.Equal or ExpressionType.NotEqual when EntityComparison(node) is { } comparison:
                return comparison;
            case ExpressionType.Equal or ExpressionType.NotEqual or ExpressionType.LessThan or ExpressionType.LessThanOrEqual
                or ExpressionType.GreaterThan or ExpressionType.GreaterThanOrEqual:
                var outer = _guards;
                _guards = [];
                var compared = base.VisitBinary(node);
                var guard = TakeGuard();
                _guards = outer;
                if (guard is null)
                    return compared;
                return node.NodeType == ExpressionType.NotEqual ? Expression.OrElse(Expression.Not(guard), compared) : Expression.AndAlso(guard, compared);
            default:
                return base.VisitBinary(node);
        }
    }

    protected override Expression VisitConditional(ConditionalExpression node)
    {
        var test = VisitCondition(node.Test);
        return node.Update(test, VisitAlone(node.IfTrue), VisitAlone(node.IfFalse));
    }

    /// <summary>Visits an expression that is evaluated, or not, independently of its surroundings.</summary>
    Expression VisitAlone(Expression expression)
    {
        if (expression.Type == typeof(bool))
            return VisitCondition(expression);
        var outer = _guards;
        _guards = null;
        var visited = Visit(expression);
        _guards = outer;
        return visited;
    }

    /// <summary>Returns a condition that is false if an entity that it uses is missing.</summary>
    Expression VisitCondition(Expression condition)
    {
        var (visited, guard) = VisitGuarded(condition);
        return guard is null ? visited : Expression.AndAlso(guard, visited);
    }

    (Expression Visited, Expression? Guard) VisitGuarded(Expression expression)
    {
        var outer = _guards;
        _guards = [];
        var visited = Visit(expression);
        var guard = TakeGuard();
        _guards = outer;
        return (visited, guard);
    }

    Expression? TakeGuard() => _guards!.Count == 0 ? null : _guards.Aggregate(Expression.AndAlso);

    /// <summary>
    /// Returns a member whose owner may be null. It is null if its type allows null; otherwise it has a value only if the owner exists.
    /// </summary>
    Expression OfNullable(Expression owner, Expression member)
    {
        if (!_nullable.Contains(owner))
            return member;
        var isNull = Expression.Equal(owner, Expression.Constant(null, owner.Type));
        if (member.Type.IsValueType && Nullable.GetUnderlyingType(member.Type) is null)
        {
            _guards?.Add(Expression.Not(isNull));
            return member;
        }
        var value = Expression.Condition(isNull, Expression.Default(member.Type), member);
        if (!member.Type.IsValueType)
            _nullable.Add(value);
        return value;
    }

    /// <summary>
    /// Returns the comparison of two entities by their keys, whichever instances represent them; null if no entities are compared.
    /// </summary>
    Expression? EntityComparison(BinaryExpression node)
    {
        if (node.Left.Type.IsValueType || node.Right.Type.IsValueType || node.Method is not null || IsNull(node.Left) || IsNull(node.Right))
            return null;
        if ((NodeOf(node.Left) ?? NodeOf(node.Right)) is not { } place || !(IsEntity(node.Left, place) || IsEntity(node.Right, place)))
            return null;
        var same = Expression.Call(Expression.Constant(place, typeof(RelatedNode)), RelatedNode.AreSameMethod, Visit(node.Left), Visit(node.Right));
        return node.NodeType == ExpressionType.Equal ? same : Expression.Not(same);

        static bool IsEntity(Expression expression, RelatedNode place) => place is RelatedLookup && place.Model.Type.IsAssignableFrom(expression.Type);
        static bool IsNull(Expression expression) => expression is ConstantExpression { Value: null } or UnaryExpression { Operand: ConstantExpression { Value: null } };
    }
}
