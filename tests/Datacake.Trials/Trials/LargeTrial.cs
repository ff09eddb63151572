using Datacake.EventualConsistency;
using Datacake.Trials.Driving;
using Datacake.Trials.Worker;

namespace Datacake.Trials.Trials;

/// <summary>
/// A trial in which three nodes that are cut off from each other add entries of several megabytes to one document. Each copy stays below the limit,
/// but the merged document exceeds it. The document must reach every node, including one that joins afterwards, and block nothing.
/// </summary>
static class LargeTrial
{
    const int EntryLength = 3_300_000, EntriesPerNode = 4, Nodes = 3, OverLimit = 9_000_000, MaxLength = 16 * 1024 * 1024;
    const long Total = (long)EntryLength * EntriesPerNode * Nodes;
    static readonly TimeSpan Wait = TimeSpan.FromSeconds(60);

    public static async Task RunAsync(TrialRun run)
    {
        var cluster = await Cluster.OnWireAsync(run, Nodes + 1, run.Folder);
        var first = cluster.Nodes.Take(Nodes).ToArray();
        var joining = cluster[Nodes];
        foreach (var node in cluster.Nodes)
        {
            node.Settings = node.Settings with
            {
                Seeds = [.. Enumerable.Range(1, Nodes).Select(Cluster.SeedOf)],
                MaxDocumentLength = MaxLength,
            };
        }
        await Task.WhenAll(first.Select(node => node.StartAsync()));
        await Task.WhenAll(first.Select(node => node.RequireAsync(new Command(CommandKind.AwaitJoined))));
        await cluster.MeetAsync(Wait, first);
        await first[0].RequireAsync(new Command(CommandKind.SetEntry) { Number = 1, Key = "first", Length = 10, Level = Consistency.All });

        foreach (var node in first)
            cluster.Wire!.Unplug(node.Host!);
        for (int entry = 0; entry < EntriesPerNode; entry++)
        {
            foreach (var node in first)
            {
                var saved = await node.SendAsync(new Command(CommandKind.SetEntry) { Number = 1, Key = $"n{node.Id}-{entry}", Length = EntryLength, Level = Consistency.None });
                run.Verdict.Require(saved.IsDone, $"node {node.Id}, while cut off, adds {EntryLength / 1e6:F1} MB (its copy then has {(entry + 1) * EntryLength / 1e6:F1} MB){saved.Problem}");
            }
        }
        await first[0].RequireAsync(new Command(CommandKind.Put) { Number = 5, Value = "small", Level = Consistency.None });
        var refused = await first[0].SendAsync(new Command(CommandKind.SetEntry) { Number = 1, Key = "over", Length = OverLimit, Level = Consistency.None });
        string message = refused.Message ?? "";
        bool namesLimit = message.Contains($"{MaxLength}", StringComparison.Ordinal) || message.Contains(FormattableString.Invariant($"{MaxLength:N0}"), StringComparison.Ordinal)
            || message.Contains("16 MiB", StringComparison.Ordinal);
        run.Verdict.Require(!refused.IsDone && namesLimit,
            $"a local write that makes the document larger than 16 MiB is refused, and the error names the limit: {refused.Error}: {refused.Message}");

        cluster.Wire!.Heal();
        var took = await cluster.MeasureAsync(async () => (await SizesAsync(first)).All(size => size >= Total), Wait);
        run.Verdict.Require(took < Wait, $"all nodes have the document of {Total / 1e6:F0} MB within 60 s of the heal ({took.TotalSeconds:F1} s; sizes {string.Join(", ", await SizesAsync(first))})");
        var small = await first[2].RequireAsync(new Command(CommandKind.Get) { Number = 5 });
        run.Verdict.Require(small.Value == "small", "another document written at the same time arrives, too");
        var again = await first[1].PutAsync(6, Consistency.All);
        run.Verdict.Require(again.IsDone, $"a save at All succeeds afterwards{again.Problem}");

        await joining.StartAsync();
        long start = TimeProvider.System.GetTimestamp();
        var joined = joining.SendAsync(new Command(CommandKind.AwaitJoined));
        bool hasJoined = await Task.WhenAny(joined, Task.Delay(Wait, run.Cancellation)) == joined;
        run.Verdict.Require(hasJoined, $"a fourth node joins within 60 s ({TimeProvider.System.GetElapsedTime(start).TotalSeconds:F1} s)");
        if (hasJoined)
        {
            took = await cluster.MeasureAsync(async () => (await SizesAsync(joining)).All(size => size >= Total), Wait);
            run.Verdict.Require(took < Wait, $"the fourth node has the document ({took.TotalSeconds:F1} s)");
        }
        await ReadAsync(run, first[1], Consistency.Quorum);
        await ReadAsync(run, first[2], Consistency.One);
    }

    static async Task ReadAsync(TrialRun run, ClusterNode node, Consistency level)
    {
        var read = await node.SendAsync(new Command(CommandKind.ReadAlbum) { Number = 1, Level = level });
        run.Verdict.Require(read.IsDone && read.Number >= Total, $"a read at {level} on node {node.Id} returns the document: {read.Number} bytes in {read.Milliseconds:F0} ms{read.Problem}");
    }

    static async Task<long[]> SizesAsync(params ClusterNode[] nodes) =>
        await Task.WhenAll(nodes.Select(async node => (await node.SendAsync(new Command(CommandKind.ReadAlbum) { Number = 1 })).Number));
}
