using System.Diagnostics;

namespace Datacake.Benchmarks.Measuring;

/// <summary>One run of a session, in which all workers run concurrently for a fixed time.</summary>
/// <param name="Operations">The number of completed operations.</param>
/// <param name="Elapsed">The time from the start until the last worker finished.</param>
/// <param name="Cpu">The processor time of the process.</param>
/// <param name="AllocatedBytes">The managed bytes allocated in the process.</param>
/// <param name="WireBytes">The bytes sent on sockets, if they were counted.</param>
/// <param name="KeptBytes">The growth of the memory of the process in bytes, if it was measured.</param>
/// <param name="Latencies">The durations of the operations.</param>
sealed record Run(long Operations, TimeSpan Elapsed, TimeSpan Cpu, long AllocatedBytes, long WireBytes, long KeptBytes, LatencyHistogram Latencies)
{
    public double OperationsPerSecond => Operations / Elapsed.TotalSeconds;

    public static async Task<Run> MakeAsync(Session session, Cell cell, TimeSpan time, WireMeter? wire = null)
    {
        await session.Prepare();
        var latencies = new LatencyHistogram[cell.Workers];
        for (int i = 0; i < cell.Workers; i++)
            latencies[i] = new LatencyHistogram();
        var operations = new long[cell.Workers];
        var workers = new Task[cell.Workers];
        await Idleness.WaitAsync();
        GC.Collect();
        GC.WaitForPendingFinalizers();
        long wireBytes = await WireBytesAsync();
        long keptBytes = cell.CountsKeptBytes ? KeptMemory.Read() : 0;

        long allocated = GC.GetTotalAllocatedBytes(precise: true);
        var cpu = Environment.CpuUsage.TotalTime;
        long start = Stopwatch.GetTimestamp();
        long end = start + (long)(time.TotalSeconds * Stopwatch.Frequency);
        for (int i = 0; i < cell.Workers; i++)
        {
            int worker = i;
            workers[i] = Task.Run(() => WorkAsync(worker));
        }
        await Task.WhenAll(workers);
        var elapsed = Stopwatch.GetElapsedTime(start);
        cpu = Environment.CpuUsage.TotalTime - cpu;
        allocated = GC.GetTotalAllocatedBytes(precise: true) - allocated;

        wireBytes = await WireBytesAsync() - wireBytes;
        if (cell.CountsKeptBytes)
        {
            await Idleness.WaitAsync();
            keptBytes = KeptMemory.Read() - keptBytes;
        }

        var all = new LatencyHistogram();
        foreach (var histogram in latencies)
            all.Add(histogram);
        return new Run(operations.Sum(), elapsed, cpu, allocated, wireBytes, keptBytes, all);

        async Task<long> WireBytesAsync() => wire is null ? 0 : session.WireBytes?.Invoke() ?? await wire.ReadAsync();

        async Task WorkAsync(int worker)
        {
            var histogram = latencies[worker];
            long number = 0, before = Stopwatch.GetTimestamp();
            do
            {
                await session.Operate(worker, number);
                long now = Stopwatch.GetTimestamp();
                histogram.Record(now - before);
                before = now;
                number++;
            }
            while (before < end && number < cell.MaxOperationsPerWorker);
            operations[worker] = number;
        }
    }
}
