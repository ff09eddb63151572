using Datacake.Node.Membership;
using Datacake.Sqlite;
using Datacake.Storage;

namespace Datacake.Node.Tests;

/// <summary>The memory of other nodes that nodes with a store keep across restarts.</summary>
public sealed class MemberRecordStoreTests : IAsyncLifetime
{
    static TimeSpan Soon => Eventually.Deadline;

    readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("datacake-members-");
    readonly List<DatacakeNode> _nodes = [];
    readonly ReservedAddresses _addresses = new();
    readonly CollectingLog _log = new();

    static CancellationToken Stop => TestContext.Current.CancellationToken;

    public ValueTask InitializeAsync() => ValueTask.CompletedTask;

    public async ValueTask DisposeAsync()
    {
        await Task.WhenAll(_nodes.Select(node => node.StopAbruptlyAsync().AsTask()));
        _addresses.Dispose();
        _folder.Delete(recursive: true);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Restarted_node_finds_its_peers_even_if_no_seed_can_be_reached(bool wasKilled)
    {
        var seed = await StartAsync(1, []);
        var second = await StartAsync(2, [seed.Address]);
        var third = await StartAsync(3, [seed.Address]);
        await third.WaitForNodesAsync(3, Soon, Stop);
        await second.WaitForNodesAsync(3, Soon, Stop);
        await seed.DisposeAsync();
        await (wasKilled ? third.StopAbruptlyAsync() : third.DisposeAsync());

        // The peer has another address, so that only the restarted node can find the other one.
        var restarted = await StartAsync(3, [seed.Address]);
        await restarted.WaitForNodesAsync([2, 3], Soon, Stop);
        await second.UntilAsync(members => members.Any(member => member.IsUp && member.Address == restarted.Address));
    }

    [Fact]
    public async Task Member_that_is_down_stays_a_member_when_the_others_restart()
    {
        var (first, second) = (await StartAsync(1, [], "north"), await StartAsync(2, [_nodes[0].Address], "south"));
        await first.WaitForNodesAsync(2, Soon, Stop);
        var known = first.Members[1];
        await second.StopAbruptlyAsync();
        await first.DisposeAsync();

        var restarted = await StartAsync(1, [], "north");
        Assert.Equal([(byte)1, 2], restarted.Members.Select(member => member.NodeId));
        var member = restarted.Members[1];
        Assert.Equal(
            (known.Address, "south", known.Generation, MemberState.Down),
            (member.Address, member.DataCenter, member.Generation, member.State));
        Assert.Equal("b", member.Labels["a"]);
    }

    [Fact]
    public async Task Next_run_of_a_node_has_a_greater_generation_even_if_its_clock_went_back()
    {
        var time = new ShiftedTime(TimeSpan.Zero);
        var first = await StartAsync(1, [], time: time);
        await first.StopAbruptlyAsync();
        time.Offset = -TimeSpan.FromHours(1);
        Assert.Equal(first.Generation + 1, (await StartAsync(1, [], time: time)).Generation);
    }

    [Fact]
    public async Task Member_that_has_left_is_remembered_as_left()
    {
        var (first, second) = (await StartAsync(1, []), await StartAsync(2, [_nodes[0].Address]));
        foreach (var node in _nodes)
            await node.WaitForNodesAsync(2, Soon, Stop);
        await second.DisposeAsync();
        await first.UntilAsync(members => members[1].State == MemberState.Left);
        await first.DisposeAsync();
        Assert.Equal(MemberState.Left, (await StartAsync(1, [])).Members[1].State);
    }

    [Fact]
    public async Task Node_moved_to_another_cluster_does_not_look_for_members_of_the_old_one()
    {
        var (first, _) = (await StartAsync(1, []), await StartAsync(2, [_nodes[0].Address]));
        await first.WaitForNodesAsync(2, Soon, Stop);
        await first.DisposeAsync();
        var moved = await StartAsync(1, [], clusterId: "another");
        Assert.Single(moved.Members);
        const string Reason = "it belongs to cluster 'datacake', but this node belongs to cluster 'another'";
        Assert.Contains(_log.Messages, line => line.Contains(Reason, StringComparison.Ordinal));
    }

    [Fact]
    public async Task Node_starts_even_if_another_cluster_uses_a_remembered_address()
    {
        var (first, second) = (await StartAsync(1, []), await StartAsync(2, [_nodes[0].Address]));
        await first.WaitForNodesAsync(2, Soon, Stop);
        await first.DisposeAsync();
        await second.DisposeAsync();
        await StartAsync(7, [], clusterId: "another", address: second.Address);
        var restarted = await StartAsync(1, []);
        Assert.Equal([(byte)1, 2], restarted.Members.Select(member => member.NodeId));
    }

    [Theory]
    [InlineData("")]
    [InlineData("07")]
    [InlineData("02 0800 6461746163616b65 0100000000000000 0000000000000000 0000 0000")]
    [InlineData("02 0800 6461746163616b65 0100000000000000 0000000000000000 0000 0000 53b00003")]
    [InlineData("02 0800 6461746163616b65 0100000000000000 0000000000000000 ffff 0102030405")]
    public async Task Damaged_table_is_logged_and_not_used(string hex)
    {
        await using (var storage = new SqliteStorage(FileOf(1)))
        {
            var batch = new WriteBatch();
            batch.Put(NodeLayout.MemberRecordKey, MemberRecordStore.WithChecksum(Convert.FromHexString(hex.Replace(" ", "", StringComparison.Ordinal))));
            await storage.CommitAsync(batch, Durability.Flushed, Stop);
        }

        Assert.Single((await StartAsync(1, [])).Members);
        Assert.Contains(_log.Messages, line => line.Contains("is ignored because", StringComparison.Ordinal)
            && line.Contains(Path.GetFileName(FileOf(1)), StringComparison.Ordinal));
    }

    [Fact]
    public async Task Flipped_bit_in_the_table_never_yields_a_different_address()
    {
        var (first, _) = (await StartAsync(1, []), await StartAsync(2, [_nodes[0].Address]));
        await first.WaitForNodesAsync(2, Soon, Stop);
        await first.DisposeAsync();
        await using (var storage = new SqliteStorage(FileOf(1)))
        {
            using var snapshot = await storage.OpenSnapshotAsync(Stop);
            byte[] kept = (await snapshot.GetAsync(NodeLayout.MemberRecordKey, Stop))!.Value.ToArray();
            kept[Random.Shared.Next(kept.Length)] ^= (byte)(1 << Random.Shared.Next(8));
            var batch = new WriteBatch();
            batch.Put(NodeLayout.MemberRecordKey, kept);
            await storage.CommitAsync(batch, Durability.Flushed, Stop);
        }

        Assert.Single((await StartAsync(1, [])).Members);
        Assert.Contains(_log.Messages, line => line.Contains("its checksum is wrong", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Node_whose_storage_refuses_writes_keeps_running_and_logs_the_failure()
    {
        var first = await DatacakeNode.StartAsync(
            options => options.WithNodeId(1).ListenOn(_addresses.Next()).WithLoggerFactory(_log).UseStorage(() => new FullStorage()), Stop);
        _nodes.Add(first);
        var second = await StartAsync(2, [first.Address]);
        await second.WaitForNodesAsync(2, Soon, Stop);
        Assert.Contains(_log.Messages, line => line.Contains("The member list cannot be saved in a full store", StringComparison.Ordinal));
    }

    string FileOf(int nodeId) => Path.Combine(_folder.FullName, $"node-{nodeId}.db");

    async Task<DatacakeNode> StartAsync(
        int nodeId, string[] seeds, string dataCenter = "default", string clusterId = "datacake", string? address = null, TimeProvider? time = null)
    {
        var node = await DatacakeNode.StartAsync(
            options => options
                .WithNodeId(nodeId).ListenOn(address ?? _addresses.Next()).WithSeeds(seeds).InDataCenter(dataCenter).WithClusterId(clusterId).WithLabel("a", "b")
                .WithGossip(gossip => gossip.UseLocal()).WithLoggerFactory(_log).WithTimeProvider(time ?? TimeProvider.System).UseSqlite(FileOf(nodeId)),
            Stop);
        _nodes.Add(node);
        return node;
    }

    sealed class FullStorage : IStorage
    {
        readonly MemoryStorage _storage = new();

        public string Description => "a full store";

        public ValueTask<IStorageSnapshot> OpenSnapshotAsync(CancellationToken cancellationToken = default)
            => _storage.OpenSnapshotAsync(cancellationToken);

        public ValueTask CommitAsync(WriteBatch batch, Durability durability, CancellationToken cancellationToken = default)
            => throw new StorageException(StorageError.Full, "The disk is full.");

        public ValueTask DisposeAsync() => _storage.DisposeAsync();
    }
}
