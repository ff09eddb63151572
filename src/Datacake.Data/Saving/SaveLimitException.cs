using Datacake.EventualConsistency;

namespace Datacake.Data;

/// <summary>
/// The exception thrown when an entity, or a save as a whole, is larger than the store allows. Nothing was written.
/// </summary>
public sealed class SaveLimitException : Exception
{
    internal SaveLimitException(int count, EntityEntry? entry, TransactionLimitException innerException)
        : base(Describe(count, entry, innerException), innerException) => Entry = entry;

    /// <summary>Gets the entity that is too large; null if it is the save as a whole.</summary>
    public EntityEntry? Entry { get; }

    static string Describe(int count, EntityEntry? entry, TransactionLimitException e) => entry is null
        ? $"The {count} entities of the save have about {e.Length} bytes in total. The limit is {e.Limit}. Nothing was saved. Save fewer entities at a time."
        : $"The {entry.Keyspace.Entity.Name} {entry.Key} would have {e.Length} bytes when stored. The limit is {e.Limit} (WithStore(store => store.MaxDocumentLength = …)). "
            + "Nothing was saved. Remove some of its content, or split it into several entities.";
}
