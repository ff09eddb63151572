using System.Collections;
using System.Linq.Expressions;
using System.Reflection;
using Datacake.Data.CodeGeneration;
using Datacake.Data.Expressions;
using Datacake.Data.Metadata;
using Datacake.Data.Querying.Analysis;
using Datacake.Data.Values;

namespace Datacake.Data.Querying.Planning;

/// <content>Method calls that compare or search.</content>
sealed partial class ConditionExtractor
{
    IReadOnlyList<IReadOnlyList<Condition>> Call(MethodCallExpression call)
    {
        if (StoredEquality.AsEqual(call) is var (codec, left, right))
            return codec is KeyCodec ? SameEntity(left, right) : StoredEqual(left, right);
        if (StoredEquality.AsContains(call) is var (ofItems, stored, sought))
            return ofItems is KeyCodec ? AmongEntities(stored, sought) : Single(Element(stored, sought) ?? In(stored, sought, itemType: null), isByStored: true);
        switch (call)
        {
            case { Method.Name: nameof(string.StartsWith), Object: { } text, Arguments: [var prefix, var comparison] }
                when call.Method.DeclaringType == typeof(string) && IsOrdinal([comparison]) && TryGetValue(prefix, out object? value) && value is string start:
                return Single(StartsWith(text, start));

            // The overload for a single character is ordinal.
            case { Method.Name: nameof(string.StartsWith), Object: { } text, Arguments: [{ } first] }
                when first.Type == typeof(char) && TryGetValue(first, out object? value):
                return Single(StartsWith(text, $"{value}"));

            // p.Name.Like("ab%")
            case { Method.Name: nameof(TextMatching.Like), Arguments: [var text, var pattern] }
                when call.Method.DeclaringType == typeof(TextMatching) && TryGetValue(pattern, out object? value) && value is string like && TextMatching.IsPattern(like):
                return Like(text, like);

            // p.Name.Equals(x), string.Equals(p.Name, x), and both with StringComparison.Ordinal
            case { Method.Name: nameof(Equals), Object: { } a, Arguments: [var b, ..] } when a.Type == b.Type && IsOrdinal(call.Arguments.Skip(1)):
                // On a null receiver, Equals returns false or throws, so no index lookup for null is equivalent to the call.
                return TryGetValue(b, out object? other) && other is null ? Single(null) : Compare(a, ExpressionType.Equal, b);
            case { Method.Name: nameof(Equals), Object: null, Arguments: [var a, var b, ..] } when call.Method.DeclaringType == typeof(string)
                && IsOrdinal(call.Arguments.Skip(2)):
                return Compare(a, ExpressionType.Equal, b);

            // p.Id.Equals(x) and object.Equals(p.Id, x), with boxed values
            case { Method.Name: nameof(Equals), Object: { } a, Arguments: [var b] } when b.Type == typeof(object):
                return Single(BoxedEqual(a, b, isCalled: true));
            case { Method.Name: nameof(Equals), Object: null, Arguments: [var a, var b] } when call.Method.DeclaringType == typeof(object):
                return Single(BoxedEqual(a, b, isCalled: false));

            case { Method.Name: nameof(string.IsNullOrEmpty), Arguments: [var text] } when call.Method.DeclaringType == typeof(string) && Property(text) is { } property:
                return property.IsConverted ? Single(null) : Single(new Condition(property, ConditionKind.In, [null, ""]));

            case { Method.Name: nameof(Nullable<>.GetValueOrDefault) } when call.Type == typeof(bool):
                return Compare(call, ExpressionType.Equal, True);

            // p.Tags.Contains(x), then list.Contains(p.Id)
            case { Method.Name: nameof(Enumerable.Contains), Object: { } collection, Arguments: [var item] }:
                return Single(Element(collection, item) ?? (IsOfPlatform(call.Method) ? In(collection, item, item.Type) : null));
            case { Method.Name: nameof(Enumerable.Contains), Object: null, Arguments: [var collection, var item] } when call.Method.DeclaringType == typeof(Enumerable):
                return Single(Element(collection, item) ?? In(collection, item, item.Type));
            case { Method.Name: nameof(IDictionary<,>.ContainsKey), Object: { } dictionary, Arguments: [var key] } when IsOfPlatform(call.Method):
                return Single(InKeys(dictionary, key));

            // p.Tags.Overlaps(list)
            case { Method.Name: nameof(ISet<>.Overlaps), Object: { } set, Arguments: [var others] } when Property(set) is { Kind: PropertyKind.Set } property && IsPlainSet(property):
                return Single(InValues(property, others, elementType: null));

            // list.Any(i => i == p.Id) and p.Tags.Any(t => t == x)
            case { Method.Name: nameof(Enumerable.Any), Object: null, Arguments: [var collection, LambdaExpression { Parameters: [var element] } lambda] }
                when call.Method.DeclaringType == typeof(Enumerable):
                return Any(collection, element, lambda.Body);
            case { Method.Name: nameof(List<>.Exists), Object: { } collection, Arguments: [LambdaExpression { Parameters: [var element] } lambda] } when IsOfPlatform(call.Method):
                return Any(collection, element, lambda.Body);
            default:
                return Single(null);
        }
    }

    Condition? StartsWith(Expression text, string start) => Property(text) is { IsConverted: false, Kind: not PropertyKind.Set } property && IsWritable(property, start)
        ? new Condition(property, ConditionKind.StartsWith, [start])
        : null;

    IReadOnlyList<IReadOnlyList<Condition>> Like(Expression text, string pattern)
    {
        var (prefix, rest) = TextMatching.Split(pattern);
        if (rest.Length == 0)
            return Property(text) is { IsConverted: false } property && IsWritable(property, prefix) ? Single(Equal(property, prefix)) : Single(null);
        _isExact &= rest == "%";
        return Single(StartsWith(text, prefix));
    }

    IReadOnlyList<IReadOnlyList<Condition>> StoredEqual(Expression left, Expression right)
    {
        if (Property(left) is { } property && TryGetValue(right, out object? value))
            return Single(Compare(property, ExpressionType.Equal, value), isByStored: true);
        return Property(right) is { } mirrored && TryGetValue(left, out value) ? Single(Compare(mirrored, ExpressionType.Equal, value), isByStored: true) : Single(null);
    }

    /// <summary>
    /// Returns the condition for the equality of boxed values, which must be of the same type: an int never equals a long.
    /// </summary>
    Condition? BoxedEqual(Expression left, Expression right, bool isCalled)
    {
        var (side, other) = Property(left) is not null ? (left, right) : (right, left);
        _casts.Clear();
        if (Property(side) is not { Kind: not PropertyKind.Set } property || !TryGetValue(other, out object? value) || (isCalled && (value is null || side != left)))
            return null;
        return IsOfType(value, BoxedType(side)) ? Compare(property, ExpressionType.Equal, value) : new Condition(property, ConditionKind.In, []);
    }

    IReadOnlyList<IReadOnlyList<Condition>> SameEntity(Expression left, Expression right)
    {
        var other = PropertyPath.IsParameter(left, parameter) ? right : PropertyPath.IsParameter(right, parameter) ? left : null;
        return other is not null && TryGetValue(other, out object? value) ? WithKeys([value]) : Single(null);
    }

    IReadOnlyList<IReadOnlyList<Condition>> AmongEntities(Expression collection, Expression sought) =>
        PropertyPath.IsParameter(sought, parameter) && TryGetValue(collection, out object? value) && value is IEnumerable entities && EvaluatedSequence.TryRead(entities) is { } known
            ? WithKeys(known)
            : Single(null);

    /// <summary>Returns the conditions that an entity has the key of one of the given entities.</summary>
    IReadOnlyList<IReadOnlyList<Condition>> WithKeys(IEnumerable<object?> entities)
    {
        List<object> known = [.. entities.OfType<object>().Where(entity.Type.IsInstanceOfType)];
        List<Condition> conditions = [.. entity.Key.Select(property => new Condition(property, ConditionKind.In, [.. known.Select(property.GetValue).Where(value => value is not null)]))];
        // With several composite keys, each part is matched against that part of every key, so the conditions may match other keys as well.
        _isExact &= conditions.Count == 1 || known.Count <= 1;
        return conditions.TrueForAll(condition => condition.Values.All(value => IsWritable(condition.Property, value))) ? [conditions] : Single(null);
    }

    /// <summary>Returns the condition that a set contains an element.</summary>
    Condition? Element(Expression set, Expression item) => Property(set) is { Kind: PropertyKind.Set } property && TryGetValue(item, out object? value) && IsWritable(property, value)
        ? Equal(property, value)
        : null;

    /// <summary>Returns the condition that a property equals one of the values in a collection.</summary>
    /// <param name="collection">The expression for the collection.</param>
    /// <param name="item">The expression for the property.</param>
    /// <param name="itemType">
    /// The type as which the items are compared; null if they are compared by their stored form, whatever the collection.
    /// </param>
    Condition? In(Expression collection, Expression item, Type? itemType)
    {
        // dictionary.Keys.Contains(p.Id)
        if (collection is MemberExpression { Member: PropertyInfo { Name: nameof(IDictionary.Keys) }, Expression: { } dictionary } && InKeys(dictionary, item) is { } ofKeys)
            return ofKeys;
        if (Property(item) is not { Kind: not PropertyKind.Set, OrderedCodec: { } codec } property || !TryGetValue(collection, out object? value) || value is not IEnumerable values)
            return null;
        bool isDefault = itemType is null || values is EvaluatedSequence || (!property.IsConverted && ElementEquality.Of(itemType, codec)?.IsDefaultIn(values) == true);
        return isDefault ? InValues(property, values, itemType == typeof(object) ? BoxedType(item) : null) : null;
    }

    Condition? InKeys(Expression dictionary, Expression key) =>
        Property(key) is { Kind: not PropertyKind.Set, OrderedCodec: { } codec } property && TryGetValue(dictionary, out object? value) && value is IDictionary known
            && ElementEquality.Of(key.Type, codec)?.IsDefaultOfKeys(known) == true
            ? InValues(property, known.Keys, elementType: null)
            : null;

    Condition? InValues(PropertyModel property, Expression collection, Type? elementType) =>
        TryGetValue(collection, out object? value) && value is IEnumerable values ? InValues(property, values, elementType) : null;

    /// <summary>Returns the condition that a property equals one of the given values; null if an index cannot answer it.</summary>
    /// <param name="property">The property.</param>
    /// <param name="collection">The values.</param>
    /// <param name="elementType">The type that a value must have to be equal, if values are compared as objects; otherwise null.</param>
    Condition? InValues(PropertyModel property, IEnumerable collection, Type? elementType)
    {
        if (EvaluatedSequence.TryRead(collection) is not { } values)
            return null;
        if (elementType is not null && !property.IsConverted)
            values.RemoveAll(value => !IsOfType(value, elementType));
        if (values.Exists(value => WholeNumbers.Compares(property, value)))
        {
            if (values.Exists(value => value is not null && WholeNumbers.FloorOf(value) is null))
                return null;
            values = [.. values.Where(value => value is null || WholeNumbers.FloorOf(value)!.Value.IsWhole).Select(value => value is null ? null : (object)WholeNumbers.FloorOf(value)!.Value.Floor)];
        }
        return values.TrueForAll(value => IsWritable(property, value)) ? new Condition(property, ConditionKind.In, values) : null;
    }

    IReadOnlyList<IReadOnlyList<Condition>> Any(Expression collection, ParameterExpression element, Expression body)
    {
        if (Property(collection) is { Kind: PropertyKind.Set } set)
        {
            if (!IsPlainSet(set))
                return Single(null);
            return OtherSide(body, element) is { } value && TryGetValue(value, out object? sought) && IsWritable(set, sought) && sought is not (double.NaN or float.NaN)
                ? Single(Equal(set, sought))
                : body is MethodCallExpression { Method.Name: nameof(Enumerable.Contains) } call && Searched(call, element) is var (list, item)
                    && TryGetValue(list, out object? values) && values is IEnumerable known && ElementEquality.Of(item.Type, set.OrderedCodec!)?.IsDefaultIn(known) == true
                    ? Single(InValues(set, known, item.Type == typeof(object) ? BoxedType(item) : null))
                    : Single(null);
        }
        _casts.Clear();
        if (StoredEquality.AsEqual(body) is var (codec, left, right))
        {
            var sought = left == element ? right : right == element ? left : null;
            if (sought is null)
                return Single(null);
            return codec is KeyCodec ? AmongEntities(collection, sought) : Single(In(collection, sought, itemType: null), isByStored: true);
        }
        return OtherSide(body, element) is { } other && Property(other) is { Kind: not PropertyKind.Set } property ? Single(InValues(property, collection, elementType: null)) : Single(null);
    }

    /// <summary>Returns the expression that the element of a collection is compared with for equality; null if there is none.</summary>
    static Expression? OtherSide(Expression body, ParameterExpression element)
    {
        var (left, right) = body switch
        {
            BinaryExpression { NodeType: ExpressionType.Equal } equal => (equal.Left, equal.Right),
            MethodCallExpression { Method.Name: nameof(Equals), Object: { } a, Arguments: [var b] } when a.Type == b.Type && a.Type.IsValueType => (a, b),
            MethodCallExpression { Method: { Name: nameof(Equals), DeclaringType: var type }, Object: null, Arguments: [var a, var b] } when type == typeof(string) => (a, b),
            _ => (null, null),
        };
        return left is null || right is null ? null : WithoutConversions(left) == element ? right : WithoutConversions(right) == element ? left : null;
    }

    /// <summary>Returns the list and the item in <c>list.Contains(element)</c>; null if the call has another form.</summary>
    static (Expression List, Expression Item)? Searched(MethodCallExpression call, ParameterExpression element) => call switch
    {
        { Object: { } list, Arguments: [var item] } when IsOfPlatform(call.Method) && WithoutConversions(item) == element => (list, item),
        { Object: null, Arguments: [var list, var item] } when call.Method.DeclaringType == typeof(Enumerable) && WithoutConversions(item) == element => (list, item),
        _ => null,
    };

    /// <summary>True if the elements of a set are compared by their default equality in C#.</summary>
    static bool IsPlainSet(PropertyModel set) => set.OrderedCodec != ValueCodecs.Bytes && set.Type != typeof(SortedSet<string>);

    /// <summary>True if the comparison that an argument names, if any, is ordinal.</summary>
    bool IsOrdinal(IEnumerable<Expression> mode) => mode.All(comparison => TryGetValue(comparison, out object? value) && value is StringComparison.Ordinal);

    static bool IsOfPlatform(MethodInfo method) => method.DeclaringType?.Namespace?.StartsWith("System", StringComparison.Ordinal) == true;

    /// <summary>Returns the type that the value of an expression has when it is boxed.</summary>
    static Type BoxedType(Expression expression)
    {
        if (expression is UnaryExpression { NodeType: ExpressionType.Convert, Operand: var boxed } && expression.Type == typeof(object))
            expression = boxed;
        return Nullable.GetUnderlyingType(expression.Type) ?? expression.Type;
    }

    static bool IsOfType(object? value, Type type) => value is null || value.GetType() == type;
}
