using System.Globalization;
using Datacake.EventualConsistency.Tests.Fixtures;
using Datacake.Node;
using Datacake.Sqlite;

namespace Datacake.EventualConsistency.Tests.Killing;

/// <summary>Processes that are killed in the middle of writing: twice, or as often as the environment variable DATACAKE_KILLS says.</summary>
public sealed class KillTests : IDisposable
{
    const int WritesBetweenKills = 50;
    const long KeysPerRound = 1_000_000;

    static readonly int Kills =
        Environment.GetEnvironmentVariable("DATACAKE_KILLS") is { } count ? int.Parse(count, CultureInfo.InvariantCulture) : 2;

    readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("datacake-");
    readonly ReservedAddresses _reserved = new();
    readonly string[] _addresses;

    public KillTests() => _addresses = _reserved.Next(3);

    static CancellationToken Canceled => TestContext.Current.CancellationToken;

    public void Dispose()
    {
        _reserved.Dispose();
        _folder.Delete(recursive: true);
    }

    [Fact]
    public async Task Writes_acknowledged_by_a_killed_process_survive_on_its_node_and_its_peers()
    {
        var acknowledged = new List<long>();
        await using var second = await OpenAsync(2);
        await using var third = await OpenAsync(3);
        for (int round = 0; round < Kills; round++)
        {
            using var process = WritingProcess.Start(1, FileOf(1), round * KeysPerRound, "None", _addresses);
            acknowledged.AddRange(await process.ReadAcknowledgedAsync(WritesBetweenKills, Canceled));
            acknowledged.AddRange(await process.KillAsync(Canceled));
        }
        await using var first = await OpenAsync(1);
        await CheckAsync(acknowledged, first, second, third);
    }

    [Fact]
    public async Task Writes_acknowledged_by_three_processes_killed_at_once_survive_on_all_nodes()
    {
        var acknowledged = new List<long>();
        for (int round = 0; round < Kills; round++)
        {
            var processes = Enumerable.Range(0, 3).Select(
                i => WritingProcess.Start(i + 1, FileOf(i + 1), ((round * 3) + i) * KeysPerRound, "Quorum", _addresses)).ToList();
            try
            {
                foreach (var read in processes.Select(process => process.ReadAcknowledgedAsync(WritesBetweenKills, Canceled)).ToList())
                    acknowledged.AddRange(await read);
                foreach (var rest in processes.Select(process => process.KillAsync(Canceled)).ToList())
                    acknowledged.AddRange(await rest);
            }
            finally
            {
                processes.ForEach(process => process.Dispose());
            }
        }
        var nodes = await Task.WhenAll(OpenAsync(1), OpenAsync(2), OpenAsync(3));
        try
        {
            await CheckAsync(acknowledged, nodes);
        }
        finally
        {
            foreach (var node in nodes)
                await node.DisposeAsync();
        }
    }

    static async Task CheckAsync(List<long> acknowledged, params DatacakeNode[] nodes)
    {
        var stores = new List<ReplicatedStore>();
        foreach (var node in nodes)
            stores.Add(await node.OpenStoreAsync(cancellationToken: Canceled));
        await TestCluster.WaitUntilAsync(
            async () =>
            {
                var shown = new HashSet<(long, UInt128)>();
                foreach (var store in stores)
                {
                    var statistics = await store.Keyspace(WritingProcess.KeyspaceName).GetStatisticsAsync(Canceled);
                    shown.Add((statistics.Count, statistics.Fingerprint));
                }
                return shown.Count == 1 && stores.TrueForAll(store => store.Members.Count(member => member.IsUp) == stores.Count);
            },
            "all nodes show the same");
        foreach (var store in stores)
        {
            var keyspace = store.Keyspace(WritingProcess.KeyspaceName);
            foreach (long key in acknowledged)
            {
                var value = (await keyspace.GetAsync(key, Canceled))?.Value;
                Assert.True(value is { } bytes && bytes.Span.SequenceEqual(WritingProcess.ValueOf(key)), $"Node {store.Node.Id} has lost {key}.");
            }
        }
    }

    async Task<DatacakeNode> OpenAsync(int nodeId)
    {
        var node = await DatacakeNode.StartAsync(
            options => options.WithNodeId(nodeId).ListenOn(_addresses[nodeId - 1]).WithSeeds(_addresses).UseSqlite(FileOf(nodeId)), Canceled);
        await node.OpenStoreAsync(cancellationToken: Canceled);
        return node;
    }

    string FileOf(int nodeId) => Path.Combine(_folder.FullName, $"{nodeId}.db");
}
