namespace Datacake.Data;

/// <summary>A query that has read the store, and its outcome.</summary>
public sealed class QueryExecutedEventArgs : QueryExecutingEventArgs
{
    internal QueryExecutedEventArgs(KeyspaceModel keyspace, IReadOnlyList<string> tags, Func<string> explain)
        : base(keyspace, tags, explain)
    {
    }

    /// <summary>Gets the duration of the query, including the time that the caller spent on results while they were streamed.</summary>
    public TimeSpan Elapsed { get; internal init; }

    /// <summary>Gets the number of entities found, before projections and other operations in memory.</summary>
    public long Results { get; internal init; }

    /// <summary>Gets the number of documents read.</summary>
    public long DocumentsRead { get; internal init; }

    /// <summary>Gets the exception that failed the query; null if it succeeded.</summary>
    public Exception? Exception { get; internal init; }
}
