namespace Datacake.Data.Querying.Planning;

enum ConditionKind
{
    /// <summary>Equality with one of the values; for a set, containment of one of them.</summary>
    In,

    GreaterThan,

    GreaterThanOrEqual,

    LessThan,

    LessThanOrEqual,

    /// <summary>An ordinal prefix of a string.</summary>
    StartsWith,

    /// <summary>Membership in the class that is the value, or in a class derived from it.</summary>
    Is,
}

/// <summary>A condition on one property, or on the class of the entity, that an index or the key can answer.</summary>
sealed record Condition(PropertyModel Property, ConditionKind Kind, IReadOnlyList<object?> Values)
{
    static readonly PropertyModel Class = new("its class", typeof(Type), PropertyKind.Value, static entity => entity.GetType());

    /// <summary>Returns the condition that an entity is of a class or of a class derived from it.</summary>
    public static Condition Is(Type type) => new(Class, ConditionKind.Is, [type]);

    /// <summary>Gets the class that the entity must be of; null if the condition is on a property.</summary>
    public Type? Type => Kind == ConditionKind.Is ? (Type)Values[0]! : null;

    public bool Equals(Condition? other) =>
        other is not null && Property == other.Property && Kind == other.Kind && (Values == other.Values || (Type is not null && Type == other.Type));

    public override int GetHashCode() => HashCode.Combine(Property, Kind);

    public override string ToString() => Describe(showsValues: true);

    /// <summary>Returns the condition as text, with or without its values.</summary>
    public string Describe(bool showsValues) => Kind switch
    {
        ConditionKind.Is => $"is {Type!.Name}",
        ConditionKind.In when Property.Kind == PropertyKind.Set => $"{Property.Name} contains {List(" or ", showsValues)}",
        ConditionKind.In when Values.Count == 1 => $"{Property.Name} = {List("", showsValues)}",
        ConditionKind.In => $"{Property.Name} in ({List(", ", showsValues)})",
        ConditionKind.GreaterThan => $"{Property.Name} > {List("", showsValues)}",
        ConditionKind.GreaterThanOrEqual => $"{Property.Name} >= {List("", showsValues)}",
        ConditionKind.LessThan => $"{Property.Name} < {List("", showsValues)}",
        ConditionKind.LessThanOrEqual => $"{Property.Name} <= {List("", showsValues)}",
        _ => $"{Property.Name} starts with {List("", showsValues)}",
    };

    string List(string separator, bool showsValues)
    {
        if (!showsValues)
            return "?";
        const int maxShown = 5;
        string shown = string.Join(separator, Values.Take(maxShown).Select(value => Literal(value, Property.Type)));
        return Values.Count > maxShown ? $"{shown}{separator}… {Values.Count} values" : shown;
    }

    static string Literal(object? value, Type type) => value switch
    {
        null => "null",
        // The compiler turns comparisons of enums into comparisons of integers.
        int or long or uint or ulong when (Nullable.GetUnderlyingType(type) ?? type) is { IsEnum: true } enumeration =>
            $"{Enum.ToObject(enumeration, value)}",
        string text => $"'{text}'",
        byte[] bytes => $"0x{Convert.ToHexString(bytes)}",
        DateOnly or DateTime or DateTimeOffset or TimeOnly => ((IFormattable)value).ToString("O", System.Globalization.CultureInfo.InvariantCulture),
        _ => Convert.ToString(value, System.Globalization.CultureInfo.InvariantCulture) ?? "",
    };
}
