using System.Diagnostics;
using System.Diagnostics.Tracing;

namespace Datacake.Benchmarks.Measuring;

/// <summary>
/// Counts the bytes that the process sends on sockets, whichever library sends them. The runtime counts while a listener is enabled and
/// reports the count at intervals.
/// </summary>
sealed class WireMeter : EventListener
{
    const string SocketsSource = "System.Net.Sockets";
    const string Interval = "0.05";

    readonly Lock _lock = new();
    TaskCompletionSource<long> _next = new(TaskCreationOptions.RunContinuationsAsynchronously);     // guarded by _lock

    /// <summary>Waits for a current report and returns the bytes sent since the process began to count.</summary>
    public async Task<long> ReadAsync()
    {
        // The next report may contain a count from before this call. The one after it does not.
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
