using Datacake.Data.Querying;

namespace Datacake.Data;

/// <summary>The calls to a context's interceptors about one query.</summary>
sealed class QueryInterception : IQueryInterception
{
    readonly DatacakeContext _context;
    readonly KeyspaceModel _keyspace;
    readonly IReadOnlyList<string> _tags;
    readonly Func<string> _explain;
    readonly long _start;

    QueryInterception(DatacakeContext context, KeyspaceModel keyspace, IReadOnlyList<string> tags, Func<string> explain)
    {
        _context = context;
        _keyspace = keyspace;
        _tags = tags;
        _explain = explain;
        _start = context.Node.TimeProvider.GetTimestamp();
    }

    /// <summary>
    /// Reports the start of a query. Returns the object to report its end with; null if the context has no interceptors.
    /// </summary>
    public static ValueTask<IQueryInterception?> StartAsync(
        DatacakeContext context, KeyspaceModel keyspace, IReadOnlyList<string> tags, Func<string> explain, CancellationToken cancellationToken)
    {
        return context.HasInterceptors ? BeginAsync() : default;

        async ValueTask<IQueryInterception?> BeginAsync()
        {
            var query = new QueryExecutingEventArgs(keyspace, tags, explain);
            foreach (var interceptor in context.Interceptors)
                await interceptor.QueryExecutingAsync(context, query, cancellationToken).ConfigureAwait(false);
            return new QueryInterception(context, keyspace, tags, explain);
        }
    }

    /// <inheritdoc/>
    public async ValueTask EndAsync(long documentsRead, long results, Exception? exception = null)
    {
        var query = new QueryExecutedEventArgs(_keyspace, _tags, _explain)
        {
            Elapsed = _context.Node.TimeProvider.GetElapsedTime(_start),
            DocumentsRead = documentsRead,
            Results = results,
            Exception = exception,
        };
        foreach (var interceptor in _context.Interceptors)
            await interceptor.QueryExecutedAsync(_context, query).ConfigureAwait(false);
    }
}
