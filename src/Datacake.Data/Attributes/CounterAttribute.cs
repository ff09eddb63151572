namespace Datacake.Data;

/// <summary>
/// Makes an <see cref="int"/> or <see cref="long"/> property a counter: saved as what was added to it, so that concurrent additions on
/// different nodes add up, where another property would keep the later value.
/// </summary>
[AttributeUsage(AttributeTargets.Property | AttributeTargets.Parameter)]
public sealed class CounterAttribute : Attribute;
