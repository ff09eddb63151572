using System.Collections;
using System.Globalization;

namespace Datacake.Data.Analyzers.Tests.Shapes;

/// <summary>Describes the whole content of an object, so that equal descriptions mean equal contents.</summary>
static class Content
{
    /// <param name="value">The object.</param>
    /// <param name="key">The key property of the object. Equal key values are one key, which may be read back in a different form.</param>
    public static string Describe(object? value, string? key = null) => value switch
    {
        null => "null",
        string text => $"'{text}'",
        float number => $"{BitConverter.SingleToInt32Bits(number):x}f",
        double number => $"{BitConverter.DoubleToInt64Bits(number):x}d",
        decimal number => string.Join(",", decimal.GetBits(number)) + "m",
        DateTime date => $"{date.Ticks} {date.Kind}",
        DateTimeOffset date => $"{date.Ticks} {date.Offset}",
        TimeOnly or TimeSpan or DateOnly or Enum or Guid or bool or char => Convert.ToString(value, CultureInfo.InvariantCulture)! + (value is TimeOnly time ? time.Ticks : ""),
        IFormattable number when value.GetType().IsPrimitive => number.ToString(null, CultureInfo.InvariantCulture),
        byte[] bytes => "0x" + Convert.ToHexString(bytes),
        IEnumerable items when IsDefault(items) => "default",
        IEnumerable items when IsKeyed(items.GetType()) => $"{{{string.Join(", ", items.Cast<object?>().Select(Entry).Order(StringComparer.Ordinal))}}}",
        IEnumerable items => $"[{string.Join(", ", items.Cast<object?>().Select(item => Describe(item)))}]",
        _ => $"{value.GetType().Name}({string.Join(", ", PropertiesOf(value, key))})",
    };

    static IEnumerable<string> PropertiesOf(object value, string? key) => value.GetType().GetProperties()
        .Where(property => property.CanRead && property.GetIndexParameters().Length == 0)
        .OrderBy(property => property.Name, StringComparer.Ordinal)
        .Select(property => $"{property.Name}: {(property.Name == key ? Element(property.GetValue(value)) : Describe(property.GetValue(value)))}");

    static string Entry(object? item)
    {
        var type = item?.GetType();
        return type is { IsGenericType: true } && type.GetGenericTypeDefinition() == typeof(KeyValuePair<,>)
            ? $"{Element(type.GetProperty("Key")!.GetValue(item))}: {Describe(type.GetProperty("Value")!.GetValue(item))}"
            : Element(item);
    }

    /// <summary>
    /// Describes a set element or a key. As the README says, a decimal is read back without trailing zeros and a DateTimeOffset in UTC.
    /// </summary>
    static string Element(object? value) => value switch
    {
        decimal number => number.ToString("0.############################", CultureInfo.InvariantCulture),
        DateTimeOffset date => Describe(date.ToUniversalTime()),
        _ => Describe(value),
    };

    static bool IsDefault(IEnumerable items) => items.GetType().GetProperty("IsDefault")?.GetValue(items) is true;

    static bool IsKeyed(Type type) => type.GetInterfaces().Where(known => known.IsGenericType).Select(known => known.GetGenericTypeDefinition())
        .Any(known => known == typeof(IReadOnlySet<>) || known == typeof(IReadOnlyDictionary<,>) || known == typeof(IDictionary<,>));
}
