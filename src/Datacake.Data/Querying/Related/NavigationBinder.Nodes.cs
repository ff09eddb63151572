using System.Linq.Expressions;
using Datacake.Data.Querying.Analysis;

namespace Datacake.Data.Querying.Related;

// The positions of the entities that an expression uses.
sealed partial class NavigationBinder
{
    /// <summary>The methods of collections that return the entities of their source, or one or some of them.</summary>
    static readonly HashSet<string> Keeping =
    [
        "Where", "OrderBy", "OrderByDescending", "ThenBy", "ThenByDescending", "Take", "TakeWhile", "TakeLast", "Skip", "SkipWhile", "SkipLast", "Reverse", "Distinct", "DistinctBy",
        "ToList", "ToArray", "AsEnumerable", "First", "FirstOrDefault", "Last", "LastOrDefault", "Single", "SingleOrDefault", "ElementAt", "ElementAtOrDefault", "MinBy", "MaxBy", "DefaultIfEmpty",
        "OfType", "Cast",
    ];

    /// <summary>Returns the position whose entity, or entities, an expression returns; null if this cannot be determined.</summary>
    RelatedNode? NodeOf(Expression? expression)
    {
        switch (expression)
        {
            case ParameterExpression parameter:
                return _nodes.GetValueOrDefault(parameter) ?? _roots.Find(parameter, _item);
            case UnaryExpression { NodeType: ExpressionType.Convert or ExpressionType.TypeAs or ExpressionType.Quote, Operand: var operand }:
                return NodeOf(operand);
            case MemberExpression { Expression: { } owner, Member.Name: var name }:
                if (NodeOf(owner) is not { } place)
                    return _roots.Find(expression, _item);
                if (place.Model.FindNavigation(name) is { } navigation)
                    return place.Child(navigation);
                // The key of a group of entities may be an entity as well.
                return place.Model.Type.IsAssignableFrom(owner.Type) ? null : _roots.Find(expression, _item);
            case ConditionalExpression { IfTrue: var first, IfFalse: var second }:
                return Same(first, second);
            case BinaryExpression { NodeType: ExpressionType.Coalesce, Left: var first, Right: var second }:
                return Same(first, second);
            case MethodCallExpression { Object: null, Arguments: [var source, ..] } call when call.Method.DeclaringType == typeof(Enumerable):
                BindLambdas(call);
                if (Keeping.Contains(call.Method.Name))
                    return NodeOf(source);
                return call is { Method.Name: "Select" or "SelectMany", Arguments: [_, LambdaExpression selector] } && NodeOf(source) is not null ? NodeOf(selector.Body) : null;
            default:
                return null;
        }

        RelatedNode? Same(Expression first, Expression second)
        {
            bool isFirstNull = first is ConstantExpression { Value: null }, isSecondNull = second is ConstantExpression { Value: null };
            return isFirstNull ? NodeOf(second) : isSecondNull || NodeOf(first) == NodeOf(second) ? NodeOf(first) : null;
        }
    }

    /// <summary>Binds the parameters of lambdas that a method calls with the entities of its source.</summary>
    void BindLambdas(MethodCallExpression call)
    {
        if (call is not { Object: null, Arguments: [var source, ..] } || call.Method.DeclaringType != typeof(Enumerable) || NodeOf(source) is not { } place)
            return;
        var lambdas = call.Arguments.Skip(1).OfType<LambdaExpression>().ToList();
        if (call.Method.Name == "SelectMany" && lambdas is [var several, { Parameters: [_, var each] }])
        {
            _nodes[several.Parameters[0]] = place;
            if (NodeOf(several.Body) is { } inner)
                _nodes[each] = inner;
        }
        foreach (var lambda in call.Method.Name is "GroupJoin" or "Join" or "Zip" or "Aggregate" ? [] : lambdas)
        {
            if (lambda.Parameters is [var first, ..] && first.Type.IsAssignableTo(place.Model.Type))
                _nodes[first] = place;
        }
    }

    /// <summary>
    /// Returns the class of an expression that depends on the query's entities in a way that cannot be followed, if it has the navigation.
    /// </summary>
    EntityModel? FindUnfollowed(Expression owner, string name) => ParameterUse.IsIn(owner) ? _roots.FindClass(owner.Type, name) : null;
}
