using Datacake.Benchmarks;
using Datacake.Benchmarks.Measuring;
using Datacake.Benchmarks.Reporting;
using Datacake.Benchmarks.SignalR;

if (args is ["--help" or "-h"])
{
    Console.WriteLine(CommandLine.Usage);
    return 0;
}

if (args is [SignalRServer.Command, ..])
    return await SignalRServer.RunAsync(args);

CommandLine commands;
IReadOnlyList<Func<Runner, Task>> workloads;
SavedRun? before;
try
{
    commands = CommandLine.Parse(args);
    workloads = Workloads.Find(commands.Workload);
    before = commands.Compare is null ? null : SavedRun.Read(commands.Compare);
}
catch (FormatException e)
{
    Console.Error.WriteLine($"{e.Message}\n\n{CommandLine.Usage}");
    return 2;
}

#if DEBUG
Console.Error.WriteLine("This is a debug build, which is slow: run it with -c Release.");
#endif

using var listeners = commands.HasTelemetry ? new TelemetryListeners() : null;
var progress = new Progress(Console.Error, showsSteps: !Console.IsErrorRedirected);
var table = new ResultTable(Console.Out);
var json = new JsonLines(Console.Out);
var chart = new BarChart();
var slower = new List<string>();
using var runner = new Runner(commands.IsQuick ? Pace.Quick : Pace.Full, commands.Filter, progress, result =>
{
    if (commands.IsJson)
        json.Write(result);
    else
        table.Write(result);
    chart.Add(result);
    slower.AddRange(before?.FindSlower(result) ?? []);
});

runner.IsPlanning = true;
foreach (var run in workloads)
    await run(runner);
runner.IsPlanning = false;
foreach (var run in workloads)
    await run(runner);

progress.End();
if (!commands.IsJson)
    table.WriteSummary();
if (commands.Plot is not null)
{
    using var file = File.CreateText(commands.Plot);
    chart.Write(file);
}
foreach (string cell in slower)
    Console.Error.WriteLine($"SLOWER {cell}");
if (before is not null && slower.Count == 0)
    Console.Error.WriteLine($"Nothing has become slower than in {commands.Compare}, beyond noise.");
return runner.HasFailures ? 1 : slower.Count > 0 ? 3 : 0;
