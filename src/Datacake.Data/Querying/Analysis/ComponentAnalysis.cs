using System.Linq.Expressions;
using Datacake.Data.Expressions;
using Datacake.Data.Metadata;
using Datacake.Data.Querying.Operators;

namespace Datacake.Data.Querying.Analysis;

/// <summary>An analysis of which components of an entity expressions use, so that the others need not be read.</summary>
sealed class ComponentAnalysis : ExpressionVisitor
{
    readonly EntityModel _model;
    readonly ParameterExpression _entity;
    readonly HashSet<string> _used;
    bool _isAllUsed;
    bool _isKeyUsed;

    ComponentAnalysis(EntityModel model, ParameterExpression entity, HashSet<string> used)
    {
        _model = model;
        _entity = entity;
        _used = used;
    }

    /// <summary>
    /// Returns, for each of the model's paths, whether it is used; null if an expression uses the entity other than through its properties.
    /// </summary>
    public static bool[]? Of(EntityModel model, IEnumerable<LambdaExpression> uses) => Of(model, uses.Select(ItemExpression.Of));

    /// <inheritdoc cref="Of(EntityModel, IEnumerable{LambdaExpression})"/>
    public static bool[]? Of(EntityModel model, IEnumerable<ItemExpression> uses) => Of(model, uses, out _);

    /// <inheritdoc cref="Of(EntityModel, IEnumerable{LambdaExpression})"/>
    /// <param name="model">The model of the entity.</param>
    /// <param name="uses">The expressions.</param>
    /// <param name="isKeyUsed">True if the key may be used.</param>
    public static bool[]? Of(EntityModel model, IEnumerable<ItemExpression> uses, out bool isKeyUsed)
    {
        isKeyUsed = false;
        var used = new HashSet<string>();
        foreach (var (item, body) in uses)
        {
            var search = new ComponentAnalysis(model, item, used);
            search.Visit(body);
            isKeyUsed |= search._isKeyUsed || search._isAllUsed;
            if (search._isAllUsed)
                return null;
        }
        // To use an object requires everything within it, and to use a part of an object requires the object.
        return [.. model.Paths.Select(path => used.Any(name => name == path.Name || IsWithin(path.Name, name) || IsWithin(name, path.Name)))];

        static bool IsWithin(string inner, string outer) =>
            inner.Length > outer.Length && inner[outer.Length] == '.' && inner.StartsWith(outer, StringComparison.Ordinal);
    }

    protected override Expression VisitMember(MemberExpression node)
    {
        for (string? name = PropertyPath.Of(node, _entity); name is not null; name = Parent(name))
        {
            if (_model.FindProperty(name) is { } property)
            {
                _used.Add(property.StoredName);
                _isKeyUsed |= property.Kind == PropertyKind.Key;
                return node;
            }
        }
        // An unmapped property may be computed from any other property.
        return base.VisitMember(node);
    }

    // The class of the entity is always read.
    protected override Expression VisitTypeBinary(TypeBinaryExpression node) =>
        PropertyPath.IsParameter(node.Expression, _entity) ? node : base.VisitTypeBinary(node);

    // The key is always read as well.
    protected override Expression VisitMethodCall(MethodCallExpression node)
    {
        if ((StoredEquality.AsEqual(node) ?? StoredEquality.AsContains(node)) is not (KeyCodec, var left, var right))
            return base.VisitMethodCall(node);
        _isKeyUsed = true;
        foreach (var side in (Expression[])[left, right])
        {
            if (!PropertyPath.IsParameter(side, _entity))
                Visit(side);
        }
        return node;
    }

    protected override Expression VisitParameter(ParameterExpression node)
    {
        _isAllUsed |= node == _entity;
        return node;
    }

    static string? Parent(string name) => name.LastIndexOf('.') is > 0 and var dot ? name[..dot] : null;
}
