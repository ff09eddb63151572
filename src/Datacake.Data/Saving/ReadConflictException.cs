using Datacake.EventualConsistency;

namespace Datacake.Data;

/// <summary>
/// The exception thrown when something that was read since <see cref="DatacakeContext.BeginSerialAsync"/>, and that the save does not write, has changed.
/// Nothing was written.
/// </summary>
public sealed class ReadConflictException : Exception
{
    internal ReadConflictException(string change, string keyspace, DocumentKey? key, string remedy, Exception? innerException)
        : base($"{change} Nothing was saved. {remedy}", innerException)
    {
        Keyspace = keyspace;
        Key = key;
    }

    /// <summary>Gets the keyspace that was read.</summary>
    public string Keyspace { get; }

    /// <summary>Gets the key that was read; null if a range was read in which an entity was added, changed or deleted.</summary>
    public DocumentKey? Key { get; }
}
