using Datacake.Trials.Driving;
namespace Datacake.Trials.Trials;
static class NatTrial { public static Task RunAsync(TrialRun run) => Task.CompletedTask; }
