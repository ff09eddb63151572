namespace Datacake.Data;

/// <summary>
/// Leaves a property out of what is stored. <see cref="System.ComponentModel.DataAnnotations.Schema.NotMappedAttribute"/> does the same.
/// </summary>
[AttributeUsage(AttributeTargets.Property | AttributeTargets.Parameter)]
public sealed class IgnoreAttribute : Attribute;
