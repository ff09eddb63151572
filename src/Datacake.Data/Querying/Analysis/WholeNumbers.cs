using Datacake.Data.Querying.Planning;

namespace Datacake.Data.Querying.Analysis;

/// <summary>Comparisons of integers with fractional numbers, as in C#, which converts the integer first.</summary>
static class WholeNumbers
{
    // Integers up to these limits convert to floating-point numbers without loss. Greater ones convert to numbers that are not less than
    // the limit.
    const double MaxExactDouble = 1L << 53;
    const float MaxExactSingle = 1 << 24;

    /// <summary>Returns true if a property is an integer and a value a number of another kind.</summary>
    public static bool Compares(PropertyModel property, object? value) => value is decimal or double or float
        && Type.GetTypeCode(Nullable.GetUnderlyingType(property.Type) ?? property.Type) is >= TypeCode.Char and <= TypeCode.UInt64 && !property.IsConverted;

    /// <summary>
    /// Returns the greatest integer that is not greater than a number, and whether the two are equal; null if the number is out of range.
    /// </summary>
    public static (long Floor, bool IsWhole)? FloorOf(object? value) => value switch
    {
        decimal number when number is > long.MinValue and < long.MaxValue => ((long)decimal.Floor(number), decimal.Floor(number) == number),
        double number when Math.Abs(number) < MaxExactDouble => ((long)Math.Floor(number), Math.Floor(number) == number),
        float number when MathF.Abs(number) < MaxExactSingle => ((long)MathF.Floor(number), MathF.Floor(number) == number),
        _ => null,
    };

    /// <summary>Returns the condition with an integer that is true of the same values of the property; null if there is none.</summary>
    public static Condition? Condition(PropertyModel property, ConditionKind kind, object? value)
    {
        if (FloorOf(value) is not var (floor, isWhole))
            return null;
        return kind switch
        {
            ConditionKind.In => new Condition(property, kind, isWhole ? [floor] : []),
            ConditionKind.GreaterThanOrEqual when !isWhole => new Condition(property, ConditionKind.GreaterThan, [floor]),
            ConditionKind.LessThan when !isWhole => new Condition(property, ConditionKind.LessThanOrEqual, [floor]),
            _ => new Condition(property, kind, [floor]),
        };
    }
}
