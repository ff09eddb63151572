namespace Datacake.Benchmarks.Measuring;

/// <summary>
/// Measures cells. Warms up each system and then performs the counted runs of all systems in turn, so that other load on the machine
/// affects all systems.
/// </summary>
sealed class Runner(Pace pace, string? filter, Progress progress, Action<CellResult> report) : IDisposable
{
    readonly WireMeter _wire = new();

    public Pace Pace { get; } = pace;

    /// <summary>True to count cells without measuring them.</summary>
    public bool IsPlanning { get; set; }

    /// <summary>True if a system has failed in any cell.</summary>
    public bool HasFailures { get; private set; }

    /// <summary>Measures a cell if it matches the filter.</summary>
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
        var measurements = await RunAllAsync(cell);
        if (measurements is [var first, ..] && first.System == cell.Subjects[0].System)
            report(new CellResult(cell, measurements));
    }

    public void Dispose() => _wire.Dispose();

    /// <summary>Runs all systems of a cell and returns their measurements. A failed system is reported and left out.</summary>
    async Task<IReadOnlyList<Measurement>> RunAllAsync(Cell cell)
    {
        var open = new Dictionary<Subject, Session>();
        var runs = cell.Subjects.ToDictionary(subject => subject, _ => new List<Run>());
        if (!cell.IsolatesSystems)
        {
            foreach (var subject in cell.Subjects)
                await OpenAsync(subject);
        }
        for (int run = 0; run < Pace.Runs; run++)
        {
            foreach (var subject in cell.Subjects)
            {
                // A system that has failed a run is not run again.
                if (runs[subject].Count < run)
                    continue;
                if (cell.IsolatesSystems)
                    await OpenAsync(subject);
                if (open.TryGetValue(subject, out var session))
                {
                    await TryAsync(cell, subject, $"run {run + 1} of {Pace.Runs}", async () =>
                        runs[subject].Add(await Run.MakeAsync(session, cell, Pace.Run, cell.CountsWireBytes ? _wire : null)));
                }
                if (cell.IsolatesSystems)
                    await CloseAsync(subject);
            }
        }
        foreach (var subject in cell.Subjects)
            await CloseAsync(subject);
        return [.. cell.Subjects.Where(subject => runs[subject].Count == Pace.Runs).Select(subject => Summarize(cell, subject, runs[subject]))];

        Task OpenAsync(Subject subject) => TryAsync(cell, subject, "setup and warm-up", async () =>
        {
            var session = open[subject] = await subject.OpenAsync();
            await WarmUpAsync(session, cell);
        });

        async Task CloseAsync(Subject subject)
        {
            if (open.Remove(subject, out var session))
                await TryAsync(cell, subject, "close", () => session.DisposeAsync().AsTask());
        }
    }

    async Task TryAsync(Cell cell, Subject subject, string step, Func<Task> action)
    {
        progress.Step($"{subject.System}, {step}");
        try
        {
            await action();
        }
        catch (Exception e)
        {
            HasFailures = true;
            progress.Failed($"{cell}: {subject.System} failed during {step}: {e}");
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

    static Measurement Summarize(Cell cell, Subject subject, List<Run> runs)
    {
        var latencies = new LatencyHistogram();
        foreach (var run in runs)
            latencies.Add(run.Latencies);
        long operations = runs.Sum(run => run.Operations);
        double items = (double)operations * cell.ItemsPerOperation;
        return new Measurement(
            cell,
            subject.System,
            Spread.Of(runs.Select(run => run.OperationsPerSecond * cell.ItemsPerOperation)),
            latencies.Quantile(0.5),
            latencies.Quantile(0.99),
            runs.Sum(run => run.Cpu.TotalMicroseconds) / items,
            runs.Sum(run => run.AllocatedBytes) / items,
            cell.CountsWireBytes ? (double)runs.Sum(run => run.WireBytes) / operations : null,
            cell.CountsKeptBytes ? runs.Sum(run => run.KeptBytes) / items : null);
    }
}
