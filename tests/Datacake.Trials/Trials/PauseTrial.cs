using Datacake.Trials.Driving;
namespace Datacake.Trials.Trials;
static class PauseTrial { public static Task RunAsync(TrialRun run) => Task.CompletedTask; }
