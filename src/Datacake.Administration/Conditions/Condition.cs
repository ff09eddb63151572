using System.Text.Json;

namespace Datacake.Administration.Conditions;

/// <summary>A condition on a document in plain JSON.</summary>
abstract record Condition
{
    /// <summary>Returns true if a document satisfies the condition.</summary>
    public abstract bool IsSatisfiedBy(JsonElement document);

    /// <summary>Two conditions, of which both must be satisfied.</summary>
    public sealed record And(Condition Left, Condition Right) : Condition
    {
        public override bool IsSatisfiedBy(JsonElement document) => Left.IsSatisfiedBy(document) && Right.IsSatisfiedBy(document);
    }

    /// <summary>Two conditions, of which one must be satisfied.</summary>
    public sealed record Or(Condition Left, Condition Right) : Condition
    {
        public override bool IsSatisfiedBy(JsonElement document) => Left.IsSatisfiedBy(document) || Right.IsSatisfiedBy(document);
    }

    /// <summary>A condition that must not be satisfied.</summary>
    public sealed record Not(Condition Operand) : Condition
    {
        public override bool IsSatisfiedBy(JsonElement document) => !Operand.IsSatisfiedBy(document);
    }

    /// <summary>A comparison of a property with a value. A property that the document lacks is null.</summary>
    /// <param name="Property">The name of the property, or the path to a value within one, with points.</param>
    /// <param name="Operator">The operator.</param>
    /// <param name="Value">The value.</param>
    public sealed record Comparison(string Property, Operator Operator, JsonElement Value) : Condition
    {
        public override bool IsSatisfiedBy(JsonElement document)
        {
            var found = ValueOf(document, Property);
            return Operator switch
            {
                Operator.Equal => AreEqual(found, Value),
                Operator.NotEqual => !AreEqual(found, Value),
                Operator.Contains => Contains(found, Value),
                Operator.StartsWith => found?.ValueKind == JsonValueKind.String && Value.ValueKind == JsonValueKind.String
                    && found.Value.GetString()!.StartsWith(Value.GetString()!, StringComparison.Ordinal),
                Operator.Less => Compare(found, Value) < 0,
                Operator.LessOrEqual => Compare(found, Value) <= 0,
                Operator.Greater => Compare(found, Value) > 0,
                _ => Compare(found, Value) >= 0,
            };
        }

        /// <summary>Returns the value of a property. The properties of an owned object have names with points themselves.</summary>
        static JsonElement? ValueOf(JsonElement json, string path)
        {
            if (json.ValueKind != JsonValueKind.Object)
                return null;
            if (json.TryGetProperty(path, out var value))
                return value;
            for (int point = path.IndexOf('.', StringComparison.Ordinal); point > 0; point = path.IndexOf('.', point + 1))
            {
                if (json.TryGetProperty(path[..point], out var inner) && ValueOf(inner, path[(point + 1)..]) is { } found)
                    return found;
            }
            return null;
        }

        static bool AreEqual(JsonElement? found, JsonElement value) => value.ValueKind == JsonValueKind.Null
            ? found is null or { ValueKind: JsonValueKind.Null }
            : Compare(found, value) is { } order ? order == 0 : value.ValueKind is JsonValueKind.True or JsonValueKind.False && found?.ValueKind == value.ValueKind;

        static bool Contains(JsonElement? found, JsonElement value) => found?.ValueKind switch
        {
            JsonValueKind.String => value.ValueKind == JsonValueKind.String && found.Value.GetString()!.Contains(value.GetString()!, StringComparison.Ordinal),
            JsonValueKind.Array => found.Value.EnumerateArray().Any(item => AreEqual(item, value)),
            _ => false,
        };

        /// <summary>Returns the order of two numbers or two texts; null for everything else.</summary>
        static int? Compare(JsonElement? found, JsonElement value) => (found?.ValueKind, value.ValueKind) switch
        {
            (JsonValueKind.Number, JsonValueKind.Number) => found!.Value.TryGetDecimal(out decimal left) && value.TryGetDecimal(out decimal right)
                ? left.CompareTo(right)
                : found.Value.GetDouble().CompareTo(value.GetDouble()),
            (JsonValueKind.String, JsonValueKind.String) => string.CompareOrdinal(found!.Value.GetString(), value.GetString()),
            _ => null,
        };
    }
}
