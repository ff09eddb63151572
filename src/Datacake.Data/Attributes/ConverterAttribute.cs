namespace Datacake.Data;

/// <summary>Stores a property in the form that a value converter produces.</summary>
/// <typeparam name="TConverter">
/// A class that derives from <see cref="ValueConverter{TProperty, TStored}"/> and has a parameterless constructor.
/// </typeparam>
[AttributeUsage(AttributeTargets.Property | AttributeTargets.Parameter)]
public sealed class ConverterAttribute<TConverter> : Attribute
    where TConverter : new();
