namespace Datacake.Data;

/// <summary>A query that has ended, as an observer of a node sees it: without the values in it. See <see cref="DatacakeNodeQueryExtensions.ObserveQueries"/>.</summary>
public sealed class ObservedQuery
{
    internal ObservedQuery(
        string keyspace, string shape, string plan, string? remedy, IReadOnlyList<string> tags, long documentsRead, long results, TimeSpan elapsed, bool hasFailed)
    {
        Keyspace = keyspace;
        Shape = shape;
        Plan = plan;
        Remedy = remedy;
        Tags = tags;
        DocumentsRead = documentsRead;
        Results = results;
        Elapsed = elapsed;
        HasFailed = hasFailed;
    }

    /// <summary>Gets the name of the keyspace that was read.</summary>
    public string Keyspace { get; }

    /// <summary>Gets the query with question marks in place of its values, such as <c>Products where p.Price &gt; ? order by Name take ?</c>.</summary>
    public string Shape { get; }

    /// <summary>Gets the access path and the steps after it, without values.</summary>
    public string Plan { get; }

    /// <summary>Gets the advice to make the query read less, such as the index to declare; null if it read little in vain.</summary>
    public string? Remedy { get; }

    /// <summary>Gets the tags of the query; see <see cref="Query{T}.TagWith"/>.</summary>
    public IReadOnlyList<string> Tags { get; }

    /// <summary>Gets the number of documents read.</summary>
    public long DocumentsRead { get; }

    /// <summary>Gets the number of entities found, before projections and other operations in memory.</summary>
    public long Results { get; }

    /// <summary>Gets the duration of the query, including the time that the caller spent on results while they were streamed.</summary>
    public TimeSpan Elapsed { get; }

    /// <summary>True if the query has failed.</summary>
    public bool HasFailed { get; }
}
