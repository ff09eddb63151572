using System.ComponentModel;

namespace Datacake.Data;

/// <summary>Describes all properties of a type in <see cref="DatacakeContext.ConfigureConventions"/>.</summary>
/// <typeparam name="TProperty">The type.</typeparam>
public abstract class PropertiesConfigurationBuilder<TProperty>
{
    private protected PropertiesConfigurationBuilder()
    {
    }

    /// <summary>Sets the greatest length of a string, or number of elements.</summary>
    public abstract PropertiesConfigurationBuilder<TProperty> HaveMaxLength(int length);

    /// <summary>
    /// Stores the values as what a converter makes of them: a class derived from <see cref="ValueConverter{TProperty, TStored}"/>. With <see cref="string"/>, enumerations by the
    /// names of their values.
    /// </summary>
    public abstract PropertiesConfigurationBuilder<TProperty> HaveConversion<TConverter>();

    /// <summary>Is not needed here.</summary>
    [Obsolete("A decimal keeps all its digits, and dates their ticks: leave it out.", error: true), EditorBrowsable(EditorBrowsableState.Never)]
    public abstract PropertiesConfigurationBuilder<TProperty> HavePrecision(int precision, int scale = 0);

    /// <summary>Is not needed here.</summary>
    [Obsolete("All strings are Unicode: leave it out.", error: true), EditorBrowsable(EditorBrowsableState.Never)]
    public abstract PropertiesConfigurationBuilder<TProperty> AreUnicode(bool unicode = true);

    /// <summary>Is not needed here.</summary>
    [Obsolete("There are no columns: a property is stored as its type says, or as its converter does.", error: true), EditorBrowsable(EditorBrowsableState.Never)]
    public abstract PropertiesConfigurationBuilder<TProperty> HaveColumnType(string typeName);
}
