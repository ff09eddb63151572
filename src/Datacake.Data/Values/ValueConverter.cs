namespace Datacake.Data;

/// <summary>
/// A converter that stores the values of a property as values of another type. Derive a class from it, such as
/// <c>class MoneyConverter() : ValueConverter&lt;Money, decimal&gt;(m => m.Amount, d => new Money(d))</c>, and name that class in a
/// <see cref="ConverterAttribute{TConverter}"/> or in <c>HasConversion</c>. It is called from any thread. Null is stored as null and is
/// not converted.
/// </summary>
/// <typeparam name="TProperty">The type of the property, without its nullability.</typeparam>
/// <typeparam name="TStored">The type of the stored value: a single value, such as a string, a number or a date.</typeparam>
/// <param name="toStored">
/// Converts a value to its stored form. Equal values must have equal stored forms, and different values different ones, on every node.
/// </param>
/// <param name="fromStored">Converts a stored value back.</param>
public class ValueConverter<TProperty, TStored>(Func<TProperty, TStored> toStored, Func<TStored, TProperty> fromStored)
{
    /// <summary>Converts a value to its stored form.</summary>
    public TStored ToStored(TProperty value) => toStored(value);

    /// <summary>Converts a stored value back.</summary>
    public TProperty FromStored(TStored stored) => fromStored(stored);
}
