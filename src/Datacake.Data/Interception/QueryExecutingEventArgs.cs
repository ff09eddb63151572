using Datacake.Data.Metadata;

namespace Datacake.Data;

/// <summary>A query is about to read the store.</summary>
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

    /// <summary>Gets what the query was tagged with; see <see cref="Query{T}.TagWith"/>.</summary>
    public IReadOnlyList<string> Tags { get; }

    /// <summary>Returns how the query finds its results; see <see cref="Query{T}.Explain"/>.</summary>
    public string Explain() => _explain();
}
