using System.ComponentModel;

namespace Datacake.Data;

/// <summary>The builder of all properties of a type in <see cref="DatacakeContext.ConfigureConventions"/>.</summary>
/// <typeparam name="TProperty">The type.</typeparam>
public abstract class PropertiesConfigurationBuilder<TProperty>
{
    private protected PropertiesConfigurationBuilder()
    {
    }

    /// <summary>Sets the maximum length of strings, or number of elements.</summary>
    public abstract PropertiesConfigurationBuilder<TProperty> HaveMaxLength(int length);

    /// <summary>
    /// Stores the values through a converter, which is a class derived from <see cref="ValueConverter{TProperty, TStored}"/>. With
    /// <see cref="string"/>, stores enumerations by the names of their values.
    /// </summary>
    public abstract PropertiesConfigurationBuilder<TProperty> HaveConversion<TConverter>();

    /// <summary>Not supported. The compiler error names the alternative.</summary>
    [Obsolete("A decimal keeps all its digits, and a date its ticks. Remove the call.", error: true), EditorBrowsable(EditorBrowsableState.Never)]
    public abstract PropertiesConfigurationBuilder<TProperty> HavePrecision(int precision, int scale = 0);

    /// <summary>Not supported. The compiler error names the alternative.</summary>
    [Obsolete("All strings are Unicode. Remove the call.", error: true), EditorBrowsable(EditorBrowsableState.Never)]
    public abstract PropertiesConfigurationBuilder<TProperty> AreUnicode(bool unicode = true);

    /// <summary>Not supported. There are no columns.</summary>
    [Obsolete("There are no columns. The type or the converter of a property determines how it is stored.", error: true), EditorBrowsable(EditorBrowsableState.Never)]
    public abstract PropertiesConfigurationBuilder<TProperty> HaveColumnType(string typeName);
}
