namespace Datacake.Data.Querying;

/// <summary>The observation of one query.</summary>
interface IQueryInterception
{
    /// <summary>Reports the end of the query.</summary>
    /// <param name="access">The kind of the query's access path.</param>
    /// <param name="documentsRead">The number of documents that the query read.</param>
    /// <param name="results">The number of results.</param>
    /// <param name="describe">Describes the run of the query; called only if somebody wants to know. Null if there was no run.</param>
    /// <param name="exception">The exception that ended the query; null if it succeeded.</param>
    ValueTask EndAsync(string access, long documentsRead, long results, Func<QueryDescription>? describe, Exception? exception = null);
}
