using System.Collections;
using System.Linq.Expressions;
using System.Reflection;

namespace Datacake.Data.Querying.Analysis;

/// <summary>
/// A rewriter that evaluates, once for a run of a query, the parts that are the same for each entity: sequences that are computed while
/// they are enumerated, and values that are compared by their stored form.
/// </summary>
sealed class RunConstantRewriter : ExpressionVisitor
{
    static readonly MethodInfo ListContains = typeof(IList).GetMethod(nameof(IList.Contains), [typeof(object)])!;
    static readonly MethodInfo StoredContains = typeof(StoredValues).GetMethod(nameof(StoredValues.Contains))!;

    readonly CompiledExpressions _compiled;
    readonly bool _isForCompiling;
    Dictionary<Expression, EvaluatedSequence?>? _sequences;

    RunConstantRewriter(CompiledExpressions compiled, bool isForCompiling) => (_compiled, _isForCompiling) = (compiled, isForCompiling);

    /// <summary>Returns a predicate that can be compiled and applied to many entities.</summary>
    public static Expression<TDelegate> Apply<TDelegate>(Expression<TDelegate> lambda, CompiledExpressions compiled) =>
        (Expression<TDelegate>)new RunConstantRewriter(compiled, isForCompiling: true).Visit(lambda);

    /// <summary>Returns the predicate with such sequences evaluated, and nothing else.</summary>
    public static Expression<TDelegate> Evaluate<TDelegate>(Expression<TDelegate> lambda, CompiledExpressions compiled) =>
        (Expression<TDelegate>)new RunConstantRewriter(compiled, isForCompiling: false).Visit(lambda);

    protected override Expression VisitConditional(ConditionalExpression node)
    {
        if (StoredEquality.AsWritten(node) is null)
            return base.VisitConditional(node);
        var collection = StoredEquality.AsContains(node.IfTrue)!.Value.Collection;
        if (SequenceOf(collection) is not null)
            return Visit(node.IfTrue);
        return _isForCompiling && ExpressionValue.TryGet(node.Test, _compiled, out object? isPlain)
            ? Visit(isPlain is true ? node.IfTrue : node.IfFalse)
            : base.VisitConditional(node);
    }

    protected override Expression VisitMethodCall(MethodCallExpression node)
    {
        if (StoredEquality.AsContains(node) is var (codec, collection, value))
        {
            if (SequenceOf(collection) is { } sequence)
                node = StoredEquality.Contains(codec, Expression.Constant(sequence), value);
            return _isForCompiling && ExpressionValue.TryGet(node.Arguments[1], _compiled, out object? values) && values is IEnumerable known
                ? IsAmong(new StoredValues(codec, known), value)
                : base.VisitMethodCall(node);
        }
        if (_isForCompiling && StoredEquality.AsEqual(node) is var (equality, left, right))
        {
            if (ExpressionValue.TryGet(right, _compiled, out object? known))
                return IsAmong(new StoredValues(equality, (object?[])[known]), left);
            if (ExpressionValue.TryGet(left, _compiled, out known))
                return IsAmong(new StoredValues(equality, (object?[])[known]), right);
        }
        if (node is { Method.Name: nameof(Enumerable.Contains), Object: null, Arguments: [var list, var item] } && node.Method.DeclaringType == typeof(Enumerable)
            && SequenceOf(list) is { } evaluated)
            return Expression.Call(Expression.Constant(evaluated, typeof(IList)), ListContains, Expression.Convert(Visit(item), typeof(object)));
        return base.VisitMethodCall(node);
    }

    MethodCallExpression IsAmong(StoredValues values, Expression value) =>
        Expression.Call(Expression.Constant(values), StoredContains, Expression.Convert(Visit(value), typeof(object)));

    /// <summary>Returns the elements of a sequence that computes them each time it is enumerated; null for other expressions.</summary>
    EvaluatedSequence? SequenceOf(Expression expression)
    {
        if (!expression.Type.IsInterface)
            return null;
        if (!(_sequences ??= []).TryGetValue(expression, out var found))
        {
            if (ExpressionValue.TryGet(expression, _compiled, out object? value) && value is IEnumerable sequence and not ICollection
                && value.GetType() is var type && (type.Namespace == "System.Linq" || type.Name.StartsWith('<')))
                found = EvaluatedSequence.TryOf(sequence, expression);
            _sequences.Add(expression, found);
        }
        return found;
    }
}
