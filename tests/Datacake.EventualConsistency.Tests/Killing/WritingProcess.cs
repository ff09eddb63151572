using System.Diagnostics;
using System.Globalization;
using System.Reflection;
using System.Text;
using Datacake.EventualConsistency.Tests.Fixtures;
using Datacake.Node;
using Datacake.Sqlite;

namespace Datacake.EventualConsistency.Tests.Killing;

/// <summary>
/// A node with a SQLite file in a process of its own, which writes endlessly and prints the acknowledged writes. The process runs the executable of
/// the tests, whose entry point calls <see cref="TryRunAsync"/> before it runs any test.
/// </summary>
sealed class WritingProcess : IDisposable
{
    public const string KeyspaceName = "writes";

    const string Argument = "--write";
    const int Writers = 8;

    readonly Process _process;

    WritingProcess(Process process) => _process = process;

    /// <summary>Runs the writing node until it is killed, if the arguments ask for it.</summary>
    public static async Task<bool> TryRunAsync(string[] args)
    {
        if (args is not [Argument, var nodeId, var file, var firstKey, var level, .. var addresses])
            return false;
        int id = int.Parse(nodeId, CultureInfo.InvariantCulture);
        await using var node = await DatacakeNode.StartAsync(
            options => options.WithNodeId(id).ListenOn(addresses[id - 1]).WithSeeds(addresses).UseSqlite(file)
                .WithStore(store => store.AcknowledgmentTimeout = TestCluster.Deadline));
        var store = await node.OpenStoreAsync();
        await store.Joined;
        var keyspace = store.Keyspace(KeyspaceName);
        long last = long.Parse(firstKey, CultureInfo.InvariantCulture);
        var consistency = level == "Quorum" ? Consistency.Quorum : Consistency.None;
        await Task.WhenAll(Enumerable.Range(0, Writers).Select(_ => WriteWithoutEndAsync()));
        return true;

        async Task WriteWithoutEndAsync()
        {
            while (true)
            {
                long key = Interlocked.Increment(ref last);
                try
                {
                    await keyspace.PutAsync(key, ValueOf(key), consistency);
                }
                catch (NotEnoughNodesException)
                {
                    await Task.Yield();         // The other nodes are not up yet.
                    continue;
                }
                Console.WriteLine(key);
            }
        }
    }

    public static byte[] ValueOf(long key) => Encoding.UTF8.GetBytes($"value of {key}");

    public static WritingProcess Start(int nodeId, string file, long firstKey, string level, string[] addresses)
    {
        string host = Environment.ProcessPath ?? throw new InvalidOperationException("This process has no executable.");
        var start = new ProcessStartInfo(host) { RedirectStandardOutput = true };
        if (Path.GetFileNameWithoutExtension(host) == "dotnet")
            start.ArgumentList.Add(Assembly.GetEntryAssembly()!.Location);
        var invariant = CultureInfo.InvariantCulture;
        foreach (string argument in (string[])[Argument, nodeId.ToString(invariant), file, firstKey.ToString(invariant), level, .. addresses])
            start.ArgumentList.Add(argument);
        return new WritingProcess(Process.Start(start)!);
    }

    /// <summary>Reads output until the given number of further writes is acknowledged.</summary>
    public async Task<List<long>> ReadAcknowledgedAsync(int count, CancellationToken cancellationToken)
    {
        var acknowledged = new List<long>();
        while (acknowledged.Count < count)
            acknowledged.Add(Parse(await _process.StandardOutput.ReadLineAsync(cancellationToken)
                ?? throw new InvalidOperationException("The process ended unexpectedly.")));
        return acknowledged;
    }

    /// <summary>Ends the process without warning.</summary>
    /// <returns>The writes that the process reported before its end and that have not been read yet.</returns>
    public async Task<List<long>> KillAsync(CancellationToken cancellationToken)
    {
        _process.Kill();
        // The last line may be incomplete: that write has not been acknowledged to anybody.
        string rest = await _process.StandardOutput.ReadToEndAsync(cancellationToken);
        await _process.WaitForExitAsync(cancellationToken);
        return [.. rest[..(rest.LastIndexOf('\n') + 1)].Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(Parse)];
    }

    public void Dispose()
    {
        if (!_process.HasExited)
            _process.Kill();
        _process.Dispose();
    }

    static long Parse(string line) => long.Parse(line, CultureInfo.InvariantCulture);
}
