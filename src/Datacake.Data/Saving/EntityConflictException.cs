namespace Datacake.Data;

/// <summary>
/// The exception thrown when an entity to be saved conflicts with the local store: a modified entity was deleted, a
/// <c>[ConcurrencyCheck]</c> property has a different value than was read, or an added entity already exists. Nothing was written.
/// </summary>
public sealed class EntityConflictException : Exception
{
    internal EntityConflictException(EntityEntry entry, bool isGone, Exception innerException)
        : base(Describe(entry, isGone), innerException) => Entry = entry;

    /// <summary>
    /// Gets the entity. Its <see cref="EntityEntry.GetDatabaseValuesAsync"/> returns null if the entity was deleted.
    /// </summary>
    public EntityEntry Entry { get; }

    /// <summary>Gets the entity as a list, for code that expects several.</summary>
    public IReadOnlyList<EntityEntry> Entries => field ??= [Entry];

    static string Describe(EntityEntry entry, bool isGone)
    {
        string name = $"The {entry.Keyspace.Entity.Name} {entry.Key}";
        if (isGone)
        {
            return $"{name} is not in the store: it was deleted after it was read, or was never saved. Nothing was saved. Detach it (Entry(entity).State = EntityState.Detached), "
                + "or store it again with Put, and then save.";
        }
        return entry is { CurrentState: EntityState.Added, Replaced: null }
            ? $"{name} cannot be added, because the store already has an entity with this key. Nothing was saved. Read that entity (FindAsync) and change it, or replace it with Put."
            : $"{name} was changed after it was read ({string.Join(", ", entry.Keyspace.Entity.ConcurrencyTokens.Select(property => property.Name))}). Nothing was saved. "
                + "Reload it with Entry(entity).ReloadAsync(), apply the changes again, and save.";
    }
}
