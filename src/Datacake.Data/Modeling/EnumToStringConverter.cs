namespace Datacake.Data;

/// <summary>A converter that stores an enumeration by the names of its values, as <c>HasConversion&lt;string&gt;()</c> does.</summary>
public sealed class EnumToStringConverter<TEnum>() : ValueConverter<TEnum, string>(ToName, ToValue)
    where TEnum : struct, Enum
{
    // A value without a name is stored as its number, which Enum.Parse can read.
    static string ToName(TEnum value) => value.ToString();

    static TEnum ToValue(string name) => Enum.TryParse<TEnum>(name, out var value)
        ? value
        : throw new InvalidDataException($"'{name}' is not a value of {typeof(TEnum).Name}.");
}
