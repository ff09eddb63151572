using System.Diagnostics;

namespace Datacake.Node.Tests;

/// <summary>Nodes with default options, each in a process of its own. The test's output shows how soon others notice a killed or leaving node.</summary>
public sealed class NodeProcessTests(ITestOutputHelper output)
{
    static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    [Fact]
    public async Task Killed_process_is_detected_and_distinguished_from_one_that_leaves()
    {
        using var first = NodeProcess.Start(1);
        var seed = await first.ExpectAsync("listens ", Patience);
        using var second = NodeProcess.Start(2, seed);
        using var third = NodeProcess.Start(3, seed);
        using var fourth = NodeProcess.Start(4, seed);
        NodeProcess[] observers = [first, second];
        foreach (var observer in observers)
            await ExpectInAnyOrderAsync(observer, "3 Up", "4 Up");

        var begin = Stopwatch.GetTimestamp();
        await fourth.LeaveAsync();
        foreach (var observer in observers)
            await observer.ExpectAsync("4 Left", Patience);
        output.WriteLine($"left: noticed after {Stopwatch.GetElapsedTime(begin).TotalSeconds:F2} s");

        begin = Stopwatch.GetTimestamp();
        third.Kill();
        foreach (var observer in observers)
            await observer.ExpectAsync("3 Down", Patience);
        output.WriteLine($"killed: noticed after {Stopwatch.GetElapsedTime(begin).TotalSeconds:F2} s");
    }

    static async Task ExpectInAnyOrderAsync(NodeProcess process, string one, string other)
    {
        // The reports about the two nodes may come in either order.
        var seen = new HashSet<string>();
        while (seen.Count < 2)
        {
            var line = await process.ExpectAsync("", Patience);
            if (line == one || line == other)
                seen.Add(line);
        }
    }
}
