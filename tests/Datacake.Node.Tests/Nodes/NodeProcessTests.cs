using System.Diagnostics;

namespace Datacake.Node.Tests;

/// <summary>Nodes with default options, each in a process of its own.</summary>
public sealed class NodeProcessTests(ITestOutputHelper output)
{
    static readonly TimeSpan Start = TimeSpan.FromSeconds(60);

    [Fact]
    public async Task A_process_that_is_killed_is_noticed_in_15_seconds_and_one_that_leaves_in_3()
    {
        using var first = NodeProcess.Start(1);
        var seed = await first.ExpectAsync("listens ", Start);
        using var second = NodeProcess.Start(2, seed);
        using var third = NodeProcess.Start(3, seed);
        using var fourth = NodeProcess.Start(4, seed);
        NodeProcess[] observers = [first, second];
        foreach (var observer in observers)
            await ExpectInAnyOrderAsync(observer, "3 Up", "4 Up");

        var begin = Stopwatch.GetTimestamp();
        await fourth.LeaveAsync();
        foreach (var observer in observers)
            await observer.ExpectAsync("4 Left", TimeSpan.FromSeconds(3) - Stopwatch.GetElapsedTime(begin));
        output.WriteLine($"left: noticed after {Stopwatch.GetElapsedTime(begin).TotalSeconds:F2} s");

        begin = Stopwatch.GetTimestamp();
        third.Kill();
        foreach (var observer in observers)
            await observer.ExpectAsync("3 Down", TimeSpan.FromSeconds(15) - Stopwatch.GetElapsedTime(begin));
        output.WriteLine($"killed: noticed after {Stopwatch.GetElapsedTime(begin).TotalSeconds:F2} s");
    }

    static async Task ExpectInAnyOrderAsync(NodeProcess process, string one, string other)
    {
        // What is said of one may come before or after what is said of the other.
        var seen = new HashSet<string>();
        while (seen.Count < 2)
        {
            var line = await process.ExpectAsync("", Start);
            if (line == one || line == other)
                seen.Add(line);
        }
    }
}
