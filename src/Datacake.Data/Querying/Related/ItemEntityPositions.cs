using System.Linq.Expressions;
using Datacake.Data.Metadata;
using Datacake.Data.Querying.Operators;

namespace Datacake.Data.Querying.Related;

/// <summary>
/// The positions in the items of a query that hold entities, such as one side of a join or the items of a group, and the navigations that
/// are used from them. An instance serves one batch of items.
/// </summary>
sealed class ItemEntityPositions(ContextModel context) : NavigationRoots
{
    readonly Dictionary<string, (ItemExpression Path, RelatedNode Node)> _places = [];

    /// <summary>True if related entities are used.</summary>
    public bool IsUsed => _places.Values.Any(static place => place.Node.IsUsed);

    public override RelatedNode? Find(Expression expression, ParameterExpression item)
    {
        if (NameOf(expression, item) is not { } name || context.FindEntity(expression.Type) is not { } model)
            return null;
        if (!_places.TryGetValue(name, out var place))
            _places.Add(name, place = (new ItemExpression(item, Expression.Convert(UnlessNull(expression), typeof(object))), new RelatedNode(model)));
        return place.Node;
    }

    public override EntityModel? FindClass(Type entity, string navigation) => context.FindModel(entity) is { } model && model.FindNavigation(navigation) is not null ? model : null;

    /// <summary>Loads the related entities that are used, for a batch of items.</summary>
    public async Task LoadAsync<T>(QuerySource source, IReadOnlyList<T> batch, CancellationToken cancellationToken)
    {
        foreach (var (path, node) in _places.Values)
        {
            if (!node.IsUsed)
                continue;
            var valueOf = source.Model.Expressions.Compile(path.ToLambda<T, object?>());
            var entities = new HashSet<object>(ReferenceEqualityComparer.Instance);
            foreach (var item in batch)
            {
                switch (valueOf(item))
                {
                    case null:
                        break;
                    case IEnumerable<object?> several:
                        entities.UnionWith(several.OfType<object>());
                        break;
                    case var entity:
                        entities.Add(entity);
                        break;
                }
            }
            await RelatedSteps.LoadAsync(node, source, [.. entities], cancellationToken).ConfigureAwait(false);
        }
    }

    /// <summary>
    /// Returns the names of the members on the path from an item to an expression; null if the expression is anything else.
    /// </summary>
    static string? NameOf(Expression expression, ParameterExpression item) => expression switch
    {
        ParameterExpression => expression == item ? "" : null,
        UnaryExpression { NodeType: ExpressionType.Convert or ExpressionType.TypeAs, Method: null, Operand: var operand } => NameOf(operand, item),
        MemberExpression { Expression: { } owner, Member.Name: var name } => NameOf(owner, item) is { } outer ? $"{outer}.{name}" : null,
        _ => null,
    };

    static Expression UnlessNull(Expression path)
    {
        switch (path)
        {
            case MemberExpression { Expression: { } owner } member:
                var safe = UnlessNull(owner);
                var value = member.Update(safe);
                return safe.Type.IsValueType || safe is ParameterExpression
                    ? value
                    : Expression.Condition(Expression.Equal(safe, Expression.Constant(null, safe.Type)), Expression.Default(value.Type), value);
            case UnaryExpression { Operand: var operand } conversion:
                return conversion.Update(UnlessNull(operand));
            default:
                return path;
        }
    }
}
