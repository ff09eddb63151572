namespace Datacake.Data;

/// <summary>
/// Lets the entities of a class expire: from that time after an entity was added or replaced, it is no longer there, on any node. Updates of its properties do not
/// change the time. A property with an <see cref="ExpiresAttribute"/> that is not null takes precedence. Derived classes inherit the attribute, unless they have one of their own.
/// </summary>
/// <remarks>Each node decides by its own clock. See <see cref="ExpiresAttribute"/>.</remarks>
/// <param name="time">The time, in the form of a <see cref="TimeSpan"/>, such as <c>00:20:00</c> for 20 minutes or <c>30.00:00:00</c> for 30 days.</param>
[AttributeUsage(AttributeTargets.Class)]
public sealed class ExpiresAfterAttribute(string time) : Attribute
{
    /// <summary>Gets the time, in the form of a <see cref="TimeSpan"/>.</summary>
    public string Time { get; } = time;
}
