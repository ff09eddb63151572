namespace Datacake.Data;

/// <summary>
/// Excludes a property from storage. <see cref="System.ComponentModel.DataAnnotations.Schema.NotMappedAttribute"/> has the same effect.
/// </summary>
[AttributeUsage(AttributeTargets.Property | AttributeTargets.Parameter)]
public sealed class IgnoreAttribute : Attribute;
