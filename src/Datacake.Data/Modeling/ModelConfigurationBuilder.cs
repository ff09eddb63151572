namespace Datacake.Data;

/// <summary>
/// What <see cref="DatacakeContext.ConfigureConventions"/> describes all properties of a type with. The source generator reads the calls, and they are never run.
/// </summary>
public abstract class ModelConfigurationBuilder
{
    private protected ModelConfigurationBuilder()
    {
    }

    /// <summary>Describes the properties of a type, of those derived from it, and of their nullable ones. Attributes and what is said of one property come first.</summary>
    public abstract PropertiesConfigurationBuilder<TProperty> Properties<TProperty>();

    /// <summary>Leaves properties of a type, and of those derived from it, out of what is stored.</summary>
    public abstract ModelConfigurationBuilder IgnoreAny<T>();
}
