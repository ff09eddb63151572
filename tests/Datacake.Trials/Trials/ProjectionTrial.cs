using System.Diagnostics;
using System.Globalization;
using Datacake.Data;
using Datacake.EventualConsistency;
using Datacake.Node;
using Datacake.PostgreSql.Projection;
using Datacake.Tests;
using Datacake.Trials.Driving;
using Datacake.Trials.Network;
using Datacake.Trials.Worker;
using Npgsql;

namespace Datacake.Trials.Trials;

/// <summary>
/// A trial of a projection into PostgreSQL: the rate of a load, the lag while the table follows a steady rate of saves, and the equality of table and store after the process of the projection and the
/// database were killed again and again.
/// </summary>
static class ProjectionTrial
{
    const int Writers = 32, Batch = 10_000;
    static readonly TimeSpan Patience = TimeSpan.FromMinutes(10);

    public static async Task RunAsync(TrialRun run)
    {
        await using var server = await PostgreSqlServer.StartAsync();
        await MeasureAsync(run, server.ConnectionString);
        await server.CreateDatabaseAsync("kills");
        await KillAsync(run, server, server.ConnectionStringOf("kills"));
    }

    static async Task MeasureAsync(TrialRun run, string connectionString)
    {
        int rows = run.Number("rows", 1_000_000), rate = run.Number("rate", 2_000), seconds = run.Number("seconds", 30);
        await using var node = await Projector.StartNodeAsync(run.SubFolder("measured"), run.LoopbackPort);
        await using var source = NpgsqlDataSource.Create(connectionString);
        long start = Stopwatch.GetTimestamp();
        for (int first = 0; first < rows; first += Batch)
        {
            await using var db = new SalesContext(node);
            db.Sales.PutRange(Enumerable.Range(first + 1, Math.Min(Batch, rows - first)).Select(static id => Sale.Of(id, id, DateTimeOffset.UtcNow)));
            await db.SaveChangesAsync(Consistency.None, run.Cancellation);
        }
        run.Verdict.Say(FormattableString.Invariant($"{rows:N0} entities were saved in {Stopwatch.GetElapsedTime(start).TotalSeconds:F1} s"));

        start = Stopwatch.GetTimestamp();
        var processor = Process.GetCurrentProcess().TotalProcessorTime;
        await using var projection = await Projector.StartAsync(node, connectionString, Projector.LongLease);
        await WaitAsync(run, () => Task.FromResult(projection.Status[0].Loads == 1), "the load is complete");
        double load = rows / Stopwatch.GetElapsedTime(start).TotalSeconds;
        double each = (Process.GetCurrentProcess().TotalProcessorTime - processor).TotalMicroseconds / rows;
        run.Verdict.Require(
            load >= 50_000,
            FormattableString.Invariant($"the load writes 50,000 rows per second or more ({load:N0}, from the start of the projection to the commit; {each:F1} µs of processor time of the node for each)"));
        await RequireEqualAsync(run, node, source, "after the load");

        var lags = new List<double>();
        using var saving = CancellationTokenSource.CreateLinkedTokenSource(run.Cancellation);
        start = Stopwatch.GetTimestamp();
        long saved = 0;
        var writing = Task.WhenAll(Enumerable.Range(0, Writers).Select(writer => Task.Run(() => SaveAsync(writer))));
        while (Stopwatch.GetElapsedTime(start).TotalSeconds < seconds)
        {
            await run.WaitAsync(TimeSpan.FromMilliseconds(100));
            await using var command = source.CreateCommand("SELECT extract(epoch FROM clock_timestamp() - max(saved_at))::float8 FROM sales WHERE id > $1");
            command.Parameters.Add(new NpgsqlParameter { Value = (long)rows });
            if (await command.ExecuteScalarAsync(run.Cancellation) is double lag)
                lags.Add(lag);
        }
        await saving.CancelAsync();
        await writing;
        double reached = saved / Stopwatch.GetElapsedTime(start).TotalSeconds;
        lags.Sort();
        run.Verdict.Require(reached >= 0.95 * rate, FormattableString.Invariant($"{rate:N0} saves per second are made ({reached:N0})"));
        run.Verdict.Require(
            lags[^1] < 1,
            FormattableString.Invariant($"the newest row is less than 1 s old at all times (median {lags[lags.Count / 2]:F3} s, 99th percentile {lags[lags.Count * 99 / 100]:F3} s, maximum {lags[^1]:F3} s)"));
        await RequireEqualAsync(run, node, source, "after the saves");

        async Task SaveAsync(int writer)
        {
            for (long done = 0; !saving.IsCancellationRequested; done++)
            {
                var due = TimeSpan.FromSeconds((done + ((double)writer / Writers)) * Writers / rate) - Stopwatch.GetElapsedTime(start);
                if (due > TimeSpan.Zero)
                    await Task.Delay(due, saving.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
                if (saving.IsCancellationRequested)
                    break;
                // Half of the saves are of new entities.
                long id = done % 2 == 0 ? (done * Writers) + writer + rows + 1 : (done * 7919 % rows) + 1;
                await SalesContext.ChangeAsync(node, Sale.Of(id, done, DateTimeOffset.UtcNow), isDelete: false, run.Cancellation);
                Interlocked.Increment(ref saved);
            }
        }
    }

    static async Task KillAsync(TrialRun run, PostgreSqlServer server, string connectionString)
    {
        int kills = run.Number("kills", 20), killed = 0, crashed = 0;
        string folder = run.SubFolder("killed");
        for (int round = 0; round < kills; round++)
        {
            var started = DateTime.UtcNow;
            using var process = Start(run, folder, connectionString, round);
            // Now and then, the process is killed while it starts.
            if (run.Random.Next(4) > 0)
                await WaitAsync(run, () => HasMovedAsync(connectionString, started), "the projection makes progress");
            await run.WaitAsync(TimeSpan.FromSeconds(2 * run.Random.NextDouble()));
            if (run.Random.Next(3) == 0)
            {
                await server.CrashAsync();
                await run.WaitAsync(TimeSpan.FromSeconds(run.Random.NextDouble()));
                await server.ResumeAsync();
                await run.WaitAsync(TimeSpan.FromSeconds(1 + run.Random.NextDouble()));
                crashed++;
            }
            Native.Signal(process.Id, Native.SigKill);
            await process.WaitForExitAsync(run.Cancellation);
            killed++;
        }
        await using var source = NpgsqlDataSource.Create(connectionString);
        await using var node = await Projector.StartNodeAsync(folder, run.LoopbackPort);
        await using var projection = await Projector.StartAsync(node, connectionString, Projector.ShortLease);
        await RequireEqualAsync(run, node, source, $"after {killed} kills of the process and {crashed} crashes of the database");
        run.Verdict.Say($"the last process has loaded the table {projection.Status[0].Loads} times");
    }

    /// <summary>Returns true if the projection has committed something since a time.</summary>
    static async Task<bool> HasMovedAsync(string connectionString, DateTime since)
    {
        try
        {
            await using var source = NpgsqlDataSource.Create(connectionString);
            await using var command = source.CreateCommand("SELECT count(*) FROM datacake_projection WHERE updated_at > $1 AND position IS NOT NULL");
            command.Parameters.Add(new NpgsqlParameter { Value = since });
            return await command.ExecuteScalarAsync() is > 0L;
        }
        catch (NpgsqlException)
        {
            return false;
        }
    }

    static Process Start(TrialRun run, string folder, string connectionString, int round) =>
        Process.Start(new ProcessStartInfo(
            Path.Combine(AppContext.BaseDirectory, "Datacake.Trials"),
            ["projector", folder, run.LoopbackPort.ToString(CultureInfo.InvariantCulture), connectionString, HashCode.Combine(run.Seed, round).ToString(CultureInfo.InvariantCulture)])
        { RedirectStandardInput = true })!;

    /// <summary>Requires that the table becomes equal to the store, row by row.</summary>
    static async Task RequireEqualAsync(TrialRun run, DatacakeNode node, NpgsqlDataSource source, string when)
    {
        var stored = new HashSet<string>();
        await using (var db = new SalesContext(node))
        {
            await foreach (var sale in db.Sales.AsNoTracking().AsAsyncEnumerable().WithCancellation(run.Cancellation))
                stored.Add(sale.Row);
        }
        (int missing, int extra) = (0, 0);
        await WaitAsync(
            run,
            async () =>
            {
                (int rows, int equal) = (0, 0);
                try
                {
                    await using var command = source.CreateCommand(
                        "SELECT id || '|' || customer || '|' || total::numeric(20,2) || '|' || quantity || '|' || (extract(epoch FROM saved_at) * 1000000)::bigint + 62135596800000000 || '|' || "
                            + "(SELECT coalesce(string_agg(t, ','), '') FROM jsonb_array_elements_text(tags) t) FROM sales");
                    await using var reader = await command.ExecuteReaderAsync(run.Cancellation);
                    for (; await reader.ReadAsync(run.Cancellation); rows++)
                        equal += stored.Contains(reader.GetString(0)) ? 1 : 0;
                }
                catch (NpgsqlException)
                {
                    return false;
                }
                (missing, extra) = (stored.Count - equal, rows - equal);
                return missing == 0 && extra == 0;
            },
            null);
        run.Verdict.Require(missing == 0 && extra == 0 && stored.Count > 0, $"the table equals the store row by row {when} ({stored.Count:N0} rows; {missing} missing, {extra} too many)");
    }

    static async Task WaitAsync(TrialRun run, Func<Task<bool>> condition, string? what)
    {
        long start = Stopwatch.GetTimestamp();
        while (!await condition())
        {
            if (Stopwatch.GetElapsedTime(start) > Patience)
            {
                if (what is not null)
                    run.Verdict.Require(false, $"{what} within {Patience.TotalMinutes} minutes");
                return;
            }
            await run.WaitAsync(TimeSpan.FromMilliseconds(50));
        }
    }
}
