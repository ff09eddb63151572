using System.Diagnostics;

namespace Datacake.Quickstart.Tests;

public sealed class ProcessTests
{
    static readonly TimeSpan Deadline = TimeSpan.FromSeconds(60);

    [Theory]
    [InlineData("sqlite")]
    [InlineData("memory")]
    public async Task Three_processes_converge_even_after_one_is_killed(string storage)
    {
        using var folder = new TemporaryFolder();
        using var reserved = new ReservedAddresses();
        string[] addresses = reserved.Next(3);
        var processes = new QuickstartProcess[3];
        try
        {
            for (int i = 0; i < processes.Length; i++)
                processes[i] = Start(i);
            for (int i = 0; i < processes.Length; i++)
                await processes[i].ExpectAsync($"node {i + 1} listens at {addresses[i]}");

            await WriteAsync(processes[0], "load");
            await WriteAsync(processes[1], "put greeting Hello, world!");
            await ConvergeAsync(processes);
            Assert.Equal("greeting = Hello, world!", await processes[2].AskAsync("get greeting", "greeting"));

            await processes[2].KillAsync();
            await processes[0].ExpectAsync("Down: node 3");
            await WriteAsync(processes[0], "put greeting Good evening!");
            await WriteAsync(processes[1], "put farewell Good night!");
            await processes[2].DisposeAsync();
            processes[2] = Start(2);
            await processes[2].ExpectAsync("node 3 listens");
            await ConvergeAsync(processes);
            Assert.Equal("greeting = Good evening!", await processes[2].AskAsync("get greeting", "greeting"));
            Assert.Equal("farewell = Good night!", await processes[2].AskAsync("get farewell", "farewell"));

            await processes[1].SendAsync("quit");
            await processes[0].ExpectAsync("Left: node 2");
            foreach (var process in processes)
                Assert.True(await process.EndAsync() == 0, process.Output);
        }
        finally
        {
            foreach (var process in processes)
            {
                if (process is not null)
                    await process.DisposeAsync();
            }
        }

        QuickstartProcess Start(int i) => QuickstartProcess.Start(
            ["--node", $"{i + 1}", "--listen", addresses[i], "--seeds", string.Join(',', addresses), "--storage", storage, "--data", folder.Path]);
    }

    [Fact]
    public async Task Process_that_is_asked_to_stop_leaves_the_cluster()
    {
        if (OperatingSystem.IsWindows())
            Assert.Skip("SIGTERM does not exist on Windows.");
        await using var process = QuickstartProcess.Start(["--node", "1", "--storage", "memory"]);
        await process.ExpectAsync("node 1 listens");
        using var kill = Process.Start("kill", ["-TERM", $"{process.Id}"]);
        await process.ExpectAsync("node 1 leaves");
        Assert.Equal(0, await process.EndAsync());
    }

    /// <summary>Repeats a write command until its level can be satisfied. Right after a start or a crash, it may not be.</summary>
    static async Task WriteAsync(QuickstartProcess process, string command)
    {
        long started = TimeProvider.System.GetTimestamp();
        while (!(await process.AskAsync(command, "stored by nodes", "failed: ")).StartsWith("stored", StringComparison.Ordinal))
            Assert.True(TimeProvider.System.GetElapsedTime(started) < Deadline, process.Output);
    }

    static async Task ConvergeAsync(QuickstartProcess[] processes)
    {
        long started = TimeProvider.System.GetTimestamp();
        while (true)
        {
            var tables = new List<string>();
            for (int i = 0; i < processes.Length; i++)
                tables.Add((await processes[i].AskAsync("table", $"node {i + 1}  "))["node 1".Length..]);
            if (tables.Distinct().Count() == 1)
                return;
            Assert.True(TimeProvider.System.GetElapsedTime(started) < Deadline, string.Join('\n', tables));
        }
    }
}
