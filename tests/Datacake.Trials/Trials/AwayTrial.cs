using Datacake.Trials.Driving;
namespace Datacake.Trials.Trials;
static class AwayTrial { public static Task RunAsync(TrialRun run) => Task.CompletedTask; }
