using System.Linq.Expressions;
using Datacake.Data.Querying.Analysis;

namespace Datacake.Data.Querying.Planning;

/// <content>Comparisons of one property with one value.</content>
sealed partial class ConditionExtractor
{
    IReadOnlyList<IReadOnlyList<Condition>> Comparison(BinaryExpression comparison)
    {
        var kind = comparison.NodeType;
        // string.CompareOrdinal(p.Name, "x") > 0; the normalizer has turned all comparisons of strings into this form.
        if (comparison.Left is MethodCallExpression { Method.Name: nameof(string.CompareOrdinal), Arguments: [var first, var second] }
            && TryGetValue(comparison.Right, out object? zero) && zero is 0)
            return Compare(first, kind, second);
        // p.Day.CompareTo(x) > 0
        if (comparison.Left is MethodCallExpression { Method.Name: nameof(IComparable.CompareTo), Object: { } a, Arguments: [var b] } && a.Type == b.Type
            && TryGetValue(comparison.Right, out zero) && zero is 0)
            return Compare(a, kind, b);
        return Compare(comparison.Left, kind, comparison.Right);
    }

    IReadOnlyList<IReadOnlyList<Condition>> Compare(Expression left, ExpressionType kind, Expression right)
    {
        // Operands of type object are compared by reference.
        _isExact &= left.Type != typeof(object);
        if (Property(left) is { } property && TryGetValue(right, out object? value))
            return Single(Compare(property, kind, value));
        if (Property(right) is { } mirrored && TryGetValue(left, out value))
            return Single(Compare(mirrored, Mirrored(kind), value));
        if (WithDefault(left) is var (ofLeft, ifNull) && TryGetValue(right, out value))
            return CompareOrDefault(ofLeft, ifNull, kind, value);
        if (WithDefault(right) is var (ofRight, otherwise) && TryGetValue(left, out value))
            return CompareOrDefault(ofRight, otherwise, Mirrored(kind), value);
        return Single(null);
    }

    Condition? Compare(PropertyModel property, ExpressionType kind, object? value)
    {
        if (property.Kind == PropertyKind.Set)
            return null;
        ConditionKind? condition = kind switch
        {
            ExpressionType.Equal => ConditionKind.In,
            ExpressionType.GreaterThan => ConditionKind.GreaterThan,
            ExpressionType.GreaterThanOrEqual => ConditionKind.GreaterThanOrEqual,
            ExpressionType.LessThan => ConditionKind.LessThan,
            ExpressionType.LessThanOrEqual => ConditionKind.LessThanOrEqual,
            _ => null,
        };
        if (condition is { } ofNumbers && WholeNumbers.Compares(property, value))
            return WholeNumbers.Condition(property, ofNumbers, value);
        if (!IsWritable(property, value))
            return null;
        if (kind == ExpressionType.NotEqual)
            return value is null ? new Condition(property, ConditionKind.GreaterThan, [null]) : null;
        if (property.IsConverted && condition != ConditionKind.In)
            return null;
        // Null is neither less nor greater than a number, but CompareOrdinal orders it before every string. These cases are left to the
        // predicate.
        return condition is { } known && (value is not null || known == ConditionKind.In) ? new Condition(property, known, [value]) : null;
    }

    static ExpressionType Mirrored(ExpressionType kind) => kind switch
    {
        ExpressionType.LessThan => ExpressionType.GreaterThan,
        ExpressionType.LessThanOrEqual => ExpressionType.GreaterThanOrEqual,
        ExpressionType.GreaterThan => ExpressionType.LessThan,
        ExpressionType.GreaterThanOrEqual => ExpressionType.LessThanOrEqual,
        _ => kind,
    };

    /// <summary>
    /// Returns the property in <c>p.Rank ?? 0</c> or <c>p.Rank.GetValueOrDefault()</c>, and the value that stands for null.
    /// </summary>
    (PropertyModel Property, object? IfNull)? WithDefault(Expression expression)
    {
        var (nullable, ifNull) = WithoutConversions(expression) switch
        {
            BinaryExpression { NodeType: ExpressionType.Coalesce, Conversion: null } either => (either.Left, either.Right),
            MethodCallExpression { Method.Name: nameof(Nullable<>.GetValueOrDefault), Object: { } owner } call when Nullable.GetUnderlyingType(owner.Type) is not null =>
                (owner, call.Arguments is [var value] ? value : Expression.Default(call.Type)),
            _ => (null, null),
        };
        return nullable is not null && Property(nullable) is { } property && TryGetValue(ifNull!, out object? known) && known is not null ? (property, known) : null;
    }

    IReadOnlyList<IReadOnlyList<Condition>> CompareOrDefault(PropertyModel property, object? ifNull, ExpressionType kind, object? value)
    {
        if (value is null || property.IsConverted || Compare(property, kind, value) is not { } condition || !IsWritable(property, ifNull))
            return Single(null);
        // Null sorts before all strings, so a range without a lower bound includes it.
        _isExact &= property.Type.IsValueType || condition.Kind is not (ConditionKind.LessThan or ConditionKind.LessThanOrEqual);
        if (!condition.Values.Any(bound => Fits(property, ifNull, condition.Kind, bound)))
            return Single(condition);
        if (condition.Kind == ConditionKind.In)
            return Single(condition with { Values = [.. condition.Values, null] });
        var casts = _casts.ToArray();
        var found = Single(condition);
        _casts.AddRange(casts);
        return Or(found, Single(Equal(property, null)));
    }

    /// <summary>True if a value satisfies a condition, by the order of an index.</summary>
    bool Fits(PropertyModel property, object? value, ConditionKind kind, object? bound)
    {
        IsWritable(property, value);
        byte[] written = _writer.ToArray();
        IsWritable(property, bound);
        int order = written.AsSpan().SequenceCompareTo(_writer.Written);
        return kind switch
        {
            ConditionKind.GreaterThan => order > 0,
            ConditionKind.GreaterThanOrEqual => order >= 0,
            ConditionKind.LessThan => order < 0,
            ConditionKind.LessThanOrEqual => order <= 0,
            _ => order == 0,
        };
    }
}
