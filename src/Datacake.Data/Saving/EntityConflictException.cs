namespace Datacake.Data;

/// <summary>
/// An entity to be saved has a <c>[ConcurrencyCheck]</c> property of which the local store has another value than was read. Nothing was
/// written.
/// </summary>
public sealed class EntityConflictException : Exception
{
    internal EntityConflictException(EntityEntry entry, Exception innerException)
        : base($"The {entry.Keyspace.Entity.Name} {entry.Key} was changed since it was read "
            + $"({string.Join(", ", entry.Keyspace.Entity.ConcurrencyTokens.Select(property => property.Name))}), so nothing was saved. "
            + "Read it again with Entry(entity).ReloadAsync(), decide anew, and save.", innerException) => Entry = entry;

    /// <summary>The entity.</summary>
    public EntityEntry Entry { get; }
}
