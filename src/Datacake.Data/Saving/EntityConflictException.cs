namespace Datacake.Data;

/// <summary>
/// An entity to be saved is not as it was in the local store: it was deleted; a <c>[ConcurrencyCheck]</c> property has another value than was read; or an entity to be added is there
/// already. Nothing was written.
/// </summary>
public sealed class EntityConflictException : Exception
{
    internal EntityConflictException(EntityEntry entry, bool isGone, Exception innerException)
        : base(Describe(entry, isGone), innerException) => Entry = entry;

    /// <summary>Gets the entity. Its <see cref="EntityEntry.GetDatabaseValuesAsync"/> returns null if the entity was deleted.</summary>
    public EntityEntry Entry { get; }

    /// <summary>Gets the entity as a list, for code that was written for several.</summary>
    public IReadOnlyList<EntityEntry> Entries => field ??= [Entry];

    static string Describe(EntityEntry entry, bool isGone)
    {
        string name = $"The {entry.Keyspace.Entity.Name} {entry.Key}";
        if (isGone)
        {
            return $"{name} is not in the store: it was deleted since it was read, or never saved. Nothing was saved. Detach it (Entry(entity).State = EntityState.Detached), or save it anew with Put, "
                + "and save.";
        }
        return entry is { CurrentState: EntityState.Added, Replaced: null }
            ? $"{name} cannot be added, since the store has one with this key. Nothing was saved. Read that one (FindAsync) and change it, or replace it as a whole with Put."
            : $"{name} was changed since it was read ({string.Join(", ", entry.Keyspace.Entity.ConcurrencyTokens.Select(property => property.Name))}), so nothing was saved. "
                + "Read it again with Entry(entity).ReloadAsync(), decide anew, and save.";
    }
}
