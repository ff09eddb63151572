namespace Datacake.Data;

/// <summary>
/// The exception thrown when entities to be saved conflict with what is stored: a modified entity was deleted, a serial entity or a
/// <c>[ConcurrencyCheck]</c> property has changed since it was read, or an added entity already exists. Nothing was written.
/// </summary>
public sealed class EntityConflictException : Exception
{
    internal EntityConflictException(EntityEntry entry, bool isGone, Exception? innerException)
        : this([(entry, isGone)], isOfWork: false, innerException)
    {
    }

    /// <param name="conflicts">The entities, at least one, each with whether it is no longer stored.</param>
    /// <param name="isOfWork">True if a serial unit of work was to be saved, whose reads are conditions of each further attempt to save it.</param>
    /// <param name="innerException">The exception of the store.</param>
    internal EntityConflictException(IReadOnlyList<(EntityEntry Entry, bool IsGone)> conflicts, bool isOfWork, Exception? innerException)
        : base(Describe(conflicts, isOfWork), innerException) => Entries = [.. conflicts.Select(conflict => conflict.Entry)];

    /// <summary>
    /// Gets the first of the entities. Its <see cref="EntityEntry.GetDatabaseValuesAsync"/> returns null if the entity was deleted.
    /// </summary>
    public EntityEntry Entry => Entries[0];

    /// <summary>
    /// Gets the entities that conflict. A save of serial entities reports all of them; any other save, the first one that it finds.
    /// </summary>
    public IReadOnlyList<EntityEntry> Entries { get; }

    static string Describe(IReadOnlyList<(EntityEntry Entry, bool IsGone)> conflicts, bool isOfWork)
    {
        string first = Describe(conflicts[0].Entry, conflicts[0].IsGone, isOfWork);
        return conflicts.Count == 1
            ? first
            : $"{first} The save conflicts in {conflicts.Count} entities, which Entries lists: {string.Join(", ", conflicts.Take(5).Select(conflict => NameOf(conflict.Entry)))}{(conflicts.Count > 5 ? ", …" : "")}.";
    }

    static string Describe(EntityEntry entry, bool isGone, bool isOfWork)
    {
        string name = $"The {NameOf(entry)}";
        if (isOfWork)
        {
            string what = isGone ? "is not in the store: it was deleted after it was read, or was never saved"
                : entry is { CurrentState: EntityState.Added, Replaced: null } ? "cannot be added, because the store already has an entity with this key"
                : "was changed after it was read";
            return $"{name} {what}. Nothing was saved. {ReadConflictException.Remedy}";
        }
        if (isGone)
        {
            return $"{name} is not in the store: it was deleted after it was read, or was never saved. Nothing was saved. Detach it (Entry(entity).State = EntityState.Detached), "
                + "or store it again with Put, and then save.";
        }
        if (entry is { CurrentState: EntityState.Added, Replaced: null })
            return $"{name} cannot be added, because the store already has an entity with this key. Nothing was saved. Read that entity (FindAsync) and change it, or replace it with Put.";
        string tokens = entry.Keyspace.Entity.IsSerial ? "" : $" ({string.Join(", ", entry.Keyspace.Entity.ConcurrencyTokens.Select(property => property.Name))})";
        return $"{name} was changed after it was read{tokens}. Nothing was saved. "
            + $"Reload it with Entry(entity).ReloadAsync(), apply the changes again, and save{(entry.Keyspace.Entity.IsSerial ? "; RunSerialAsync does so for you" : "")}.";
    }

    static string NameOf(EntityEntry entry) => $"{entry.Keyspace.Entity.Name} {entry.Key}";
}
