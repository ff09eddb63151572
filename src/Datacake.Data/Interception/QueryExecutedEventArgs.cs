using Datacake.Data.Metadata;

namespace Datacake.Data;

/// <summary>A query has read the store.</summary>
public sealed class QueryExecutedEventArgs : QueryExecutingEventArgs
{
    internal QueryExecutedEventArgs(KeyspaceModel keyspace, IReadOnlyList<string> tags, Func<string> explain)
        : base(keyspace, tags, explain)
    {
    }

    /// <summary>Gets how long it took, with the time that the caller took to handle results that were streamed.</summary>
    public TimeSpan Elapsed { get; internal init; }

    /// <summary>Gets how many entities it found, before projections and what else is done with them in memory.</summary>
    public long Results { get; internal init; }

    /// <summary>Gets how many documents were read for it.</summary>
    public long DocumentsRead { get; internal init; }

    /// <summary>Gets why it failed; null if it did not.</summary>
    public Exception? Exception { get; internal init; }
}
