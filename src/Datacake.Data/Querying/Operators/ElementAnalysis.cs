using System.Linq.Expressions;
using Datacake.Data.Metadata;
using Datacake.Data.Querying.Analysis;

namespace Datacake.Data.Querying.Operators;

/// <summary>The role of an expression in a search for the use of elements.</summary>
enum UseKind
{
    /// <summary>An expression that is neither an element nor a sequence of elements.</summary>
    None,

    /// <summary>One of the elements.</summary>
    Element,

    /// <summary>A sequence of the elements.</summary>
    Sequence,

    /// <summary>An expression that contains the parameter but does not use the elements.</summary>
    Apart,
}

/// <summary>
/// A search for the properties of elements that expressions use, including uses through the operators of <see cref="Enumerable"/>.
/// </summary>
sealed class ElementAnalysis : ExpressionVisitor
{
    static readonly HashSet<string> SameElements =
    [
        nameof(Enumerable.Where), nameof(Enumerable.Skip), nameof(Enumerable.Take), nameof(Enumerable.SkipWhile), nameof(Enumerable.TakeWhile),
        nameof(Enumerable.SkipLast), nameof(Enumerable.TakeLast), nameof(Enumerable.OrderBy), nameof(Enumerable.OrderByDescending),
        nameof(Enumerable.ThenBy), nameof(Enumerable.ThenByDescending), nameof(Enumerable.Reverse), nameof(Enumerable.AsEnumerable),
        nameof(Enumerable.ToList), nameof(Enumerable.ToArray), nameof(Enumerable.DefaultIfEmpty), nameof(Enumerable.DistinctBy),
    ];

    static readonly HashSet<string> OneElement =
    [
        nameof(Enumerable.First), nameof(Enumerable.FirstOrDefault), nameof(Enumerable.Last), nameof(Enumerable.LastOrDefault),
        nameof(Enumerable.Single), nameof(Enumerable.SingleOrDefault), nameof(Enumerable.ElementAt), nameof(Enumerable.ElementAtOrDefault),
        nameof(Enumerable.MinBy), nameof(Enumerable.MaxBy),
    ];

    static readonly HashSet<string> Counts =
        [nameof(Enumerable.Count), nameof(Enumerable.LongCount), nameof(Enumerable.Any), nameof(Enumerable.All)];

    // Without a selector, these operators use the elements as a whole.
    static readonly HashSet<string> OfSelected =
    [
        nameof(Enumerable.Select), nameof(Enumerable.SelectMany), nameof(Enumerable.Sum), nameof(Enumerable.Min), nameof(Enumerable.Max),
        nameof(Enumerable.Average),
    ];

    readonly Func<Expression, UseKind> _kindOf;
    readonly HashSet<ParameterExpression> _elements = [];
    readonly List<ItemExpression> _found;
    bool _isWhole;

    ElementAnalysis(Func<Expression, UseKind> kindOf, List<ItemExpression> found)
    {
        _kindOf = kindOf;
        _found = found;
    }

    /// <summary>
    /// Returns the properties of the items that expressions use, as expressions over an item; null if one of them uses an item as a whole.
    /// </summary>
    public static IReadOnlyList<ItemExpression>? Of(IEnumerable<ItemExpression> uses) =>
        Of(uses, static (node, item) => node == item ? UseKind.Element : UseKind.None);

    /// <inheritdoc cref="Of(IEnumerable{ItemExpression})"/>
    /// <param name="uses">The expressions over an item.</param>
    /// <param name="kindOf">Returns the role of an expression, if the elements are not the items themselves.</param>
    public static IReadOnlyList<ItemExpression>? Of(IEnumerable<ItemExpression> uses, Func<Expression, ParameterExpression, UseKind> kindOf)
    {
        var found = new List<ItemExpression>();
        foreach (var use in uses)
        {
            var search = new ElementAnalysis(node => kindOf(node, use.Item), found);
            search.Visit(use.Body);
            if (search._isWhole)
                return null;
        }
        return found;
    }

    public override Expression? Visit(Expression? node)
    {
        if (node is null || _isWhole)
            return node;
        switch (KindOf(node))
        {
            case UseKind.None:
                return base.Visit(node);
            case UseKind.Apart:
                return node;
            default:
                _isWhole = true;
                return node;
        }
    }

    protected override Expression VisitMember(MemberExpression node)
    {
        var bottom = node.Expression;
        while (bottom is MemberExpression { Expression: { } inner } && KindOf(bottom) == UseKind.None)
            bottom = inner;
        switch (bottom is null ? UseKind.None : KindOf(bottom))
        {
            case UseKind.Element:
                var root = Unconverted(bottom!);
                var item = Expression.Parameter(root.Type);
                _found.Add(new ItemExpression(item, new Replacement(root, item).Visit(node)!));
                Collect(bottom!);
                return node;
            case UseKind.Sequence when node.Expression == bottom && node.Member.Name is nameof(IGrouping<,>.Key) or nameof(List<>.Count) or nameof(Array.Length):
                Collect(bottom!);
                return node;
            default:
                return base.VisitMember(node);
        }
    }

    // A comparison with null uses no property of the element.
    protected override Expression VisitBinary(BinaryExpression node)
    {
        if (node.NodeType is ExpressionType.Equal or ExpressionType.NotEqual && node.Method is null)
        {
            foreach (var (one, other) in new[] { (node.Left, node.Right), (node.Right, node.Left) })
            {
                if (other is ConstantExpression { Value: null } && KindOf(one) == UseKind.Element)
                {
                    Collect(one);
                    return node;
                }
            }
        }
        return base.VisitBinary(node);
    }

    // The class of an entity is always read.
    protected override Expression VisitTypeBinary(TypeBinaryExpression node)
    {
        if (KindOf(node.Expression) != UseKind.Element)
            return base.VisitTypeBinary(node);
        Collect(node.Expression);
        return node;
    }

    protected override Expression VisitMethodCall(MethodCallExpression node)
    {
        // The key is always read as well.
        if ((StoredEquality.AsEqual(node) ?? StoredEquality.AsContains(node)) is (KeyCodec, var left, var right))
        {
            foreach (var side in (Expression[])[left, right])
            {
                if (KindOf(side) == UseKind.Element)
                    Collect(side);
                else
                    Visit(side);
            }
            return node;
        }
        if (node.Method.DeclaringType != typeof(Enumerable) || node.Arguments.Count == 0 || KindOf(node.Arguments[0]) != UseKind.Sequence)
            return base.VisitMethodCall(node);
        bool isKnown = Counts.Contains(node.Method.Name)
            || (OfSelected.Contains(node.Method.Name) && node.Arguments.Count > 1 && LambdaOf(node.Arguments[1]) is not null);
        if (!isKnown)
            return base.VisitMethodCall(node);
        CollectCall(node);
        return node;
    }

    protected override Expression VisitExtension(Expression node)
    {
        if (node is not FlattenUse flatten)
            return base.VisitExtension(node);
        if (KindOf(flatten.Sequence) == UseKind.Sequence)
        {
            Collect(flatten.Sequence);
            _elements.Add(flatten.Element);
        }
        else
            Visit(flatten.Sequence);
        foreach (var use in flatten.Uses)
            Visit(use);
        return node;
    }

    UseKind KindOf(Expression expression)
    {
        var node = Unconverted(expression);
        if (node is ParameterExpression parameter && _elements.Contains(parameter))
            return UseKind.Element;
        if (_kindOf(node) is not UseKind.None and var known)
            return known;
        if (node is MethodCallExpression { Arguments: [var source, ..] } call && call.Method.DeclaringType == typeof(Enumerable))
        {
            bool isSame = SameElements.Contains(call.Method.Name);
            if ((isSame || OneElement.Contains(call.Method.Name)) && KindOf(source) == UseKind.Sequence)
                return isSame ? UseKind.Sequence : UseKind.Element;
        }
        return UseKind.None;
    }

    /// <summary>Collects the properties that are used to select an element, or a sequence of elements.</summary>
    void Collect(Expression source)
    {
        if (Unconverted(source) is MethodCallExpression { Arguments.Count: > 0 } call && _kindOf(call) == UseKind.None)
            CollectCall(call);
    }

    void CollectCall(MethodCallExpression call)
    {
        Collect(call.Arguments[0]);
        foreach (var argument in call.Arguments.Skip(1))
        {
            if (LambdaOf(argument) is { } lambda)
            {
                _elements.Add(lambda.Parameters[0]);
                Visit(lambda.Body);
            }
            // A function that cannot be analyzed may use anything.
            else if (argument.Type.IsAssignableTo(typeof(Delegate)))
                _isWhole = true;
            else
                Visit(argument);
        }
    }

    static LambdaExpression? LambdaOf(Expression argument) => (argument is UnaryExpression { NodeType: ExpressionType.Quote, Operand: var quoted } ? quoted : argument) as LambdaExpression;

    static Expression Unconverted(Expression node)
    {
        while (node is UnaryExpression { NodeType: ExpressionType.Convert or ExpressionType.TypeAs, Method: null, Operand: { Type.IsValueType: false } operand })
            node = operand;
        return node;
    }

    sealed class Replacement(Expression replaced, Expression by) : ExpressionVisitor
    {
        public override Expression? Visit(Expression? node) => node == replaced ? by : base.Visit(node);
    }
}
