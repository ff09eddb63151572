using System.Collections;
using System.Globalization;

namespace Datacake.Data.Tests.Query.Market;

/// <summary>Formats results so that equal results have equal text: entities by their keys, and all other values by their contents.</summary>
static class Shown
{
    public static string Of(object? value) => value switch
    {
        null => "null",
        string text => $"'{text}'",
        Customer customer => $"Customer {customer.Id} {Of(customer.Home)} {Of(customer.Name)} {Of(customer.Notes)}",
        Order order => $"Order {order.Id} {order.State} {Of(order.Total)}",
        Line line => $"Line {line.OrderId}/{line.Number} {line.Quantity}",
        Product product => $"Product {product.Id} {Of(product.Name)} {Of(product.Weight)}",
        Employee employee => $"Employee {employee.Id} {Of(employee.Name)} {employee.ManagerId}",
        DateTime time => time.ToString("O", CultureInfo.InvariantCulture),
        IFormattable number when value.GetType().Namespace == "System" && value.GetType() is { IsValueType: true, IsGenericType: false } => number.ToString(null, CultureInfo.InvariantCulture),
        HashSet<string> set => $"({string.Join(", ", set.Order(StringComparer.Ordinal).Select(Of))})",
        IEnumerable items => $"{(value.GetType().GetInterface("IGrouping`2")?.GetProperty("Key")!.GetValue(value) is { } key ? $"{Of(key)}: " : "")}[{string.Join(", ", items.Cast<object?>().Select(Of))}]",
        _ => $"{{{string.Join(", ", Members(value))}}}",
    };

    static IEnumerable<string> Members(object value)
    {
        var type = value.GetType();
        if (type is { IsPrimitive: true } or { IsEnum: true })
            return [$"{value}"];
        return type.GetProperties().Where(property => property.GetIndexParameters().Length == 0).Select(property => $"{property.Name} = {Of(property.GetValue(value))}")
            .Concat(type.GetFields().Where(field => !field.IsStatic).Select(field => $"{field.Name} = {Of(field.GetValue(value))}"));
    }
}
