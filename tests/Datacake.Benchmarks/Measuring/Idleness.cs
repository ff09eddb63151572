using System.Diagnostics;

namespace Datacake.Benchmarks.Measuring;

/// <summary>
/// Waits until the process is nearly idle, so that deferred work of one run (sending, merging, garbage collection) does not count in the next.
/// </summary>
static class Idleness
{
    const double BusyShare = 0.2;   // fraction of one processor

    static readonly TimeSpan Window = TimeSpan.FromMilliseconds(25);
    static readonly TimeSpan Patience = TimeSpan.FromSeconds(5);

    public static async Task WaitAsync()
    {
        long start = Stopwatch.GetTimestamp();
        using var windows = new PeriodicTimer(Window);
        var before = Environment.CpuUsage.TotalTime;
        while (Stopwatch.GetElapsedTime(start) < Patience)
        {
            await windows.WaitForNextTickAsync();
            var now = Environment.CpuUsage.TotalTime;
            if (now - before < Window * BusyShare)
                return;
            before = now;
        }
    }
}
