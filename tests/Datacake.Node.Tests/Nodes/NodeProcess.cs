using System.Diagnostics;
using System.Globalization;
using System.Reflection;

namespace Datacake.Node.Tests;

/// <summary>
/// A node with default options in a process of its own, which prints its view of the others. The process runs the executable of the tests, whose
/// entry point calls <see cref="TryRunAsync"/> before it runs any test.
/// </summary>
sealed class NodeProcess : IDisposable
{
    const string Argument = "--run-node";

    readonly Process _process;
    readonly List<string> _said = [];

    NodeProcess(Process process) => _process = process;

    /// <summary>Runs the node, if the arguments ask for it, until a line or the end of the input arrives.</summary>
    /// <returns>True if the arguments asked for the node; then the entry point should return.</returns>
    public static async Task<bool> TryRunAsync(string[] args)
    {
        if (args is not [Argument, var nodeId, .. var seeds])
            return false;
        await using var node = await DatacakeNode.StartAsync(
            options => options.WithNodeId(int.Parse(nodeId, CultureInfo.InvariantCulture)).ListenOn("127.0.0.1:0").WithSeeds(seeds));
        Console.WriteLine($"listens {node.Address}");
        var watching = Task.Run(async () =>
        {
            await foreach (var change in node.WatchMembersAsync())
                Console.WriteLine($"{change.Member.NodeId} {change.Member.State}");
        });
        await Console.In.ReadLineAsync();
        await node.DisposeAsync();
        await watching;
        return true;
    }

    public static NodeProcess Start(int nodeId, params string[] seeds)
    {
        var host = Environment.ProcessPath ?? throw new InvalidOperationException("This process has no executable.");
        var start = new ProcessStartInfo(host) { RedirectStandardInput = true, RedirectStandardOutput = true };
        if (Path.GetFileNameWithoutExtension(host) == "dotnet")
            start.ArgumentList.Add(Assembly.GetEntryAssembly()!.Location);
        foreach (var argument in (string[])[Argument, nodeId.ToString(CultureInfo.InvariantCulture), .. seeds])
            start.ArgumentList.Add(argument);
        return new NodeProcess(Process.Start(start)!);
    }

    /// <summary>Reads output until a line has the given prefix, and returns the rest of that line.</summary>
    public async Task<string> ExpectAsync(string beginning, TimeSpan timeout)
    {
        using var deadline = CancellationTokenSource.CreateLinkedTokenSource(TestContext.Current.CancellationToken);
        deadline.CancelAfter(timeout);
        try
        {
            while (await _process.StandardOutput.ReadLineAsync(deadline.Token) is { } line)
            {
                _said.Add(line);
                if (line.StartsWith(beginning, StringComparison.Ordinal))
                    return line[beginning.Length..];
            }
        }
        catch (OperationCanceledException) when (!TestContext.Current.CancellationToken.IsCancellationRequested)
        {
            throw new TimeoutException($"The process did not print '{beginning}' within {timeout}. It printed: {string.Join("; ", _said)}");
        }
        throw new InvalidOperationException($"The process ended unexpectedly. It printed: {string.Join("; ", _said)}");
    }

    public void Kill() => _process.Kill();

    /// <summary>Asks the process to leave the cluster.</summary>
    public Task LeaveAsync() => _process.StandardInput.WriteLineAsync();

    public void Dispose()
    {
        if (!_process.HasExited)
            _process.Kill();
        _process.Dispose();
    }
}
