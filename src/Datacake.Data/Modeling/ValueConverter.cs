namespace Datacake.Data;

/// <summary>
/// Stores the values of a property as values of another type: a class derived from it,
/// <c>class MoneyConverter() : ValueConverter&lt;Money, decimal&gt;(m => m.Amount, d => new Money(d))</c>, is named by
/// <see cref="ConverterAttribute{TConverter}"/> or <c>HasConversion</c>. Called from any thread; null is stored as null, not converted.
/// </summary>
/// <typeparam name="TProperty">The type of the property, without its nullability.</typeparam>
/// <typeparam name="TStored">The type that is stored: a single value, such as a string, a number or a date.</typeparam>
/// <param name="toStored">
/// What is stored of a value. Values that are equal must give equal ones, and values that are not must not, on every node alike.
/// </param>
/// <param name="fromStored">The value again.</param>
public class ValueConverter<TProperty, TStored>(Func<TProperty, TStored> toStored, Func<TStored, TProperty> fromStored)
{
    /// <summary>What is stored of a value.</summary>
    public TStored ToStored(TProperty value) => toStored(value);

    /// <summary>The value of what is stored.</summary>
    public TProperty FromStored(TStored stored) => fromStored(stored);
}
