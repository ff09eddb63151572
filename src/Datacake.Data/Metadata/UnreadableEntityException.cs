using Datacake.EventualConsistency;

namespace Datacake.Data;

/// <summary>
/// The exception thrown when a stored entity does not match its class and so cannot be read. Another version of the class may have
/// written it.
/// </summary>
public sealed class UnreadableEntityException : Exception
{
    internal UnreadableEntityException(string entityName, DocumentKey key, string reason, Exception innerException)
        : base($"The {entityName} {key} cannot be read. {reason} Another version of the class may have written it. SkipUnreadable skips such "
            + $"entities, ListUnreadableAsync lists them, and DeleteUnreadableAsync deletes them.", innerException) =>
        (Key, Reason) = (key, reason);

    /// <summary>Gets the key of the entity.</summary>
    public DocumentKey Key { get; }

    /// <summary>Gets the reason, in one or more sentences.</summary>
    public string Reason { get; }
}
