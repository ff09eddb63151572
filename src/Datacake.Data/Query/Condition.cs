using Datacake.Data.Metadata;

namespace Datacake.Data.Querying;

enum ConditionKind
{
    /// <summary>Equal to one of the values; for a set: it has one of them.</summary>
    In,

    GreaterThan,

    GreaterThanOrEqual,

    LessThan,

    LessThanOrEqual,

    /// <summary>A string that starts with the value, by ordinal.</summary>
    StartsWith,

    /// <summary>The entity is of the class that is the value, or of one that derives from it.</summary>
    Is,
}

/// <summary>What a predicate says of one property, or of the class, and an index or key can find.</summary>
sealed record Condition(PropertyModel Property, ConditionKind Kind, IReadOnlyList<object?> Values)
{
    static readonly PropertyModel Class = new("its class", typeof(Type), PropertyKind.Value, static entity => entity.GetType());

    /// <summary>The condition that an entity is of a class.</summary>
    public static Condition Is(Type type) => new(Class, ConditionKind.Is, [type]);

    /// <summary>The class that the entity must be of, if the condition is about that.</summary>
    public Type? Type => Kind == ConditionKind.Is ? (Type)Values[0]! : null;

    public bool Equals(Condition? other) =>
        other is not null && Property == other.Property && Kind == other.Kind && (Values == other.Values || (Type is not null && Type == other.Type));

    public override int GetHashCode() => HashCode.Combine(Property, Kind);

    public override string ToString() => Kind switch
    {
        ConditionKind.Is => $"is {Type!.Name}",
        ConditionKind.In when Property.Kind == PropertyKind.Set => $"{Property.Name} contains {List(" or ")}",
        ConditionKind.In when Values.Count == 1 => $"{Property.Name} = {List("")}",
        ConditionKind.In => $"{Property.Name} in ({List(", ")})",
        ConditionKind.GreaterThan => $"{Property.Name} > {List("")}",
        ConditionKind.GreaterThanOrEqual => $"{Property.Name} >= {List("")}",
        ConditionKind.LessThan => $"{Property.Name} < {List("")}",
        ConditionKind.LessThanOrEqual => $"{Property.Name} <= {List("")}",
        _ => $"{Property.Name} starts with {List("")}",
    };

    string List(string separator)
    {
        const int maxShown = 5;
        string shown = string.Join(separator, Values.Take(maxShown).Select(value => Literal(value, Property.Type)));
        return Values.Count > maxShown ? $"{shown}{separator}… {Values.Count} values" : shown;
    }

    static string Literal(object? value, Type type) => value switch
    {
        null => "null",
        // The compiler compares enumerations as integers.
        int or long or uint or ulong when (Nullable.GetUnderlyingType(type) ?? type) is { IsEnum: true } enumeration =>
            $"{Enum.ToObject(enumeration, value)}",
        string text => $"'{text}'",
        byte[] bytes => $"0x{Convert.ToHexString(bytes)}",
        DateOnly or DateTime or DateTimeOffset or TimeOnly => ((IFormattable)value).ToString("O", System.Globalization.CultureInfo.InvariantCulture),
        _ => Convert.ToString(value, System.Globalization.CultureInfo.InvariantCulture) ?? "",
    };
}
