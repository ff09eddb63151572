namespace Datacake.Data;

/// <summary>
/// The builder of conventions in <see cref="DatacakeContext.ConfigureConventions"/>, which describe all properties of a type. The source
/// generator reads the calls at compile time, and they are never run.
/// </summary>
public abstract class ModelConfigurationBuilder
{
    private protected ModelConfigurationBuilder()
    {
    }

    /// <summary>
    /// Describes the properties of a type, of the types derived from it, and of its nullable type. Attributes and the description of a
    /// single property take precedence.
    /// </summary>
    public abstract PropertiesConfigurationBuilder<TProperty> Properties<TProperty>();

    /// <summary>Excludes the properties of a type, and of the types derived from it, from storage.</summary>
    public abstract ModelConfigurationBuilder IgnoreAny<T>();
}
