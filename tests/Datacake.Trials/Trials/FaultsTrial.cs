using Datacake.Trials.Driving;
namespace Datacake.Trials.Trials;
static class FaultsTrial { public static Task RunAsync(TrialRun run) => Task.CompletedTask; }
