using System.Collections;
using System.Linq.Expressions;
using Datacake.Data.Metadata;
using Datacake.EventualConsistency;

namespace Datacake.Data.Querying;

/// <summary>
/// Finds in a predicate what keys and indexes can answer, as alternatives (joined by or) of conditions (joined by and). What it finds is
/// never narrower than the predicate; the predicate itself is applied to each entity afterwards.
/// </summary>
sealed class ConditionExtractor(EntityModel entity, ParameterExpression parameter)
{
    const int MaxAlternatives = 16;

    static readonly IReadOnlyList<IReadOnlyList<Condition>> Anything = [[]];

    readonly OrderedKeyWriter _writer = new();
    readonly List<Type> _casts = [];    // the classes that the comparison at hand takes the entity for

    bool _isExact;

    /// <param name="predicate">What is to be true.</param>
    /// <param name="isExact">Whether what is found says just what the predicate says, and not less.</param>
    public IReadOnlyList<IReadOnlyList<Condition>> Extract(Expression predicate, out bool isExact)
    {
        _isExact = true;
        var found = Extract(predicate);
        isExact = _isExact;
        return found;
    }

    IReadOnlyList<IReadOnlyList<Condition>> Extract(Expression predicate)
    {
        switch (predicate)
        {
            case BinaryExpression { NodeType: ExpressionType.AndAlso or ExpressionType.And } both when both.Type == typeof(bool):
                return And(Extract(both.Left), Extract(both.Right));
            case BinaryExpression { NodeType: ExpressionType.OrElse or ExpressionType.Or } either when either.Type == typeof(bool):
                return Or(Extract(either.Left), Extract(either.Right));
            case BinaryExpression comparison when ExactClass(comparison) is { } type:
                _isExact = false;
                return OfClass(type);
            case BinaryExpression
            {
                NodeType: ExpressionType.NotEqual,
                Left: UnaryExpression { NodeType: ExpressionType.TypeAs } cast,
                Right: ConstantExpression { Value: null },
            } when PropertyPath.IsParameter(cast, parameter):
                return OfClass(cast.Type);
            case TypeBinaryExpression { NodeType: ExpressionType.TypeIs } test when PropertyPath.IsParameter(test.Expression, parameter):
                return OfClass(test.TypeOperand);
            case BinaryExpression comparison:
                return Single(Comparison(comparison));
            case MethodCallExpression call:
                return Single(Call(call));
            case UnaryExpression { NodeType: ExpressionType.Not, Operand: var operand } when HasValue(operand) is { } property:
                return Single(Equal(property, null));
            case UnaryExpression { NodeType: ExpressionType.Not, Operand: var operand } when operand.Type == typeof(bool)
                && Property(operand) is { } property:
                return Single(Equal(property, false));
            case MemberExpression when HasValue(predicate) is { } property:
                return Single(new Condition(property, ConditionKind.GreaterThan, [null]));
            case MemberExpression when predicate.Type == typeof(bool) && Property(predicate) is { } property:
                return Single(Equal(property, true));
            case ConstantExpression { Value: false }:
                return [];
            default:
                return NotKnown();
        }
    }

    IReadOnlyList<IReadOnlyList<Condition>> NotKnown()
    {
        _isExact = false;
        return Anything;
    }

    IReadOnlyList<IReadOnlyList<Condition>> Or(IReadOnlyList<IReadOnlyList<Condition>> left, IReadOnlyList<IReadOnlyList<Condition>> right)
    {
        // Any of many values of one property is one set of lookups, however it is written.
        if (left is [[{ Kind: ConditionKind.In } first]] && right is [[{ Kind: ConditionKind.In } second]] && first.Property == second.Property)
            return [[new Condition(first.Property, ConditionKind.In, [.. first.Values, .. second.Values])]];
        return left.Count + right.Count <= MaxAlternatives ? [.. left, .. right] : NotKnown();
    }

    public static IReadOnlyList<IReadOnlyList<Condition>> And(
        IReadOnlyList<IReadOnlyList<Condition>> left, IReadOnlyList<IReadOnlyList<Condition>> right)
    {
        if (left.Count * right.Count > MaxAlternatives)
            return left.Count <= right.Count ? left : right;
        return [.. left.SelectMany(_ => right, IReadOnlyList<Condition> (a, b) =>
            [.. a, .. b.Where(added => added.Type is not { } type || !a.Any(known => known.Type == type))])];
    }

    IReadOnlyList<IReadOnlyList<Condition>> Single(Condition? condition)
    {
        var casts = _casts.ToArray();
        _casts.Clear();
        if (condition is null)
            return NotKnown();
        _isExact &= IsExactOf(condition.Property);
        // Of an entity of another class the comparison is never true: it throws.
        return casts.Select(OfClass).Aggregate<IReadOnlyList<IReadOnlyList<Condition>>, IReadOnlyList<IReadOnlyList<Condition>>>([[condition]], And);
    }

    /// <summary>That the entity is of a class, or of one derived from it.</summary>
    IReadOnlyList<IReadOnlyList<Condition>> OfClass(Type type)
    {
        if (type.IsAssignableFrom(entity.Type))
            return Anything;
        return entity.Classes.Any(known => type.IsAssignableFrom(known.Type)) ? [[Condition.Is(type)]] : [];
    }

    /// <summary>The class in <c>v.GetType() == typeof(Truck)</c>.</summary>
    Type? ExactClass(BinaryExpression comparison) =>
        comparison is { NodeType: ExpressionType.Equal, Left: MethodCallExpression { Method.Name: nameof(GetType), Object: { } of, Arguments: [] } }
            && PropertyPath.IsParameter(of, parameter) && TryGetValue(comparison.Right, out object? value)
            ? value as Type
            : null;

    /// <summary>
    /// Whether an index decides a comparison as the language does: not where a missing owner makes it throw, nor for NaN, nor of arrays,
    /// which are equal to themselves only, nor where a converter may make different values equal.
    /// </summary>
    static bool IsExactOf(PropertyModel property) => !property.Name.Contains('.') && !property.IsConverted
        && (Nullable.GetUnderlyingType(property.Type) ?? property.Type) is var type && type != typeof(double) && type != typeof(float)
        && !type.IsArray;

    Condition? Comparison(BinaryExpression comparison)
    {
        var kind = comparison.NodeType;
        // string.CompareOrdinal(p.Name, "x") > 0; the normalizer has made all comparisons of strings such ones.
        if (comparison.Left is MethodCallExpression { Method.Name: nameof(string.CompareOrdinal), Arguments: [var first, var second] }
            && TryGetValue(comparison.Right, out object? zero) && zero is 0)
            return Compare(first, kind, second);
        // p.Day.CompareTo(x) > 0
        if (comparison.Left is MethodCallExpression { Method.Name: nameof(IComparable.CompareTo), Object: { } a, Arguments: [var b] } && a.Type == b.Type
            && TryGetValue(comparison.Right, out zero) && zero is 0)
            return Compare(a, kind, b);
        return Compare(comparison.Left, kind, comparison.Right);
    }

    Condition? Compare(Expression left, ExpressionType kind, Expression right)
    {
        // Two objects are compared by reference.
        _isExact &= left.Type != typeof(object);
        if (Property(left) is { } property && TryGetValue(right, out object? value))
            return Compare(property, kind, value);
        if (Property(right) is { } mirrored && TryGetValue(left, out value))
        {
            return Compare(mirrored, kind switch
            {
                ExpressionType.LessThan => ExpressionType.GreaterThan,
                ExpressionType.LessThanOrEqual => ExpressionType.GreaterThanOrEqual,
                ExpressionType.GreaterThan => ExpressionType.LessThan,
                ExpressionType.GreaterThanOrEqual => ExpressionType.LessThanOrEqual,
                _ => kind,
            }, value);
        }
        return null;
    }

    Condition? Compare(PropertyModel property, ExpressionType kind, object? value)
    {
        if (property.Kind == PropertyKind.Set || !IsWritable(property, value))
            return null;
        if (kind == ExpressionType.NotEqual)
            return value is null ? new Condition(property, ConditionKind.GreaterThan, [null]) : null;
        ConditionKind? condition = kind switch
        {
            ExpressionType.Equal => ConditionKind.In,
            ExpressionType.GreaterThan => ConditionKind.GreaterThan,
            ExpressionType.GreaterThanOrEqual => ConditionKind.GreaterThanOrEqual,
            ExpressionType.LessThan => ConditionKind.LessThan,
            ExpressionType.LessThanOrEqual => ConditionKind.LessThanOrEqual,
            _ => null,
        };
        if (property.IsConverted && condition != ConditionKind.In)
            return null;
        // Null is neither less nor greater than a number, yet less than a string for CompareOrdinal: left to the predicate.
        return condition is { } known && (value is not null || known == ConditionKind.In) ? new Condition(property, known, [value]) : null;
    }

    Condition? Call(MethodCallExpression call)
    {
        switch (call)
        {
            case { Method.Name: nameof(string.StartsWith), Object: { } text, Arguments: [var prefix, var comparison] }
                when call.Method.DeclaringType == typeof(string) && IsOrdinal([comparison])
                && Property(text) is { IsConverted: false } property && TryGetValue(prefix, out object? value) && value is string start
                && IsWritable(property, start):
                return new Condition(property, ConditionKind.StartsWith, [start]);

            // An overload for one character, which is ordinal.
            case { Method.Name: nameof(string.StartsWith), Object: { } text, Arguments: [{ } first] }
                when first.Type == typeof(char) && Property(text) is { IsConverted: false } property && TryGetValue(first, out object? value)
                && $"{value}" is var start && IsWritable(property, start):
                return new Condition(property, ConditionKind.StartsWith, [start]);

            // p.Name.Equals(x), string.Equals(p.Name, x), and both with StringComparison.Ordinal
            case { Method.Name: nameof(Equals), Object: { } a, Arguments: [var b, ..] } when a.Type == b.Type
                && IsOrdinal(call.Arguments.Skip(1)):
                return Compare(a, ExpressionType.Equal, b);
            case { Method.Name: nameof(Equals), Object: null, Arguments: [var a, var b, ..] } when call.Method.DeclaringType == typeof(string)
                && IsOrdinal(call.Arguments.Skip(2)):
                return Compare(a, ExpressionType.Equal, b);

            // p.Tags.Contains(x)
            case { Method.Name: "Contains", Object: { } set, Arguments: [var item] }
                when Property(set) is { Kind: PropertyKind.Set } property && TryGetValue(item, out object? value)
                    && IsWritable(property, value):
                return Equal(property, value);
            case { Method.Name: "Contains", Object: null, Arguments: [var set, var item] } when call.Method.DeclaringType == typeof(Enumerable)
                && Property(set) is { Kind: PropertyKind.Set } property && TryGetValue(item, out object? value)
                && IsWritable(property, value):
                return Equal(property, value);

            // list.Contains(p.Id)
            case { Method.Name: "Contains", Object: { } list, Arguments: [var item] }:
                return In(list, item);
            case { Method.Name: "Contains", Object: null, Arguments: [var list, var item] } when call.Method.DeclaringType == typeof(Enumerable):
                return In(list, item);
            default:
                return null;
        }
    }

    /// <summary>Whether the comparison named, if one is, is ordinal.</summary>
    bool IsOrdinal(IEnumerable<Expression> mode) =>
        mode.All(comparison => TryGetValue(comparison, out object? value) && value is StringComparison.Ordinal);

    bool TryGetValue(Expression expression, out object? value) => ExpressionValue.TryGet(expression, entity.Expressions, out value);

    Condition? In(Expression list, Expression item)
    {
        if (Property(item) is not { Kind: not PropertyKind.Set } property || !TryGetValue(list, out object? value)
            || value is not IEnumerable enumerable || !IsDefaultEquality(enumerable))
            return null;
        object?[] values = [.. enumerable.Cast<object?>()];
        return Array.TrueForAll(values, candidate => IsWritable(property, candidate)) ? new Condition(property, ConditionKind.In, values) : null;
    }

    /// <summary>
    /// Whether a collection finds what is equal, and not for example strings of another case: a set may have any comparer.
    /// </summary>
    static bool IsDefaultEquality(IEnumerable collection) => collection switch
    {
        IList => true,
        HashSet<string> set => set.Comparer == EqualityComparer<string>.Default || set.Comparer == StringComparer.Ordinal,
        HashSet<int> set => set.Comparer == EqualityComparer<int>.Default,
        HashSet<long> set => set.Comparer == EqualityComparer<long>.Default,
        HashSet<Guid> set => set.Comparer == EqualityComparer<Guid>.Default,
        _ => false,
    };

    PropertyModel? HasValue(Expression expression) =>
        expression is MemberExpression { Member.Name: nameof(Nullable<>.HasValue), Expression: { } nullable }
            && Nullable.GetUnderlyingType(nullable.Type) is not null
            ? Property(nullable)
            : null;

    /// <summary>The property that an expression names, if an index or key could have it.</summary>
    PropertyModel? Property(Expression expression)
    {
        while (
            expression is UnaryExpression { NodeType: ExpressionType.Convert or ExpressionType.ConvertChecked, Method: null } convert
                && KeepsOrder(convert.Operand.Type, convert.Type))
            expression = convert.Operand;
        if (PropertyPath.Of(expression, parameter, out var of) is not { } path || entity.FindProperty(path) is not { OrderedCodec: not null } property)
            return null;
        _casts.Add(of);
        return property;
    }

    /// <summary>
    /// Conversions that the compiler inserts around a property: to its nullable, from an enum to an integer, and to a wider number.
    /// </summary>
    static bool KeepsOrder(Type from, Type to)
    {
        from = Nullable.GetUnderlyingType(from) ?? from;
        to = Nullable.GetUnderlyingType(to) ?? to;
        if (from.IsEnum && from != to)
            from = Enum.GetUnderlyingType(from);
        // An item of a list without a type is boxed.
        if (from == to || to == typeof(object))
            return true;
        return (Type.GetTypeCode(from), Type.GetTypeCode(to)) switch
        {
            (TypeCode.Single, TypeCode.Double) => true,
            (TypeCode.Byte or TypeCode.SByte or TypeCode.Int16 or TypeCode.UInt16 or TypeCode.Char, TypeCode.Int32 or TypeCode.Int64) =>
                true,
            (TypeCode.Int32 or TypeCode.UInt32, TypeCode.Int64) => true,
            (TypeCode.Byte or TypeCode.UInt16 or TypeCode.Char, TypeCode.UInt32 or TypeCode.UInt64) => true,
            (TypeCode.UInt32, TypeCode.UInt64) => true,
            _ => false,
        };
    }

    bool IsWritable(PropertyModel property, object? value)
    {
        try
        {
            _writer.Truncate();
            return property.OrderedCodec!.TryWriteOrdered(_writer, value);
        }
        catch (ArgumentException)
        {
            // A string with half of a surrogate pair, which no stored one has.
            return false;
        }
    }

    static Condition Equal(PropertyModel property, object? value) => new(property, ConditionKind.In, [value]);
}
