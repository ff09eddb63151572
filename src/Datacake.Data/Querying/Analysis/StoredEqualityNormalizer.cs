using System.Collections;
using System.Linq.Expressions;
using Datacake.Data.CodeGeneration;
using Datacake.Data.Expressions;
using Datacake.Data.Metadata;
using Datacake.Data.Values;

namespace Datacake.Data.Querying.Analysis;

/// <summary>
/// A rewriter that makes equality in queries compare stored forms, where C# would compare references or use the equality of a user's type.
/// Entities are equal if their keys are. Values of properties with a converter, and byte arrays, are equal if their stored forms are. An
/// index and a check of each entity therefore give the same answer.
/// </summary>
sealed class StoredEqualityNormalizer : ExpressionVisitor
{
    readonly EntityModel _entity;
    readonly ContextModel? _context;
    readonly ParameterExpression? _parameter;

    StoredEqualityNormalizer(EntityModel entity, ContextModel? context, ParameterExpression parameter)
    {
        _entity = entity;
        _context = context;
        _parameter = parameter.Type.IsAssignableFrom(entity.Type) || entity.Type.IsAssignableFrom(parameter.Type) ? parameter : null;
    }

    /// <summary>Returns a lambda with equality by stored form.</summary>
    /// <param name="lambda">The expression over an item of a query.</param>
    /// <param name="entity">The model of the class that the query starts from.</param>
    /// <param name="context">The context, which knows the other entity classes; null if it is not known.</param>
    public static Expression<TDelegate> Normalize<TDelegate>(Expression<TDelegate> lambda, EntityModel entity, ContextModel? context) =>
        (Expression<TDelegate>)new StoredEqualityNormalizer(entity, context, lambda.Parameters[0]).Visit(lambda);

    protected override Expression VisitBinary(BinaryExpression node)
    {
        if (node.NodeType is not (ExpressionType.Equal or ExpressionType.NotEqual) || Equal(node.Left, node.Right) is not { } equal)
            return base.VisitBinary(node);
        return node.NodeType == ExpressionType.Equal ? equal : Expression.Not(equal);
    }

    // A search that is normalized already stays as it is.
    protected override Expression VisitConditional(ConditionalExpression node) => StoredEquality.AsWritten(node) is null ? base.VisitConditional(node) : node;

    protected override Expression VisitMethodCall(MethodCallExpression node)
    {
        var found = node switch
        {
            { Method.Name: nameof(Equals), Object: { } a, Arguments: [var b] } => Equal(a, b),
            { Method: { Name: nameof(Equals), DeclaringType: var type }, Object: null, Arguments: [var a, var b] } when type == typeof(object) || type == typeof(string) => Equal(a, b),
            { Method.Name: nameof(IList.Contains), Object: { } list, Arguments: [var item] } when node.Method.DeclaringType != typeof(string) => Contains(node, list, item),
            { Method: { Name: nameof(Enumerable.Contains), DeclaringType: var type }, Object: null, Arguments: [var list, var item] } when type == typeof(Enumerable) =>
                Contains(node, list, item),
            _ => null,
        };
        return found ?? base.VisitMethodCall(node);
    }

    MethodCallExpression? Equal(Expression left, Expression right)
    {
        // Null equals nothing but null, whatever the equality.
        if (left is ConstantExpression { Value: null } || right is ConstantExpression { Value: null })
            return null;
        var (a, b) = (WithoutValue(WithoutConversions(left)), WithoutValue(WithoutConversions(right)));
        if (Codec(a) is { } codec)
            return StoredEquality.Equal(codec, Visit(a), Visit(b));
        if (Codec(b) is { } mirrored)
            return StoredEquality.Equal(mirrored, Visit(a), Visit(b));
        return EntityOf(a.Type) is { } entity && EntityOf(b.Type) == entity ? StoredEquality.Equal(entity.KeyCodec, Visit(a), Visit(b)) : null;
    }

    Expression? Contains(MethodCallExpression call, Expression list, Expression item)
    {
        var itemType = item.Type;
        item = WithoutValue(WithoutConversions(item));
        if (Codec(item) is { } codec)
        {
            var equality = ElementEquality.Of(itemType, codec) ?? ElementEquality.OfLists;
            return StoredEquality.Contains(codec, equality, Visit(list), Visit(item), base.VisitMethodCall(call));
        }
        if (EntityOf(item.Type) is { } entity)
        {
            var equality = itemType == entity.Type ? entity.Equality : ElementEquality.OfLists;
            return StoredEquality.Contains(entity.KeyCodec, equality, Visit(list), Visit(item), base.VisitMethodCall(call));
        }
        return PropertyOf(list) is { Kind: PropertyKind.Set } set && IsByContent(set) ? StoredEquality.Contains(set.OrderedCodec!, Visit(list), Visit(item)) : null;
    }

    IOrderedCodec? Codec(Expression expression) =>
        PropertyOf(expression) is { Kind: not PropertyKind.Set, OrderedCodec: { } codec } property && (property.IsConverted || property.Type == typeof(byte[])) ? codec : null;

    /// <summary>
    /// True if the elements of a set are not compared by their default equality in .NET: byte arrays compare by content, and the strings of
    /// a sorted set ordinally.
    /// </summary>
    static bool IsByContent(PropertyModel set) => set.OrderedCodec == ValueCodecs.Bytes || set.Type == typeof(SortedSet<string>);

    PropertyModel? PropertyOf(Expression expression) =>
        _parameter is not null && PropertyPath.Of(expression, _parameter) is { } path ? _entity.FindProperty(path) : null;

    EntityModel? EntityOf(Type type)
    {
        if (type.IsValueType || type == typeof(object) || type == typeof(string))
            return null;
        return _entity.Type.IsAssignableFrom(type) ? _entity : _context?.Keyspaces.FirstOrDefault(keyspace => keyspace.Entity.Type.IsAssignableFrom(type))?.Entity;
    }

    /// <summary>
    /// Returns an expression without the conversions that the compiler adds: from enums to integers, to nullables, and to object.
    /// </summary>
    static Expression WithoutConversions(Expression expression)
    {
        while (expression is UnaryExpression { NodeType: ExpressionType.Convert, Method: null, Operand: var operand } convert
            && (convert.Type.IsAssignableFrom(operand.Type) || System.Nullable.GetUnderlyingType(convert.Type) == operand.Type || IsEnum(operand.Type)))
            expression = operand;
        return expression;
    }

    /// <summary>Returns the nullable instead of its <c>Value</c>, which would throw for null.</summary>
    Expression WithoutValue(Expression expression) =>
        expression is MemberExpression { Member.Name: nameof(Nullable<>.Value), Expression: { } owner } && PropertyOf(owner)?.IsConverted == true ? owner : expression;

    static bool IsEnum(Type type) => (System.Nullable.GetUnderlyingType(type) ?? type).IsEnum;
}
