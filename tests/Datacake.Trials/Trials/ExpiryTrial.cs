using Datacake.EventualConsistency;
using Datacake.Trials.Driving;
using Datacake.Trials.Worker;

namespace Datacake.Trials.Trials;

/// <summary>
/// A trial in which many documents of three nodes expire within a minute, while another keyspace is written. Two minutes after the first has expired, no store has a record of any of them, no file has
/// grown, and the writes ran at 80 % of their rate or more.
/// </summary>
static class ExpiryTrial
{
    const string Expiring = "expiring", Saved = "saved";
    const int Length = 100, Tasks = 16, Keys = 10_000, MeasuredSeconds = 20;
    static readonly TimeSpan Expiry = TimeSpan.FromMinutes(1), Removal = TimeSpan.FromMinutes(2);

    public static async Task RunAsync(TrialRun run)
    {
        int documents = run.Number("documents", 1_000_000);
        var filling = TimeSpan.FromSeconds(run.Number("filling", 180));
        var cluster = Cluster.OnLoopback(run, 3, run.Folder);
        await cluster.FormAsync();
        double before = await MeasureAsync(cluster, MeasuredSeconds);

        var start = DateTimeOffset.UtcNow + filling;
        await cluster[0].RequireAsync(new Command(CommandKind.Fill) { Keyspace = Expiring, Count = documents, Length = Length, Expires = start, Seconds = Expiry.TotalSeconds, Level = Consistency.All });
        run.Verdict.Require(DateTimeOffset.UtcNow < start, FormattableString.Invariant($"{documents:N0} documents are put before the first expires ({(start - DateTimeOffset.UtcNow).TotalSeconds:F0} s are left; raise --filling)"));
        // What is only in the write-ahead log yet goes into the file later.
        long[] lengths = [.. cluster.Nodes.Select(static node => node.FileLength + node.LogLength)];
        run.Verdict.Say(FormattableString.Invariant($"{documents:N0} documents are in files of {string.Join(", ", lengths.Select(static length => $"{length / 1e6:F0}"))} MB"));
        await run.WaitAsync(start - DateTimeOffset.UtcNow);

        double meanwhile = await MeasureAsync(cluster, Removal.TotalSeconds);
        run.Verdict.Require(meanwhile >= 0.8 * before, FormattableString.Invariant($"writes run at 80 % of their rate or more ({meanwhile:N0} and {before:N0} per second, {meanwhile / before:P0})"));
        foreach (var node in cluster.Nodes)
        {
            long alive = (await node.RequireAsync(new Command(CommandKind.Statistics) { Keyspace = Expiring })).Number;
            long records = (await node.RequireAsync(new Command(CommandKind.Tombstones) { Keyspace = Expiring })).Number;
            run.Verdict.Require(alive == 0 && records == 0, $"node {node.Id}: all documents are gone after {Removal.TotalSeconds} s ({alive:N0} are seen, {records:N0} records are left)");
            long length = node.FileLength, earlier = lengths[node.Id - 1];
            run.Verdict.Require(length <= earlier, FormattableString.Invariant($"node {node.Id}: the file has not grown ({earlier / 1e6:F0} to {length / 1e6:F0} MB)"));
        }
    }

    /// <summary>Returns the number of puts per second of tasks that write all the time.</summary>
    static async Task<double> MeasureAsync(Cluster cluster, double seconds)
    {
        var answer = await cluster[1].RequireAsync(new Command(CommandKind.PutFor) { Keyspace = Saved, Count = Tasks, Keys = Keys, Length = Length, Seconds = seconds, Level = Consistency.One });
        return answer.Number / seconds;
    }
}
