using System.Diagnostics;
using System.Globalization;
using System.Reflection;
using System.Text;
using Datacake.Node;
using Datacake.Sqlite;

namespace Datacake.EventualConsistency.Tests.Killing;

/// <summary>
/// A node with a SQLite file in a process of its own, which writes without end and says what is acknowledged. The same executable as the tests,
/// whose entry point hands over to <see cref="TryRunAsync"/> before it runs any test.
/// </summary>
sealed class WritingProcess : IDisposable
{
    public const string KeyspaceName = "writes";

    const string Argument = "--write";
    const int Writers = 8;

    readonly Process _process;

    WritingProcess(Process process) => _process = process;

    /// <summary>Runs as that process, if the arguments ask for it, until it is killed.</summary>
    public static async Task<bool> TryRunAsync(string[] args)
    {
        if (args is not [Argument, var nodeId, var file, var firstKey, var level, .. var addresses])
            return false;
        int id = int.Parse(nodeId, CultureInfo.InvariantCulture);
        await using var node = await DatacakeNode.StartAsync(
            options => options.WithNodeId(id).ListenOn(addresses[id - 1]).WithSeeds(addresses).UseSqlite(file)
                .WithStore(store => store.AcknowledgementTimeout = TestCluster.Deadline));
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
                    await Task.Yield();         // the others are not up yet
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

    /// <summary>Reads on until so many further writes are acknowledged.</summary>
    public async Task<List<long>> ReadAcknowledgedAsync(int count, CancellationToken cancellationToken)
    {
        var acknowledged = new List<long>();
        while (acknowledged.Count < count)
            acknowledged.Add(Parse(await _process.StandardOutput.ReadLineAsync(cancellationToken)
                ?? throw new InvalidOperationException("The process has ended by itself.")));
        return acknowledged;
    }

    /// <summary>Ends it without warning.</summary>
    /// <returns>What it said before that and nobody has read.</returns>
    public async Task<List<long>> KillAsync(CancellationToken cancellationToken)
    {
        _process.Kill();
        // The last line may be cut off in the middle: that write is not acknowledged to anybody.
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
