using System.Collections;
using System.Linq.Expressions;
using System.Reflection;
using Datacake.Data.CodeGeneration;
using Datacake.Data.Values;
using Datacake.EventualConsistency;

namespace Datacake.Data.Querying.Analysis;

/// <summary>
/// Equality by the stored form of values, as keys and indexes use it: of entities by their keys, of converted values by the result of the
/// converter, and of byte arrays by their content. Expressions call it where C# would compare references or use the equality of a user's
/// type.
/// </summary>
static class StoredEquality
{
    static readonly MethodInfo AreEqualMethod = ((Func<IOrderedCodec, object?, object?, bool>)AreEqual).Method;
    static readonly MethodInfo IsAmongMethod = ((Func<IOrderedCodec, IEnumerable?, object?, bool>)IsAmong).Method;
    static readonly MethodInfo IsPlainMethod = ((Func<ElementEquality, IEnumerable?, bool>)IsPlain).Method;

    /// <summary>Returns an expression for the equality of two values.</summary>
    public static MethodCallExpression Equal(IOrderedCodec codec, Expression left, Expression right) =>
        Expression.Call(AreEqualMethod, Constant(codec), Boxed(left), Boxed(right));

    /// <summary>
    /// Returns an expression for whether a collection contains a value. If the collection has a comparer of its own, the expression
    /// evaluates the original call.
    /// </summary>
    public static Expression Contains(IOrderedCodec codec, ElementEquality equality, Expression collection, Expression value, Expression call) => Expression.Condition(
        Expression.Call(IsPlainMethod, Expression.Constant(equality), Expression.Convert(collection, typeof(IEnumerable))), Contains(codec, collection, value), call);

    /// <inheritdoc cref="Contains(IOrderedCodec, ElementEquality, Expression, Expression, Expression)"/>
    public static MethodCallExpression Contains(IOrderedCodec codec, Expression collection, Expression value) =>
        Expression.Call(IsAmongMethod, Constant(codec), Expression.Convert(collection, typeof(IEnumerable)), Boxed(value));

    /// <summary>Returns the two sides of an equality that this class has created; null for other expressions.</summary>
    public static (IOrderedCodec Codec, Expression Left, Expression Right)? AsEqual(Expression expression) =>
        expression is MethodCallExpression call && call.Method == AreEqualMethod ? (CodecOf(call), Unboxed(call.Arguments[1]), Unboxed(call.Arguments[2])) : null;

    /// <summary>Returns the collection and the value of a search that this class has created; null for other expressions.</summary>
    public static (IOrderedCodec Codec, Expression Collection, Expression Value)? AsContains(Expression expression) => expression is MethodCallExpression call && call.Method == IsAmongMethod
        ? (CodecOf(call), ((UnaryExpression)call.Arguments[1]).Operand, Unboxed(call.Arguments[2]))
        : null;

    /// <summary>Returns the original call of a search that this class has made conditional; null for other expressions.</summary>
    public static Expression? AsWritten(Expression expression) =>
        expression is ConditionalExpression { Test: MethodCallExpression test } choice && test.Method == IsPlainMethod ? choice.IfFalse : null;

    static bool AreEqual(IOrderedCodec codec, object? left, object? right) => new StoredValues(codec, (object?[])[left]).Contains(right);

    static bool IsAmong(IOrderedCodec codec, IEnumerable? collection, object? value) => collection is not null && new StoredValues(codec, collection).Contains(value);

    // A null collection is left to the original call, which throws.
    static bool IsPlain(ElementEquality equality, IEnumerable? collection) => collection is not null && equality.IsDefaultIn(collection);

    static IOrderedCodec CodecOf(MethodCallExpression call) => (IOrderedCodec)((ConstantExpression)call.Arguments[0]).Value!;

    static ConstantExpression Constant(IOrderedCodec codec) => Expression.Constant(codec, typeof(IOrderedCodec));

    static Expression Boxed(Expression value) => value.Type == typeof(object) ? value : Expression.Convert(value, typeof(object));

    static Expression Unboxed(Expression value) => value is UnaryExpression { NodeType: ExpressionType.Convert, Operand: var operand } ? operand : value;
}

/// <summary>A set of values in their stored form, for lookups.</summary>
sealed class StoredValues
{
    readonly IOrderedCodec _codec;
    readonly OrderedKeyWriter _writer = new();
    readonly List<byte[]> _stored = [];
    readonly List<object?> _others = [];    // values that the codec cannot write, which are compared as objects

    public StoredValues(IOrderedCodec codec, IEnumerable values)
    {
        _codec = codec;
        foreach (object? value in values)
        {
            if (TryWrite(value))
                _stored.Add(_writer.ToArray());
            else
                _others.Add(value);
        }
        _stored.Sort(static (a, b) => a.AsSpan().SequenceCompareTo(b));
    }

    public bool Contains(object? value)
    {
        if (!TryWrite(value))
            return _others.Contains(value);
        int low = 0, high = _stored.Count;
        while (low < high)
        {
            int middle = (low + high) / 2;
            int order = _stored[middle].AsSpan().SequenceCompareTo(_writer.Written);
            if (order == 0)
                return true;
            if (order < 0)
                low = middle + 1;
            else
                high = middle;
        }
        return false;
    }

    public override string ToString() => $"{_stored.Count + _others.Count} values";

    bool TryWrite(object? value)
    {
        _writer.Truncate();
        try
        {
            return _codec.TryWriteOrdered(_writer, value);
        }
        catch (ArgumentException)
        {
            // The string has an unpaired surrogate, which no stored string has.
            return false;
        }
    }
}
