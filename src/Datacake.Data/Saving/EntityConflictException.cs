namespace Datacake.Data;

/// <summary>
/// An entity to be saved is not as it was in the local store: a <c>[ConcurrencyCheck]</c> property has another value than was read; or an entity to be added is there
/// already. Nothing was written.
/// </summary>
public sealed class EntityConflictException : Exception
{
    internal EntityConflictException(EntityEntry entry, Exception innerException)
        : base(Describe(entry), innerException) => Entry = entry;

    /// <summary>The entity.</summary>
    public EntityEntry Entry { get; }

    static string Describe(EntityEntry entry)
    {
        string name = $"The {entry.Keyspace.Entity.Name} {entry.Key}";
        return entry is { CurrentState: EntityState.Added, Replaced: null }
            ? $"{name} cannot be added, since the store has one with this key. Nothing was saved. Read that one (FindAsync) and change it, or replace it as a whole with Put."
            : $"{name} was changed since it was read ({string.Join(", ", entry.Keyspace.Entity.ConcurrencyTokens.Select(property => property.Name))}), so nothing was saved. "
                + "Read it again with Entry(entity).ReloadAsync(), decide anew, and save.";
    }
}
