using Datacake.Benchmarks.Reporting;

namespace Datacake.Benchmarks.Measuring;

/// <summary>
/// Measures cells: warms each system up, then makes the counted runs of all systems in turn, so that what else the machine does concerns all of them.
/// </summary>
sealed class Runner(Pace pace, string? filter, Progress progress, Action<CellResult> report) : IDisposable
{
    readonly WireMeter _wire = new();

    public Pace Pace { get; } = pace;

    /// <summary>Whether cells are only counted.</summary>
    public bool IsPlanning { get; set; }

    /// <summary>Measures a cell, if the filter lets it through.</summary>
    public async Task MeasureAsync(Cell cell)
    {
        if (filter is not null && !cell.ToString().Contains(filter, StringComparison.OrdinalIgnoreCase))
            return;
        if (IsPlanning)
        {
            progress.Plan();
            return;
        }
        progress.Begin(cell.ToString());
        report(new CellResult(cell, await RunAllAsync(cell)));
    }

    public void Dispose() => _wire.Dispose();

    async Task<IReadOnlyList<Measurement>> RunAllAsync(Cell cell)
    {
        var sessions = new List<Session>();
        try
        {
            var runs = new List<Run>[cell.Subjects.Count];
            var wireBytes = new long[cell.Subjects.Count];
            for (int i = 0; i < runs.Length; i++)
            {
                progress.Step($"{cell.Subjects[i].System} sets up");
                sessions.Add(await cell.Subjects[i].OpenAsync());
                progress.Step($"{cell.Subjects[i].System} warms up");
                await WarmUpAsync(sessions[i], cell);
                runs[i] = [];
            }
            for (int run = 0; run < Pace.Runs; run++)
            {
                for (int i = 0; i < runs.Length; i++)
                {
                    progress.Step($"{cell.Subjects[i].System} run {run + 1} of {Pace.Runs}");
                    long before = cell.CountsWireBytes ? await _wire.ReadAsync() : 0;
                    runs[i].Add(await Run.MakeAsync(sessions[i], cell, Pace.Run));
                    wireBytes[i] += cell.CountsWireBytes ? await _wire.ReadAsync() - before : 0;
                }
            }
            return [.. runs.Select((made, i) => Summarize(cell, i, made, wireBytes[i]))];
        }
        finally
        {
            foreach (var session in sessions)
                await session.DisposeAsync();
        }
    }

    async Task WarmUpAsync(Session session, Cell cell)
    {
        var spent = TimeSpan.Zero;
        double before = 0;
        while (true)
        {
            var run = await Run.MakeAsync(session, cell, Pace.MinWarmUp / 2);
            spent += run.Elapsed;
            if (spent >= Pace.MinWarmUp && (run.OperationsPerSecond < before * 1.1 || spent >= Pace.MaxWarmUp))
                return;
            before = run.OperationsPerSecond;
        }
    }

    static Measurement Summarize(Cell cell, int subject, List<Run> runs, long wireBytes)
    {
        var latencies = new LatencyHistogram();
        foreach (var run in runs)
            latencies.Add(run.Latencies);
        long operations = runs.Sum(run => run.Operations);
        double items = (double)operations * cell.ItemsPerOperation;
        return new Measurement(
            cell,
            cell.Subjects[subject].System,
            Spread.Of(runs.Select(run => run.OperationsPerSecond * cell.ItemsPerOperation)),
            latencies.Quantile(0.5),
            latencies.Quantile(0.99),
            runs.Sum(run => run.Cpu.TotalMicroseconds) / items,
            runs.Sum(run => run.AllocatedBytes) / items,
            cell.CountsWireBytes ? (double)wireBytes / operations : null);
    }
}
