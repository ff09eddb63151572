using Datacake.Data.Serial;
using Datacake.EventualConsistency;
using Datacake.EventualConsistency.Sequencing;

namespace Datacake.Data;

/// <summary>
/// The exception thrown when an entity to be saved has the values that another entity has in a unique index of a serial class. Nothing was written.
/// </summary>
public sealed class UniqueConstraintException : Exception
{
    internal UniqueConstraintException(EntityEntry entry, IndexModel index, IReadOnlyList<object?> values, DocumentKey? existing, Exception? innerException)
        : base(Describe(entry, index, values, existing), innerException) =>
        (Entry, Index, Values, ExistingKey) = (entry, index, values, existing);

    /// <summary>Gets the entity that cannot be saved.</summary>
    public EntityEntry Entry { get; }

    /// <summary>Gets the index. It has no properties if only another version of the class has it.</summary>
    public IndexModel Index { get; }

    /// <summary>Gets the values of the indexed properties.</summary>
    public IReadOnlyList<object?> Values { get; }

    /// <summary>Gets the key of the entity that has the values; null if it is not known, because it was deleted meanwhile.</summary>
    public DocumentKey? ExistingKey { get; }

    /// <summary>Returns the exception for a value that another entity has.</summary>
    /// <param name="entry">The entity that cannot be saved.</param>
    /// <param name="refused">The refusal of the sequencer.</param>
    internal static UniqueConstraintException Of(EntityEntry entry, SerialConflictException refused)
    {
        var entity = entry.Keyspace.Entity;
        // Another version of the class may have the index.
        var index = entity.Indexes.FirstOrDefault(index => index.IsUnique && UniqueIndexes.NameOf(index) == refused.Refusal.Index) ?? new IndexModel(refused.Refusal.Index, []) { IsUnique = true };
        object?[] values = [.. index.Properties.Select(property => entity.FindProperty(property)!.GetValue(entry.Entity))];
        return new UniqueConstraintException(entry, index, values, refused.Refusal.Owner, refused);
    }

    static string Describe(EntityEntry entry, IndexModel index, IReadOnlyList<object?> values, DocumentKey? existing)
    {
        string name = entry.Keyspace.Entity.Name;
        var pairs = index.Properties.Zip(values, static (property, value) => $"{property} {(value is string text ? $"'{text}'" : value)}");
        return $"The {name} {entry.Key} cannot be saved, because {(existing is { } key ? $"the {name} {key}" : "another one")} has the same {(values.Count == 0 ? "values" : string.Join(" and ", pairs))}, "
            + $"and the index {index.Name} is unique. Nothing was saved. Give one of them another value.";
    }
}
