namespace Datacake.Data;

/// <summary>Stores an enumeration by the names of its values, as <c>HasConversion&lt;string&gt;()</c> does.</summary>
public sealed class EnumToStringConverter<TEnum>() : ValueConverter<TEnum, string>(ToName, ToValue)
    where TEnum : struct, Enum
{
    // A value without a name is its number, as Enum.Parse reads it too.
    static string ToName(TEnum value) => value.ToString();

    static TEnum ToValue(string name) => Enum.TryParse<TEnum>(name, out var value)
        ? value
        : throw new InvalidDataException($"'{name}' is no value of {typeof(TEnum).Name}.");
}
