using System.Collections;
using System.Linq.Expressions;
using System.Reflection;
using Datacake.Data.Metadata;
using Datacake.EventualConsistency;

namespace Datacake.Data.Querying;

/// <summary>
/// Equality by what is stored, which is that of keys and indexes: of entities by their keys, of converted values by what the converter makes of them, of bytes by
/// their content. Expressions call it where C# would compare references, or by what a type of the user's says.
/// </summary>
static class StoredEquality
{
    static readonly MethodInfo AreEqualMethod = ((Func<IOrderedCodec, object?, object?, bool>)AreEqual).Method;
    static readonly MethodInfo IsAmongMethod = ((Func<IOrderedCodec, IEnumerable?, object?, bool>)IsAmong).Method;
    static readonly MethodInfo IsPlainMethod = ((Func<ElementEquality, IEnumerable?, bool>)IsPlain).Method;

    /// <summary>The equality of two values as an expression.</summary>
    public static MethodCallExpression Equal(IOrderedCodec codec, Expression left, Expression right) =>
        Expression.Call(AreEqualMethod, Constant(codec), Boxed(left), Boxed(right));

    /// <summary>Returns an expression that says whether a collection contains a value; if the collection has a comparer of its own, the call as it is.</summary>
    public static Expression Contains(IOrderedCodec codec, ElementEquality equality, Expression collection, Expression value, Expression call) => Expression.Condition(
        Expression.Call(IsPlainMethod, Expression.Constant(equality), Expression.Convert(collection, typeof(IEnumerable))), Contains(codec, collection, value), call);

    /// <inheritdoc cref="Contains(IOrderedCodec, ElementEquality, Expression, Expression, Expression)"/>
    public static MethodCallExpression Contains(IOrderedCodec codec, Expression collection, Expression value) =>
        Expression.Call(IsAmongMethod, Constant(codec), Expression.Convert(collection, typeof(IEnumerable)), Boxed(value));

    /// <summary>The two sides of an equality that this class has made; null if the expression is none.</summary>
    public static (IOrderedCodec Codec, Expression Left, Expression Right)? AsEqual(Expression expression) =>
        expression is MethodCallExpression call && call.Method == AreEqualMethod ? (CodecOf(call), Unboxed(call.Arguments[1]), Unboxed(call.Arguments[2])) : null;

    /// <summary>The collection and the value of a search that this class has made; null if the expression is none.</summary>
    public static (IOrderedCodec Codec, Expression Collection, Expression Value)? AsContains(Expression expression) => expression is MethodCallExpression call && call.Method == IsAmongMethod
        ? (CodecOf(call), ((UnaryExpression)call.Arguments[1]).Operand, Unboxed(call.Arguments[2]))
        : null;

    /// <summary>The call as it was written of a search that this class has made conditional; null if the expression is none.</summary>
    public static Expression? AsWritten(Expression expression) =>
        expression is ConditionalExpression { Test: MethodCallExpression test } choice && test.Method == IsPlainMethod ? choice.IfFalse : null;

    static bool AreEqual(IOrderedCodec codec, object? left, object? right) => new StoredValues(codec, (object?[])[left]).Contains(right);

    static bool IsAmong(IOrderedCodec codec, IEnumerable? collection, object? value) => collection is not null && new StoredValues(codec, collection).Contains(value);

    // What null contains is for the call as it is written to say: it throws.
    static bool IsPlain(ElementEquality equality, IEnumerable? collection) => collection is not null && equality.IsDefaultIn(collection);

    static IOrderedCodec CodecOf(MethodCallExpression call) => (IOrderedCodec)((ConstantExpression)call.Arguments[0]).Value!;

    static ConstantExpression Constant(IOrderedCodec codec) => Expression.Constant(codec, typeof(IOrderedCodec));

    static Expression Boxed(Expression value) => value.Type == typeof(object) ? value : Expression.Convert(value, typeof(object));

    static Expression Unboxed(Expression value) => value is UnaryExpression { NodeType: ExpressionType.Convert, Operand: var operand } ? operand : value;
}

/// <summary>Values as they are stored, to look others up in.</summary>
sealed class StoredValues
{
    readonly IOrderedCodec _codec;
    readonly OrderedKeyWriter _writer = new();
    readonly List<byte[]> _stored = [];
    readonly List<object?> _others = [];    // no values of the codec's type, and so none of what is looked up

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
            // A string with half of a surrogate pair, which no stored one has.
            return false;
        }
    }
}
