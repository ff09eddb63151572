using Datacake.Data;
using Datacake.Data.Consuming;
using Datacake.EventualConsistency.Leases;
using Datacake.Node;
using Datacake.PostgreSql.Projection.Diagnostics;
using Datacake.PostgreSql.Projection.Tables;
using Datacake.PostgreSql.Projection.Writing;
using Microsoft.Extensions.Logging;

namespace Datacake.PostgreSql.Projection;

/// <summary>The part of a projection for one keyspace.</summary>
/// <param name="Table">The tables.</param>
/// <param name="Status">The status.</param>
/// <param name="RunAsync">Keeps the tables until it is canceled.</param>
/// <param name="Target">The connections to dispose of.</param>
sealed record ProjectionPart(Table Table, TableStatus Status, Func<CancellationToken, Task> RunAsync, IAsyncDisposable Target)
{
    static readonly TimeSpan FirstDelay = TimeSpan.FromMilliseconds(200);

    const int MaxBatchSize = 2_000;

    public static ProjectionPart Create<T>(Keyspace<T> keyspace, TableChoices choices, ProjectionSettings settings)
        where T : class
    {
        var node = keyspace.Context.Node;
        LeaseTaker.Check(new ConsumerName(keyspace.Name, settings.Name).Lease, settings.LeaseDuration);
        var table = TableMapper.Map(new KeyspaceModel(keyspace.Name, keyspace.Model), choices, settings.Schema);
        var status = new TableStatus(keyspace.Name, $"{settings.Schema}.{table.Name}", node.TimeProvider);
        var logger = node.LoggerFactory.CreateLogger("Datacake.PostgreSql.Projection");
        // Stores of one context class have keyspaces of the same names, and each of them has a table and a position of its own.
        string source = keyspace.Context.StoreName is { Length: > 0 } store ? $"{store}:{keyspace.Name}" : keyspace.Name;
        var database = new ProjectionDatabase(settings.ConnectionString, settings.Name, settings.Schema, source);
        var target = new ProjectedTable<T>(
            database, table, new PositionTable(settings.Schema, settings.Name, source), settings.Name, source, node.Id, status, settings.Progress, logger);
        var options = new ConsumerOptions
        {
            MaxBatchSize = MaxBatchSize,
            LeaseDuration = settings.LeaseDuration,
            RetryDelay = FirstDelay < settings.MaxRetryDelay ? FirstDelay : settings.MaxRetryDelay,
            MaxRetryDelay = settings.MaxRetryDelay,
        };
        return new ProjectionPart(table, status, RunAsync, target);

        async Task RunAsync(CancellationToken cancellationToken)
        {
            try
            {
                await keyspace.ConsumeIntoAsync(settings.Name, target, options, cancellationToken).ConfigureAwait(false);
            }
            catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
            {
                // The projection is disposed of.
            }
            catch (Exception e)
            {
                status.End(e);
                ProjectionLog.Ended(logger, e, status.Table, node.Id);
            }
        }
    }
}
