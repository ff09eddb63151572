using Datacake.Trials.Driving;
namespace Datacake.Trials.Trials;
static class RestoresTrial { public static Task RunAsync(TrialRun run) => Task.CompletedTask; }
