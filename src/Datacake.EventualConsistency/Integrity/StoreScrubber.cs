using System.Diagnostics;
using Datacake.EventualConsistency.Diagnostics;
using Datacake.EventualConsistency.Layout;
using Datacake.Storage;
using Microsoft.Extensions.Logging;

namespace Datacake.EventualConsistency.Integrity;

/// <summary>
/// The background scrub of a durable storage: it slowly reads everything, again and again, so that damage in rarely read records is found
/// while other nodes still have the data. The storage notes the damaged records, which are then repaired like any other.
/// </summary>
/// <remarks>
/// A bit that flips in a key makes one record unreadable and another one vanish. Nobody would look for the first, or miss the second before
/// reading it.
/// </remarks>
sealed class StoreScrubber : IAsyncDisposable
{
    /// <summary>The number of records that are read in one snapshot, which must not stay open for long.</summary>
    const int RecordsPerStep = 500;

    /// <summary>
    /// The pause after a step, as a multiple of its duration: a pass uses a twentieth of a core and of the disk's throughput.
    /// </summary>
    const int IdleShare = 19;

    static readonly TimeSpan PauseAfterFailure = TimeSpan.FromHours(1);

    readonly IStorage _disk;
    readonly byte _node;
    readonly TimeSpan _interval;
    readonly TimeProvider _time;
    readonly ILogger _logger;
    readonly CancellationTokenSource _stopping = new();
    readonly Task _running;

    /// <summary>Creates the scrubber and starts the first pass.</summary>
    /// <param name="disk">The storage below the cache.</param>
    /// <param name="node">The node, for the log.</param>
    /// <param name="interval">The time from the end of a pass to the start of the next one.</param>
    /// <param name="time">The clock that measures the pauses.</param>
    /// <param name="logger">The logger of the passes.</param>
    public StoreScrubber(IStorage disk, byte node, TimeSpan interval, TimeProvider time, ILogger logger)
    {
        (_disk, _node, _interval, _time, _logger) = (disk, node, interval, time, logger);
        _running = Task.Run(RunAsync);
    }

    public async ValueTask DisposeAsync()
    {
        await _stopping.CancelAsync().ConfigureAwait(false);
        // The store closes no matter how the pass ends.
        await _running.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        _stopping.Dispose();
    }

    async Task RunAsync()
    {
        try
        {
            while (true)
            {
                bool isDone = await PassAsync().ConfigureAwait(false);
                await Task.Delay(isDone ? _interval : PauseAfterFailure, _time, _stopping.Token).ConfigureAwait(false);
            }
        }
        catch (OperationCanceledException) when (_stopping.IsCancellationRequested)
        {
            // The store is closing.
        }
    }

    /// <summary>Reads everything once. Returns false if the storage could not be read.</summary>
    async Task<bool> PassAsync()
    {
        try
        {
            long records = 0;
            KeyRange? rest = StoreLayout.All;
            while (rest is { } range)
            {
                long started = Stopwatch.GetTimestamp();
                (rest, int read) = await StepAsync(range).ConfigureAwait(false);
                records += read;
                if (rest is not null)
                {
                    // The elapsed time may include a suspension of the process, so the pause is limited.
                    var pause = Stopwatch.GetElapsedTime(started) * IdleShare;
                    await Task.Delay(pause < PauseAfterFailure ? pause : PauseAfterFailure, _time, _stopping.Token).ConfigureAwait(false);
                }
            }
            StoreLog.Scrubbed(_logger, _node, _disk.Description, records);
            return true;
        }
        catch (Exception e) when (!_stopping.IsCancellationRequested)
        {
            StoreLog.ScrubFailed(_logger, e, _node);
            return false;
        }
    }

    /// <summary>
    /// Reads the next records. Returns the remaining range, or null if nothing remains, and the number of records that were read.
    /// </summary>
    async ValueTask<(KeyRange? Left, int Read)> StepAsync(KeyRange range)
    {
        using var snapshot = await _disk.OpenSnapshotAsync(_stopping.Token).ConfigureAwait(false);
        var keys = await SnapshotReading.ScanKeysAsync(snapshot, range, RecordsPerStep, _stopping.Token).ConfigureAwait(false);
        foreach (var key in keys)
        {
            _stopping.Token.ThrowIfCancellationRequested();
            try
            {
                await snapshot.GetAsync(key, _stopping.Token).ConfigureAwait(false);
            }
            catch (StorageException e) when (e.Error == StorageError.Corrupt)
            {
                // The storage has noted it.
            }
        }
        return (keys.Count == RecordsPerStep ? range.After(keys[^1]) : null, keys.Count);
    }
}
