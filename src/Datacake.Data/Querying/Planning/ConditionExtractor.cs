using System.Linq.Expressions;
using Datacake.Data.Expressions;
using Datacake.Data.Querying.Analysis;
using Datacake.EventualConsistency;

namespace Datacake.Data.Querying.Planning;

/// <summary>
/// The extractor of conditions that keys and indexes can answer. It returns alternatives (joined by or) of conditions (joined by and) that
/// are never narrower than the predicate. The predicate itself is applied to each entity afterwards.
/// </summary>
sealed partial class ConditionExtractor(EntityModel entity, ParameterExpression parameter)
{
    const int MaxAlternatives = 16;

    static readonly IReadOnlyList<IReadOnlyList<Condition>> Anything = [[]];

    static readonly ConstantExpression True = Expression.Constant(true), False = Expression.Constant(false), EmptyString = Expression.Constant("");

    readonly OrderedKeyWriter _writer = new();
    readonly List<Type> _casts = [];    // the classes that the current comparison casts the entity to

    bool _isExact;
    bool _readsForeignKeys;

    /// <summary>Returns the alternatives of conditions that follow from a predicate.</summary>
    /// <param name="predicate">The predicate.</param>
    /// <param name="isExact">True if the conditions are equivalent to the predicate, rather than weaker.</param>
    public IReadOnlyList<IReadOnlyList<Condition>> Extract(Expression predicate, out bool isExact)
    {
        _isExact = true;
        var found = Extract(predicate);
        isExact = _isExact;
        return found;
    }

    /// <summary>
    /// Returns the conditions on foreign keys that follow from a condition on the key of a related entity: <c>o.Customer.Id == 5</c> is
    /// true only of orders whose <c>CustomerId</c> is 5. Only conditions that are false for a missing related entity imply anything,
    /// because its foreign key may have any value.
    /// </summary>
    public IReadOnlyList<IReadOnlyList<Condition>> ExtractForeignKeys(Expression predicate)
    {
        bool isKnown = predicate switch
        {
            BinaryExpression { NodeType: ExpressionType.Equal } => true,
            BinaryExpression { NodeType: ExpressionType.LessThan or ExpressionType.LessThanOrEqual or ExpressionType.GreaterThan or ExpressionType.GreaterThanOrEqual } comparison =>
                comparison.Left is not MethodCallExpression && comparison.Left.Type.IsValueType,
            MethodCallExpression call => StoredEquality.AsEqual(call) is not null || StoredEquality.AsContains(call) is not null || call.Method.Name == nameof(Enumerable.Contains),
            _ => false,
        };
        if (!isKnown)
            return Anything;
        _readsForeignKeys = true;
        var found = Extract(predicate);
        _readsForeignKeys = false;
        return found.All(static conditions => conditions.All(static condition => condition.Type is null && !condition.Values.Contains(null))) ? found : Anything;
    }

    IReadOnlyList<IReadOnlyList<Condition>> Extract(Expression predicate)
    {
        _casts.Clear();
        switch (predicate)
        {
            case BinaryExpression { NodeType: ExpressionType.AndAlso or ExpressionType.And } both when both.Type == typeof(bool):
                return And(Extract(both.Left), Extract(both.Right));
            case BinaryExpression { NodeType: ExpressionType.OrElse or ExpressionType.Or } either when either.Type == typeof(bool):
                return Or(Extract(either.Left), Extract(either.Right));
            case BinaryExpression { NodeType: ExpressionType.Coalesce } flag when flag.Type == typeof(bool):
                return Compare(flag, ExpressionType.Equal, True);
            case ConditionalExpression choice when TryGetValue(choice.Test, out object? which) && which is bool isTrue:
                return Extract(isTrue ? choice.IfTrue : choice.IfFalse);
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
                return Comparison(comparison);
            case MethodCallExpression call:
                return Call(call);
            case UnaryExpression { NodeType: ExpressionType.Not, Operand: MethodCallExpression { Method.Name: nameof(string.IsNullOrEmpty), Arguments: [var text] } call }
                when call.Method.DeclaringType == typeof(string):
                return Compare(text, ExpressionType.GreaterThan, EmptyString);
            case UnaryExpression { NodeType: ExpressionType.Not, Operand: var flag } when WithDefault(flag) is not null:
                return Compare(flag, ExpressionType.Equal, False);
            case UnaryExpression { NodeType: ExpressionType.Not, Operand: var operand } when HasValue(operand) is { } property:
                return Single(Equal(property, null));
            case UnaryExpression { NodeType: ExpressionType.Not, Operand: var operand } when operand.Type == typeof(bool)
                && Property(operand) is { } property:
                return Single(Equal(property, false));
            case MemberExpression when HasValue(predicate) is { } property:
                return Single(new Condition(property, ConditionKind.GreaterThan, [null]));
            case MemberExpression when predicate.Type == typeof(bool) && Property(predicate) is { } property:
                return Single(Equal(property, true));
            default:
                if (!TryGetValue(predicate, out object? known) || known is not bool isAlways)
                    return NotKnown();
                return isAlways ? Anything : [];
        }
    }

    IReadOnlyList<IReadOnlyList<Condition>> NotKnown()
    {
        _isExact = false;
        return Anything;
    }

    IReadOnlyList<IReadOnlyList<Condition>> Or(IReadOnlyList<IReadOnlyList<Condition>> left, IReadOnlyList<IReadOnlyList<Condition>> right)
    {
        // Several values of one property are one set of lookups, however the condition is written.
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

    /// <param name="condition">The condition; null if nothing is known.</param>
    /// <param name="isByStored">True if values are compared by their stored form, as an index does.</param>
    IReadOnlyList<IReadOnlyList<Condition>> Single(Condition? condition, bool isByStored = false)
    {
        var casts = _casts.ToArray();
        _casts.Clear();
        if (condition is null)
            return NotKnown();
        _isExact &= IsExactOf(condition.Property, isByStored);
        // For an entity of another class the comparison is never true: the cast throws.
        return casts.Select(OfClass).Aggregate<IReadOnlyList<IReadOnlyList<Condition>>, IReadOnlyList<IReadOnlyList<Condition>>>([[condition]], And);
    }

    /// <summary>Returns the condition that an entity is of a class or of a class derived from it.</summary>
    IReadOnlyList<IReadOnlyList<Condition>> OfClass(Type type)
    {
        if (type.IsAssignableFrom(entity.Type))
            return Anything;
        return entity.Classes.Any(known => type.IsAssignableFrom(known.Type)) ? [[Condition.Is(type)]] : [];
    }

    /// <summary>Returns the class in <c>v.GetType() == typeof(Truck)</c>; null if the comparison has another form.</summary>
    Type? ExactClass(BinaryExpression comparison) =>
        comparison is { NodeType: ExpressionType.Equal, Left: MethodCallExpression { Method.Name: nameof(GetType), Object: { } of, Arguments: [] } }
            && PropertyPath.IsParameter(of, parameter) && TryGetValue(comparison.Right, out object? value)
            ? value as Type
            : null;

    /// <summary>
    /// True if an index decides a comparison exactly as C# does. It does not if a missing owner makes C# throw, or for floating-point
    /// numbers, because of NaN. Unless values are compared by their stored form, it also does not for arrays, which C# compares by
    /// reference, or if a converter may give different values the same stored form.
    /// </summary>
    static bool IsExactOf(PropertyModel property, bool isByStored) => !property.Name.Contains('.')
        && (isByStored || (!property.IsConverted && !property.Type.IsArray))
        && (Nullable.GetUnderlyingType(property.Type) ?? property.Type) is var type && type != typeof(double) && type != typeof(float);

    bool TryGetValue(Expression expression, out object? value) => ExpressionValue.TryGet(expression, entity.Expressions, out value);

    PropertyModel? HasValue(Expression expression) =>
        expression is MemberExpression { Member.Name: nameof(Nullable<>.HasValue), Expression: { } nullable }
            && Nullable.GetUnderlyingType(nullable.Type) is not null
            ? Property(nullable)
            : null;

    /// <summary>Returns the property that an expression names, if an index or key can answer conditions on it; otherwise null.</summary>
    PropertyModel? Property(Expression expression)
    {
        if (PropertyPath.Of(WithoutConversions(expression), parameter, out var of) is not { } path
            || (_readsForeignKeys ? entity.FindForeignKey(path) : entity.FindProperty(path)) is not { OrderedCodec: not null } property)
            return null;
        _casts.Add(of);
        return property;
    }

    /// <summary>Returns an expression without the conversions around it that do not change how it compares.</summary>
    static Expression WithoutConversions(Expression expression)
    {
        while (expression is UnaryExpression { NodeType: ExpressionType.Convert or ExpressionType.ConvertChecked } convert
            && (convert.Method is null || convert.Method.DeclaringType == typeof(decimal)) && KeepsOrder(convert.Operand.Type, convert.Type))
            expression = convert.Operand;
        return expression;
    }

    /// <summary>
    /// True for conversions that the compiler inserts around a property and that keep the order: to its nullable type, from an enum to an
    /// integer, and to a wider number. <see cref="WholeNumbers"/> compares integers with fractional numbers.
    /// </summary>
    static bool KeepsOrder(Type from, Type to)
    {
        from = Nullable.GetUnderlyingType(from) ?? from;
        to = Nullable.GetUnderlyingType(to) ?? to;
        if (from.IsEnum && from != to)
            from = Enum.GetUnderlyingType(from);
        // An item of a non-generic list is boxed.
        if (from == to || to == typeof(object))
            return true;
        return (Type.GetTypeCode(from), Type.GetTypeCode(to)) switch
        {
            (TypeCode.Single, TypeCode.Double) => true,
            ( >= TypeCode.Char and <= TypeCode.UInt64, TypeCode.Single or TypeCode.Double or TypeCode.Decimal) => true,
            (TypeCode.Byte or TypeCode.SByte or TypeCode.Int16 or TypeCode.UInt16 or TypeCode.Char, TypeCode.Int32 or TypeCode.Int64) =>
                true,
            (TypeCode.Int32 or TypeCode.UInt32, TypeCode.Int64) => true,
            (TypeCode.Byte or TypeCode.UInt16 or TypeCode.Char, TypeCode.UInt32 or TypeCode.UInt64) => true,
            (TypeCode.UInt32, TypeCode.UInt64) => true,
            _ => false,
        };
    }

    /// <summary>True if a value can be looked up: it is of the property's type, or comparable with it.</summary>
    bool IsWritable(PropertyModel property, object? value)
    {
        try
        {
            _writer.Truncate();
            return property.OrderedCodec!.TryWriteOrdered(_writer, value);
        }
        catch (ArgumentException)
        {
            // The string has an unpaired surrogate, which no stored string has.
            return false;
        }
    }

    static Condition Equal(PropertyModel property, object? value) => new(property, ConditionKind.In, [value]);
}
