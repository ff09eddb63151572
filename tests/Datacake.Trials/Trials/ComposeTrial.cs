using Datacake.Trials.Driving;
namespace Datacake.Trials.Trials;
static class ComposeTrial { public static Task RunAsync(TrialRun run) => Task.CompletedTask; }
