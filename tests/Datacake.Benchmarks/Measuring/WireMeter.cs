using System.Diagnostics;
using System.Diagnostics.Tracing;

namespace Datacake.Benchmarks.Measuring;

/// <summary>
/// Counts what the process sends on sockets, whichever library sends it: the runtime counts it while somebody listens, and says so at intervals.
/// </summary>
sealed class WireMeter : EventListener
{
    const string SocketsSource = "System.Net.Sockets";
    const string Interval = "0.05";

    readonly Lock _lock = new();
    TaskCompletionSource<long> _next = new(TaskCreationOptions.RunContinuationsAsynchronously);     // under the lock

    /// <summary>Bytes sent since the process began to count, when the count is next told.</summary>
    public async Task<long> ReadAsync()
    {
        // What is told next may have been counted before this call; the one after that was not.
        await NextAsync();
        return await NextAsync();
    }

    protected override void OnEventSourceCreated(EventSource eventSource)
    {
        if (eventSource.Name == SocketsSource)
            EnableEvents(eventSource, EventLevel.LogAlways, EventKeywords.None, new Dictionary<string, string?> { ["EventCounterIntervalSec"] = Interval });
    }

    protected override void OnEventWritten(EventWrittenEventArgs eventData)
    {
        // The base constructor enables the source before this object's fields exist.
        if (_lock is null || eventData is not { EventName: "EventCounters", Payload: [IDictionary<string, object> counter] })
            return;
        if (counter["Name"] is not "bytes-sent")
            return;
        lock (_lock)
        {
            Debug.Assert(!_next.Task.IsCompleted);
            _next.SetResult((long)(double)counter["Mean"]);
            _next = new TaskCompletionSource<long>(TaskCreationOptions.RunContinuationsAsynchronously);
        }
    }

    Task<long> NextAsync()
    {
        lock (_lock)
            return _next.Task;
    }
}
