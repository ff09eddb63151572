namespace Datacake.Data.Querying;

/// <summary>The calls to a context's interceptors about one query.</summary>
interface IQueryInterception
{
    /// <summary>Reports the end of the query.</summary>
    /// <param name="documentsRead">The number of documents that the query read.</param>
    /// <param name="results">The number of results.</param>
    /// <param name="exception">The exception that ended the query; null if it succeeded.</param>
    ValueTask EndAsync(long documentsRead, long results, Exception? exception = null);
}
