namespace Datacake.Data;

/// <summary>
/// Makes a property say when its entity expires: from that instant on, it is no longer there, on any node. The property is a <see cref="DateTimeOffset"/>; an entity whose
/// property is null does not expire.
/// </summary>
/// <remarks>
/// Each node decides by its own clock, and removes the entity in the background without a trace. A save that changes the property writes the whole entity anew, so that changes which other nodes
/// make to it at the same time are lost; a save that does not, merges as usual.
/// </remarks>
[AttributeUsage(AttributeTargets.Property)]
public sealed class ExpiresAttribute : Attribute;
