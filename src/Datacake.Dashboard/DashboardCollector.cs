using Datacake.Dashboard.Cluster;
using Datacake.Dashboard.Metrics;
using Datacake.Dashboard.Queries;
using Datacake.Data;
using Microsoft.Extensions.Hosting;

namespace Datacake.Dashboard;

/// <summary>The hosted service that collects the metrics and the query shapes of the node, from the start of the host on.</summary>
sealed class DashboardCollector(DashboardNode source, DashboardOptions options) : IHostedService, IAsyncDisposable
{
    readonly CancellationTokenSource _stopping = new();
    IDisposable? _observation;
    Task? _ticking;

    /// <summary>Gets the history of the metrics; null before the start.</summary>
    public MetricHistory? Metrics { get; private set; }

    /// <summary>Gets the shapes of the queries; null before the start.</summary>
    public QueryShapeList? Queries { get; private set; }

    public Task StartAsync(CancellationToken cancellationToken)
    {
        var (node, _) = source.Get();
        Metrics = new MetricHistory(node);
        Queries = new QueryShapeList(options.MaxQueryShapes, node.TimeProvider);
        _observation = node.ObserveQueries(Queries.Add);
        _ticking = TickAsync(Metrics);
        return Task.CompletedTask;
    }

    public async Task StopAsync(CancellationToken cancellationToken) => await DisposeAsync().ConfigureAwait(false);

    public async ValueTask DisposeAsync()
    {
        _observation?.Dispose();
        Metrics?.Dispose();
        if (Interlocked.Exchange(ref _ticking, null) is not { } ticking)
            return;
        await _stopping.CancelAsync().ConfigureAwait(false);
        await ticking.ConfigureAwait(false);
        _stopping.Dispose();
    }

    async Task TickAsync(MetricHistory metrics)
    {
        using var timer = new PeriodicTimer(MetricHistory.Interval);
        try
        {
            while (await timer.WaitForNextTickAsync(_stopping.Token).ConfigureAwait(false))
                metrics.EndInterval();
        }
        catch (OperationCanceledException)
        {
            // The host stops.
        }
    }
}
