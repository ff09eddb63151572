using System.Diagnostics;
using Datacake.Data.Diagnostics;
using Datacake.Data.Querying;
using Microsoft.Extensions.Logging;

namespace Datacake.Data;

/// <summary>The observation of one query by the context's interceptors, by observers of the node, by listeners of metrics and spans, and by the log.</summary>
sealed partial class QueryInterception : IQueryInterception
{
    readonly DatacakeContext _context;
    readonly KeyspaceModel _keyspace;
    readonly IReadOnlyList<string> _tags;
    readonly Func<string> _explain;
    readonly long _start;
    readonly Activity? _span;

    QueryInterception(DatacakeContext context, KeyspaceModel keyspace, IReadOnlyList<string> tags, Func<string> explain, bool hasSpan)
    {
        _context = context;
        _keyspace = keyspace;
        _tags = tags;
        _explain = explain;
        _start = context.Node.TimeProvider.GetTimestamp();
        _span = hasSpan && DataTelemetry.Source.HasListeners() ? DataTelemetry.Source.StartActivity("datacake.query")?.SetTag("datacake.keyspace", keyspace.Name) : null;
    }

    /// <summary>
    /// Reports the start of a query. Returns the object to report its end with; null if nobody observes queries.
    /// </summary>
    public static ValueTask<IQueryInterception?> StartAsync(
        DatacakeContext context, KeyspaceModel keyspace, IReadOnlyList<string> tags, Func<string> explain, bool hasSpan, CancellationToken cancellationToken)
    {
        return context.ObservesQueries ? BeginAsync() : default;

        // Asynchronous, so that the span is the current one of nothing else: the query may be read for long.
        async ValueTask<IQueryInterception?> BeginAsync()
        {
            if (context.HasInterceptors)
            {
                var query = new QueryExecutingEventArgs(keyspace, tags, explain);
                foreach (var interceptor in context.Interceptors)
                    await interceptor.QueryExecutingAsync(context, query, cancellationToken).ConfigureAwait(false);
            }
            return new QueryInterception(context, keyspace, tags, explain, hasSpan);
        }
    }

    /// <inheritdoc/>
    public async ValueTask EndAsync(string access, long documentsRead, long results, Func<QueryDescription>? describe, Exception? exception = null)
    {
        var elapsed = _context.Node.TimeProvider.GetElapsedTime(_start);
        DataTelemetry.Queried(_keyspace.Name, access, elapsed, documentsRead, exception is not null);
        if (_context.Logger.IsEnabled(LogLevel.Debug))
            Log(elapsed, documentsRead, results, exception);
        if (_span is not null)
        {
            _span.SetTag("datacake.access", access).SetTag("datacake.documents", documentsRead).SetTag("datacake.results", results);
            if (_tags.Count > 0)
                _span.SetTag("datacake.tags", string.Join("; ", _tags));
            if (exception is not null)
                _span.SetStatus(ActivityStatusCode.Error, exception.Message);
            _span.Dispose();
        }
        if (describe is not null && !_context.QueryObservers.IsEmpty)
        {
            var (shape, plan, remedy) = describe();
            _context.QueryObservers.Report(new ObservedQuery(_keyspace.Name, shape, plan, remedy, _tags, documentsRead, results, elapsed, exception is not null));
        }
        if (!_context.HasInterceptors)
            return;
        var query = new QueryExecutedEventArgs(_keyspace, _tags, _explain)
        {
            Elapsed = elapsed,
            DocumentsRead = documentsRead,
            Results = results,
            Exception = exception,
        };
        foreach (var interceptor in _context.Interceptors)
            await interceptor.QueryExecutedAsync(_context, query).ConfigureAwait(false);
    }

    void Log(TimeSpan elapsed, long documentsRead, long results, Exception? exception)
    {
        if (exception is null)
            Queried(_context.Logger, _keyspace.Name, documentsRead, results, elapsed.TotalMilliseconds, _explain());
        else
            Failed(_context.Logger, _keyspace.Name, elapsed.TotalMilliseconds, exception.Message, _explain());
    }

    [LoggerMessage(4004, LogLevel.Debug,
        "A query for the keyspace {Keyspace} read {Read} documents and returned {Results} in {Milliseconds:0.###} ms (plan: {Plan}).")]
    static partial void Queried(ILogger logger, string keyspace, long read, long results, double milliseconds, string plan);

    [LoggerMessage(4005, LogLevel.Debug, "A query for the keyspace {Keyspace} failed after {Milliseconds:0.###} ms: {Reason} (plan: {Plan})")]
    static partial void Failed(ILogger logger, string keyspace, double milliseconds, string reason, string plan);
}
