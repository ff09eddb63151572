using Datacake.EventualConsistency;

namespace Datacake.Data;

/// <summary>A stored entity is not as its class declares it, so that it cannot be read. It may have been written by another version of the class.</summary>
public sealed class UnreadableEntityException : Exception
{
    internal UnreadableEntityException(string entityName, DocumentKey key, string reason, Exception innerException)
        : base($"The {entityName} {key} cannot be read: {reason} Was it written by another version of the class? {nameof(Keyspace<>.SkipUnreadable)} leaves such "
            + $"entities out, {nameof(Keyspace<>.ListUnreadableAsync)} lists them, and {nameof(Keyspace<>.DeleteUnreadableAsync)} deletes them.", innerException) =>
        (Key, Reason) = (key, reason);

    /// <summary>Gets the key of the entity.</summary>
    public DocumentKey Key { get; }

    /// <summary>Gets what cannot be read, and why, in a sentence.</summary>
    public string Reason { get; }
}
