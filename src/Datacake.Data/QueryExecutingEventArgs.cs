namespace Datacake.Data;

/// <summary>A query that is about to read the store.</summary>
public class QueryExecutingEventArgs : EventArgs
{
    readonly Func<string> _explain;

    internal QueryExecutingEventArgs(KeyspaceModel keyspace, IReadOnlyList<string> tags, Func<string> explain)
    {
        Keyspace = keyspace;
        Tags = tags;
        _explain = explain;
    }

    /// <summary>Gets the keyspace that is read.</summary>
    public KeyspaceModel Keyspace { get; }

    /// <summary>Gets the tags of the query; see <see cref="Query{T}.TagWith"/>.</summary>
    public IReadOnlyList<string> Tags { get; }

    /// <summary>Returns the plan of the query; see <see cref="Query{T}.Explain"/>.</summary>
    public string Explain() => _explain();
}
