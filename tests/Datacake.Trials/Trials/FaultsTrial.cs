using Datacake.Trials.Driving;
using Datacake.Trials.Trials.Faults;

namespace Datacake.Trials.Trials;

/// <summary>The faults that earlier field trials found, each as a scenario with its own verdict.</summary>
static class FaultsTrial
{
    static readonly (string Id, string What, Func<TrialRun, string, Task> RunAsync)[] All =
    [
        ("F1", "the first seed loses its disk and starts before the others", LostDisk.RunAsync),
        ("F2", "a fresh node is read before it has joined", EarlyReads.RunAsync),
        ("F3", "a document of 6 MB over a link of 4 Mbit/s", SlowLink.RunAsync),
        ("F3", "a document of 6 MB is sent over a link of 4 Mbit/s", SlowLink.RunAsync),
        ("F4", "a copy of a node's own file is restored", OldCopy.RunAsync),
        ("F7", "a connected node is retired", RetiredNode.RunAsync),
        ("F9", "a member that waits to join does not count", WaitingMember.RunAsync),
        ("F10", "restarts do not move the clock", RestartedClock.RunAsync),
    ];

    public static async Task RunAsync(TrialRun run)
    {
        string? only = run.Text("only");
        var chosen = All.Where(fault => only is null || fault.Id == only).ToArray();
        if (chosen.Length == 0)
            throw new ArgumentException($"The fault '{only}' does not exist. The faults are: {string.Join(", ", All.Select(fault => fault.Id))}.");
        foreach (var (id, what, runAsync) in chosen)
        {
            run.Verdict.Say($"{id}: {what}");
            try
            {
                await runAsync(run, run.SubFolder(id));
            }
            catch (Exception e) when (e is InvalidOperationException or TimeoutException)
            {
                run.Verdict.Require(false, $"{id} runs to its end; it failed with: {e.Message}");
            }
        }
    }
}
