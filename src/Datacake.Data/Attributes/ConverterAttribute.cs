namespace Datacake.Data;

/// <summary>Stores a property as what a converter makes of its values.</summary>
/// <typeparam name="TConverter">
/// A class that derives from <see cref="ValueConverter{TProperty, TStored}"/> and has a constructor without parameters.
/// </typeparam>
[AttributeUsage(AttributeTargets.Property | AttributeTargets.Parameter)]
public sealed class ConverterAttribute<TConverter> : Attribute
    where TConverter : new();
