using Datacake.Trials.Driving;
namespace Datacake.Trials.Trials;
static class LargeTrial { public static Task RunAsync(TrialRun run) => Task.CompletedTask; }
