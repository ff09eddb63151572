using Datacake.EventualConsistency;

namespace Datacake.Data;

/// <summary>An entity is larger than the store takes, or the entities of a save are together. Nothing was written.</summary>
public sealed class SaveLimitException : Exception
{
    internal SaveLimitException(int count, EntityEntry? entry, TransactionLimitException innerException)
        : base(Describe(count, entry, innerException), innerException) => Entry = entry;

    /// <summary>Gets the entity that is too large; null if the save as a whole is.</summary>
    public EntityEntry? Entry { get; }

    static string Describe(int count, EntityEntry? entry, TransactionLimitException e) => entry is null
        ? $"The {count} entities of the save have about {e.Length} bytes together. The limit is {e.Limit}. Nothing was saved. Save fewer entities at a time."
        : $"The {entry.Keyspace.Entity.Name} {entry.Key} would have {e.Length} bytes as it is stored. The limit is {e.Limit} (WithStore(store => store.MaxDocumentLength = …)). "
            + "Nothing was saved. Remove some of its content, or divide it into several entities.";
}
