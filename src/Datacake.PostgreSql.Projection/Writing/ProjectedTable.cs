using System.Diagnostics;
using Datacake.Data;
using Datacake.Data.Consuming;
using Datacake.EventualConsistency;
using Datacake.PostgreSql.Projection.Diagnostics;
using Datacake.PostgreSql.Projection.Tables;
using Microsoft.Extensions.Logging;
using Npgsql;

namespace Datacake.PostgreSql.Projection.Writing;

/// <summary>The table of a keyspace as the target of a durable consumer. Rows and position are committed together, and only by the term that owns the position.</summary>
sealed class ProjectedTable<T>(
    ProjectionDatabase database, Table table, PositionTable positions, string projection, string keyspace, byte node, TableStatus status, IProgress<ProjectionProgress>? progress, ILogger logger)
    : IConsumerTarget<T>, IAsyncDisposable
    where T : class
{
    NpgsqlConnection? _connection;      // one term at a time
    TableWriter? _writer;
    string _cluster = "";
    long _epoch;

    NpgsqlConnection Connection => _connection ?? throw new InvalidOperationException($"The projection of {keyspace} has no term. Begin one first.");

    public async Task<WatchPosition?> BeginAsync(ulong cluster, long fencingToken, CancellationToken cancellationToken)
    {
        await CloseAsync().ConfigureAwait(false);
        (_cluster, _epoch) = (PositionTable.TextOf(cluster), fencingToken);
        _connection = await database.ConnectAsync(cancellationToken).ConfigureAwait(false);
        var transaction = await Connection.BeginTransactionAsync(cancellationToken).ConfigureAwait(false);
        await using var ending = transaction.ConfigureAwait(false);
        await positions.CreateAsync(Connection, cancellationToken).ConfigureAwait(false);
        var (other, position) = await positions.ClaimAsync(Connection, _cluster, _epoch, table.Name, cancellationToken).ConfigureAwait(false);
        var created = await new TableSchema(Connection, table, $"Datacake projection '{projection}' of {keyspace}").EnsureAsync(cancellationToken).ConfigureAwait(false);
        if (other is not null && other != _cluster)
        {
            ProjectionLog.OtherCluster(logger, status.Table, other, _cluster);
            position = null;
        }
        if (created.Count > 0)
        {
            ProjectionLog.Changed(logger, status.Table, string.Join(", ", created));
            position = null;
        }
        if (position is null)
            await positions.SaveAsync(Connection, null, _cluster, _epoch, cancellationToken).ConfigureAwait(false);
        await transaction.CommitAsync(cancellationToken).ConfigureAwait(false);
        _writer = await TableWriter.CreateAsync(Connection, table, cancellationToken).ConfigureAwait(false);
        return position;
    }

    public async Task LoadAsync(ConsumerLoad<T> load, CancellationToken cancellationToken)
    {
        status.Load();
        ProjectionLog.Loading(logger, node, load.Count, keyspace, status.Table);
        long start = Stopwatch.GetTimestamp(), rows = 0;
        var transaction = await Connection.BeginTransactionAsync(cancellationToken).ConfigureAwait(false);
        await using var ending = transaction.ConfigureAwait(false);
        await positions.SaveAsync(Connection, load.Position, _cluster, _epoch, cancellationToken).ConfigureAwait(false);
        await _writer!.ClearAsync(cancellationToken).ConfigureAwait(false);
        progress?.Report(new ProjectionProgress(status.Table, rows, load.Count, IsComplete: false));
        await foreach (var page in load.Pages.ConfigureAwait(false))
        {
            await _writer.AddAsync(page, cancellationToken).ConfigureAwait(false);
            rows += page.Count;
            progress?.Report(new ProjectionProgress(status.Table, rows, load.Count, IsComplete: false));
        }
        await _writer.AnalyzeAsync(cancellationToken).ConfigureAwait(false);
        await transaction.CommitAsync(cancellationToken).ConfigureAwait(false);
        ProjectionLog.Loaded(logger, status.Table, rows, Stopwatch.GetElapsedTime(start).TotalSeconds);
        progress?.Report(new ProjectionProgress(status.Table, rows, rows, IsComplete: true));
        status.Loaded(rows);
    }

    public async Task ApplyAsync(ConsumedBatch<T> batch, CancellationToken cancellationToken)
    {
        long start = Stopwatch.GetTimestamp();
        var entities = new Dictionary<DocumentKey, object?>();
        foreach (var change in batch.Changes)
            entities[change.Key] = change.After;
        var transaction = await Connection.BeginTransactionAsync(cancellationToken).ConfigureAwait(false);
        await using var ending = transaction.ConfigureAwait(false);
        await positions.SaveAsync(Connection, batch.Position, _cluster, _epoch, cancellationToken).ConfigureAwait(false);
        if (entities.Count > 0)
            await _writer!.ApplyAsync(entities, cancellationToken).ConfigureAwait(false);
        await transaction.CommitAsync(cancellationToken).ConfigureAwait(false);
        status.Applied(entities.Count, Stopwatch.GetElapsedTime(start), batch.Position.Known!.Top.Time);
    }

    public async ValueTask EndAsync(Exception? failure)
    {
        status.End(failure);
        await CloseAsync().ConfigureAwait(false);
    }

    public async ValueTask DisposeAsync()
    {
        await CloseAsync().ConfigureAwait(false);
        await database.DisposeAsync().ConfigureAwait(false);
    }

    async Task CloseAsync()
    {
        (var connection, _connection, _writer) = (_connection, null, null);
        if (connection is not null)
            await connection.DisposeAsync().ConfigureAwait(false);
    }
}
