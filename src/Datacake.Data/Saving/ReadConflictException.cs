using Datacake.EventualConsistency;

namespace Datacake.Data;

/// <summary>
/// The exception thrown when something that was read since <see cref="DatacakeContext.BeginSerialAsync"/>, and that the save does not write, has changed.
/// Nothing was written.
/// </summary>
public sealed class ReadConflictException : Exception
{
    /// <summary>The way to save the work of a serial unit that conflicts.</summary>
    internal const string Remedy =
        "This serial unit of work can no longer be saved, because what it has read is out of date. Dispose it, reload the tracked entities or clear the change tracker, and repeat "
            + "the work in another one (BeginSerialAsync); RunSerialAsync does so for you.";

    internal ReadConflictException(string what, string keyspace, DocumentKey? key, Exception? innerException)
        : base($"{what} has changed since it was read. Nothing was saved. {Remedy}", innerException)
    {
        Keyspace = keyspace;
        Key = key;
    }

    /// <summary>Gets the keyspace that was read.</summary>
    public string Keyspace { get; }

    /// <summary>Gets the key that was read; null if a range was read in which an entity was added, changed or deleted.</summary>
    public DocumentKey? Key { get; }
}
