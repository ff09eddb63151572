using System.Diagnostics.Metrics;
using System.Globalization;
using Datacake.Storage;
using Microsoft.Extensions.Logging;

namespace Datacake.Administration.Backups;

/// <summary>The scheduled backups of a node. A failed one is made again, and one that was missed while the process was down is made at the start. Thread-safe.</summary>
sealed class BackupScheduler : IAsyncDisposable
{
    public const string MeterName = "Datacake.Administration";

    /// <summary>The longest wait before the wall clock is looked at again, because it may be corrected, and machines sleep.</summary>
    static readonly TimeSpan MaxPause = TimeSpan.FromMinutes(1);

    /// <summary>The delay of a backup from which it is a finding although no attempt has failed: the disk may hang.</summary>
    static readonly TimeSpan MaxDelay = TimeSpan.FromHours(1);

    /// <summary>The number of attempts after which the same error is logged again.</summary>
    const int AttemptsPerLog = 12;

    readonly BackupWriter _writer;
    readonly BackupOptions _options;
    readonly BackupSchedule _schedule;
    readonly TimeProvider _time;
    readonly ILogger _logger;
    readonly Meter _meter = new(MeterName);
    readonly Counter<long> _backups;
    readonly KeyValuePair<string, object?>[] _tags;
    readonly CancellationTokenSource _stopping = new();
    readonly DateTimeOffset _started;
    readonly Task _running;

    volatile State _state = new(null, null, null, null, 0, null);     // written by the loop only

    /// <param name="writer">The writer of backups.</param>
    /// <param name="options">The validated settings.</param>
    /// <param name="joined">Completes when the store has joined its cluster.</param>
    /// <param name="logger">The logger.</param>
    public BackupScheduler(BackupWriter writer, BackupOptions options, Task joined, ILogger logger)
    {
        _writer = writer;
        _options = options;
        _schedule = new BackupSchedule(options);
        _time = writer.Time;
        _logger = logger;
        _started = _time.GetUtcNow();
        _tags = [new("node", writer.NodeId.ToString(CultureInfo.InvariantCulture))];
        if (writer.Store.Length > 0)
            _tags = [.. _tags, new("store", writer.Store)];
        _backups = _meter.CreateCounter<long>("datacake.backups", "{backup}", "Scheduled backups, by outcome.");
        _meter.CreateObservableGauge(
            "datacake.backup.age", () => new Measurement<double>((_time.GetUtcNow() - (_state.LastAt ?? _started)).TotalSeconds, _tags), "s",
            "Age of the last good backup. If there is none, the time since the start.");
        _meter.CreateObservableGauge("datacake.backup.size", () => new Measurement<long>(_state.LastBytes ?? 0, _tags), "By", "Size of the last good backup.");
        _running = Task.Run(() => RunAsync(joined));
    }

    /// <summary>Gets the state of the backups.</summary>
    public BackupStatus Status
    {
        get
        {
            var state = _state;
            return new BackupStatus(_options.Folder!, state.LastAt, state.LastFile, state.LastBytes, DueAt(state), state.Failure?.Message, state.FailingSince);
        }
    }

    /// <summary>Returns the findings, each with the remedy.</summary>
    public IEnumerable<Finding> Find()
    {
        var status = Status;
        string last = status.LastAt is { } at ? string.Create(CultureInfo.InvariantCulture, $"The last good one is from {at:u}.") : "There is none yet.";
        if (status.Failure is { } failure)
        {
            yield return new Finding(FindingSeverity.Warning, "backup-failed", string.Create(CultureInfo.InvariantCulture,
                $"The backups of {_writer.Owner} to '{status.Folder}' have failed since {status.FailingSince:u}. {last} {failure}"),
                string.Create(CultureInfo.InvariantCulture, $"Remove the cause. The next attempt is at {status.NextAt:u}."));
        }
        else if (_time.GetUtcNow() - Max(status.NextAt, _started) is var delay && delay > MaxDelay)
        {
            yield return new Finding(FindingSeverity.Warning, "backup-late", string.Create(CultureInfo.InvariantCulture,
                $"A backup of {_writer.Owner} to '{status.Folder}' is late by {delay.TotalHours:0.0} h. {last}"),
                "Check that the folder answers. If the store is so large that a backup takes this long, make fewer of them.");
        }
    }

    public async ValueTask DisposeAsync()
    {
        await _stopping.CancelAsync().ConfigureAwait(false);
        await _running.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        _meter.Dispose();
        _stopping.Dispose();
    }

    async Task RunAsync(Task joined)
    {
        var token = _stopping.Token;
        await joined.WaitAsync(token).ConfigureAwait(false);
        await FindLastAsync(token).ConfigureAwait(false);
        while (true)
        {
            var pause = DueAt(_state) - _time.GetUtcNow();
            if (pause > TimeSpan.Zero)
                await Task.Delay(pause < MaxPause ? pause : MaxPause, _time, token).ConfigureAwait(false);
            else
                await BackUpAsync(token).ConfigureAwait(false);
        }
    }

    /// <summary>Finds the last backup of earlier processes.</summary>
    async Task FindLastAsync(CancellationToken cancellationToken)
    {
        try
        {
            if (await _writer.FindLastAsync(_options.Folder!, cancellationToken).ConfigureAwait(false) is { } last)
                _state = _state with { LastAt = last.Time, LastFile = last.Path, LastBytes = new FileInfo(last.Path).Length };
        }
        catch (Exception) when (!cancellationToken.IsCancellationRequested)
        {
            // A backup is due at once, then, and reports the same error.
        }
    }

    async Task BackUpAsync(CancellationToken cancellationToken)
    {
        long start = _time.GetTimestamp();
        try
        {
            var result = await _writer.WriteToFolderAsync(_options.Folder!, _options.Verify, _options.Keep, _options.KeepFor, cancellationToken).ConfigureAwait(false);
            BackupLog.BackedUp(_logger, _writer.NodeId, result.Path, result.Bytes, _time.GetElapsedTime(start).TotalSeconds, result.Deleted);
            _state = new State(result.At, result.Path, result.Bytes, null, 0, null);
            _backups.Add(1, [.. _tags, new("outcome", "completed")]);
        }
        catch (Exception e) when (!cancellationToken.IsCancellationRequested)
        {
            var state = _state;
            var now = _time.GetUtcNow();
            int attempts = state.Failure is { } before && KindOf(before) == KindOf(e) ? state.Attempts + 1 : 1;
            _state = state with { Failure = e, Attempts = attempts, FailingSince = state.FailingSince ?? now, RetryAt = now + _options.RetryAfter };
            if (attempts % AttemptsPerLog == 1)
                BackupLog.BackupFailed(_logger, _writer.NodeId, _options.Folder!, attempts, _state.RetryAt.Value, e);
            _backups.Add(1, [.. _tags, new("outcome", "failed")]);
        }
    }

    /// <summary>Returns the kind of an error. Messages contain the name of the file, which differs for each attempt.</summary>
    static (Type, StorageError?) KindOf(Exception exception) => (exception.GetType(), (exception as StorageException)?.Error);

    DateTimeOffset DueAt(State state) => state.RetryAt ?? Max(_schedule.Next(state.LastAt), _started);

    static DateTimeOffset Max(DateTimeOffset left, DateTimeOffset right) => left > right ? left : right;

    /// <summary>The progress of the loop, replaced as a whole.</summary>
    sealed record State(DateTimeOffset? LastAt, string? LastFile, long? LastBytes, Exception? Failure, int Attempts, DateTimeOffset? FailingSince)
    {
        public DateTimeOffset? RetryAt { get; init; }
    }
}
