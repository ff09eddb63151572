namespace Datacake.Data;

/// <summary>
/// The exception thrown when entities to be saved conflict with what is stored: a modified entity was deleted, a serial entity or a
/// <c>[ConcurrencyCheck]</c> property has changed since it was read, or an added entity already exists. Nothing was written.
/// </summary>
public sealed class EntityConflictException : Exception
{
    internal EntityConflictException(EntityEntry entry, bool isGone, Exception? innerException)
        : this([(entry, isGone)], remedyOfWork: null, innerException)
    {
    }

    /// <param name="conflicts">The entities, at least one, each with whether it is no longer stored.</param>
    /// <param name="remedyOfWork">What to do about a serial unit of work, whose reads are conditions of each further attempt to save it; null if none was to be saved.</param>
    /// <param name="innerException">The exception of the store.</param>
    internal EntityConflictException(IReadOnlyList<(EntityEntry Entry, bool IsGone)> conflicts, string? remedyOfWork, Exception? innerException)
        : base(Describe(conflicts, remedyOfWork), innerException) => Entries = [.. conflicts.Select(conflict => conflict.Entry)];

    /// <summary>
    /// Gets the first of the entities. Its <see cref="EntityEntry.GetDatabaseValuesAsync"/> returns null if the entity was deleted.
    /// </summary>
    public EntityEntry Entry => Entries[0];

    /// <summary>
    /// Gets the entities that conflict. A save of serial entities reports all of them; any other save, the first one that it finds.
    /// </summary>
    public IReadOnlyList<EntityEntry> Entries { get; }

    static string Describe(IReadOnlyList<(EntityEntry Entry, bool IsGone)> conflicts, string? remedyOfWork)
    {
        string first = Describe(conflicts[0].Entry, conflicts[0].IsGone, remedyOfWork);
        return conflicts.Count == 1
            ? first
            : $"{first} The save conflicts in {conflicts.Count} entities, which Entries lists: {string.Join(", ", conflicts.Take(5).Select(conflict => NameOf(conflict.Entry)))}{(conflicts.Count > 5 ? ", …" : "")}.";
    }

    static string Describe(EntityEntry entry, bool isGone, string? remedyOfWork)
    {
        string name = $"The {NameOf(entry)}";
        if (remedyOfWork is not null)
        {
            string what = isGone ? "is not in the store: it was deleted after it was read, or was never saved"
                : entry is { CurrentState: EntityState.Added, Replaced: null } ? "cannot be added, because the store already has an entity with this key: let the work find it first (FindAsync)"
                : "was changed after it was read";
            return $"{name} {what}. Nothing was saved. {remedyOfWork}";
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
