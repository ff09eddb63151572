using System.Diagnostics;
using Datacake.Data.ChangeTracking;
using Datacake.Data.Diagnostics;
using Datacake.EventualConsistency;
using Datacake.Node;
using Microsoft.Extensions.Logging;

namespace Datacake.Data.Saving;

/// <summary>A save that is measured, traced and logged, as far as someone listens. Without listeners, it costs a few comparisons.</summary>
readonly struct SaveObservation
{
    readonly long _start;
    readonly Activity? _span;
    readonly ILogger? _logger;
    readonly Consistency _level;

    SaveObservation(Consistency level, long start, Activity? span, ILogger? logger)
    {
        _level = level;
        _start = start;
        _span = span;
        _logger = logger;
    }

    /// <summary>Begins to observe a save.</summary>
    /// <param name="context">The class of the context.</param>
    /// <param name="level">The level of the save.</param>
    /// <param name="logger">The logger of the context.</param>
    public static SaveObservation Begin(Type context, Consistency level, ILogger logger)
    {
        var log = logger.IsEnabled(LogLevel.Debug) ? logger : null;
        if (log is null && !DataTelemetry.IsObservingSaves)
            return default;
        var span = DataTelemetry.Source.HasListeners() ? DataTelemetry.Source.StartActivity("datacake.save") : null;
        span?.SetTag("datacake.context", context.Name).SetTag("datacake.level", level.ToString());
        return new SaveObservation(level, Stopwatch.GetTimestamp(), span, log);
    }

    /// <summary>Ends the observation of a save that succeeded.</summary>
    /// <param name="writes">What was saved.</param>
    /// <param name="acknowledged">The nodes that have acknowledged the save.</param>
    public void Succeed(IReadOnlyList<PendingWrite> writes, NodeSet acknowledged)
    {
        if (_start == 0)
            return;
        var elapsed = Stopwatch.GetElapsedTime(_start);
        _span?.SetTag("datacake.entities", writes.Count).SetTag("datacake.acknowledged", acknowledged.ToString()).Dispose();
        // A save without changes is not one.
        if (writes.Count == 0)
            return;
        DataTelemetry.Saved(_level, elapsed, OutcomeOf(failure: null));
        if (DataTelemetry.SavedEntities.Enabled)
        {
            // Counted by runs, of which nearly every save has one, so that nothing is allocated.
            for (int i = 0, end; i < writes.Count; i = end)
            {
                var keyspace = writes[i].Entry.Keyspace.Name;
                for (end = i + 1; end < writes.Count && writes[end].Entry.Keyspace.Name == keyspace;)
                    end++;
                DataTelemetry.SavedEntities.Add(end - i, new KeyValuePair<string, object?>("keyspace", keyspace));
            }
        }
        if (_logger is not null)
            SaveLog.Saved(_logger, writes.Count, _level, elapsed.TotalMilliseconds, acknowledged);
    }

    /// <summary>Ends the observation of a save that failed.</summary>
    public void Fail(Exception failure)
    {
        if (_start == 0)
            return;
        var elapsed = Stopwatch.GetElapsedTime(_start);
        _span?.SetStatus(ActivityStatusCode.Error, failure.Message).Dispose();
        DataTelemetry.Saved(_level, elapsed, OutcomeOf(failure));
        if (failure is EntityConflictException conflict)
            DataTelemetry.Conflicts.Add(1, new KeyValuePair<string, object?>("keyspace", conflict.Entry.Keyspace.Name));
        if (_logger is not null)
            SaveLog.Failed(_logger, _level, elapsed.TotalMilliseconds, failure.Message);
    }

    /// <summary>Returns the outcome of a save, for a tag.</summary>
    static string OutcomeOf(Exception? failure) => failure switch
    {
        null => "ok",
        EntityConflictException or ReadConflictException or UniqueConstraintException => "conflict",
        EntityValidationException => "invalid",
        NotEnoughNodesException => "not enough nodes",
        ConsistencyException => "not acknowledged",
        OutcomeUnknownException => "unknown",
        OperationCanceledException => "canceled",
        _ => "failed",
    };
}
