namespace Datacake.Data;

/// <summary>
/// Makes an <see cref="int"/> or <see cref="long"/> property a counter. A save stores the amount that was added, so that concurrent
/// additions on different nodes add up. For any other property, the later value wins.
/// </summary>
[AttributeUsage(AttributeTargets.Property | AttributeTargets.Parameter)]
public sealed class CounterAttribute : Attribute;
