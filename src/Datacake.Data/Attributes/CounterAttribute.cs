namespace Datacake.Data;

/// <summary>
/// Makes an <see cref="int"/> or <see cref="long"/> property a counter. A save stores the amount that was added, so that concurrent
/// additions on different nodes add up. For any other property, the later value wins.
/// </summary>
/// <remarks>
/// With a <see cref="Minimum"/> or <see cref="Maximum"/>, no node ever shows a value beyond it, even if nodes that cannot reach each other
/// change the counter at the same time. Each node may change it by a part of what is left, which it gets from the others; a save that needs
/// more fails with a <see cref="BoundExceededException"/>. The bounds apply to entities that are added from then on.
/// </remarks>
[AttributeUsage(AttributeTargets.Property | AttributeTargets.Parameter)]
public sealed class CounterAttribute : Attribute
{
    /// <summary>Gets or sets the minimum of the counter. There is none if it is not set.</summary>
    public long Minimum { get; set; }

    /// <summary>Gets or sets the maximum of the counter. There is none if it is not set.</summary>
    public long Maximum { get; set; }
}
