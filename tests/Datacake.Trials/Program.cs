using System.Runtime.InteropServices;
using Datacake.Trials.Attacks;
using Datacake.Trials.Driving;
using Datacake.Trials.Trials;
using Datacake.Trials.Worker;

if (args is ["node"])
    return await WorkerMode.RunAsync();
if (args is ["attacker", var kind, var target, var attackersSecret])
    return await Attacker.RunAsync(kind, target, attackersSecret);

if (args is ["projector", var folder, var port, var database, var projectorSeed])
    return await Projector.RunAsync(folder, port, database, projectorSeed);

if (args is [] or ["--help" or "-h", ..] || TrialList.Find(args[0]) is not { } trial)
{
    TrialList.WriteHelp(args is [] or ["--help" or "-h", ..] ? Console.Out : Console.Error, args);
    return args is ["--help" or "-h", ..] ? 0 : 2;
}

var options = new Dictionary<string, string>();
for (int i = 1; i < args.Length; i++)
{
    string name = args[i].StartsWith("--", StringComparison.Ordinal) ? args[i][2..] : "";
    if (!trial.Options.Concat(["seed", "folder"]).Contains(name))
    {
        Console.Error.WriteLine($"The trial {trial.Name} has no option '{args[i]}'. Run with --help for the list of options.");
        return 2;
    }
    options[name] = i + 1 < args.Length && !args[i + 1].StartsWith("--", StringComparison.Ordinal) ? args[++i] : "";
}

using var stopping = new CancellationTokenSource();
using var interrupted = PosixSignalRegistration.Create(PosixSignal.SIGINT, Stop);
using var terminated = PosixSignalRegistration.Create(PosixSignal.SIGTERM, Stop);

await using var run = new TrialRun(trial.Name, options, stopping.Token);
run.Verdict.Say($"{trial.Name}, seed {run.Seed}");
var running = trial.RunAsync(run);
try
{
    await running.WaitAsync(stopping.Token);
}
catch (OperationCanceledException) when (stopping.IsCancellationRequested)
{
    Console.WriteLine("Stopped.");
    // The trial unwinds by itself, unless it waits for a node that ends only now.
    await Task.WhenAny(running, Task.Delay(TimeSpan.FromSeconds(3)));
    return 130;
}
catch (Exception e)
{
    run.Verdict.Require(false, $"the trial runs to its end; it failed with {e.GetType().Name}: {e.Message}");
    Console.Error.WriteLine(e);
}
run.Verdict.Conclude(trial.Name);
return run.Verdict.IsPassed ? 0 : 1;

void Stop(PosixSignalContext context)
{
    context.Cancel = true;
    stopping.Cancel();
}
