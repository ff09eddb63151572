using Datacake.EventualConsistency.Tests.Fixtures;
using Datacake.Node;
using Datacake.Storage;

namespace Datacake.EventualConsistency.Tests.Joining;

/// <summary>Fresh nodes that join over real sockets and are interrupted in the middle.</summary>
public sealed class JoinTests
{
    const string Keyspace = "cakes";
    const int Documents = 20_000, DocumentLength = 600;

    /// <summary>The minimum number of documents that have arrived when the joining node is cut off. At most half of all documents have.</summary>
    const int DocumentsBeforeCut = 5_000;

    static CancellationToken Canceled => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Store_that_formed_a_cluster_but_was_never_written_to_reopens()
    {
        await using var nodes = new ScenarioNodes();
        await nodes.StartNodeAsync(1, options => options.ReportInterval = TimeSpan.FromSeconds(1));
        await nodes[1].Store.Joined.WaitAsync(Eventually.Deadline, TestContext.Current.CancellationToken);
        await nodes[1].KillAsync();
        await nodes.StartNodeAsync(1);
        await nodes[1].PutAsync(1, "x", Consistency.None);
        Assert.Equal("x", await nodes[1].GetAsync(1));
    }

    [Theory]
    [InlineData(false, false, true)]
    [InlineData(true, true, false)]
    [InlineData(true, false, false)]
    public async Task Store_that_no_node_can_know_forms_its_cluster_before_the_first_tick(bool hasFixedAddress, bool isTold, bool isAtOnce)
    {
        using var addresses = new ReservedAddresses();
        await using var node = await DatacakeNode.StartAsync(
            options => options.WithNodeId(1).ListenOn(hasFixedAddress ? addresses.Next() : "127.0.0.1:0").UseMemory().WithStore(store =>
            {
                store.ReportInterval = TimeSpan.FromHours(1);
                store.FormCluster = isTold;
            }),
            Canceled);
        Assert.Equal(!hasFixedAddress, node.HasNewAddress);
        var store = await node.OpenStoreAsync(Canceled);
        if (isAtOnce)
            await store.WaitUntilJoinedAsync(Eventually.Deadline, Canceled);
        else
            await Assert.ThrowsAsync<TimeoutException>(() => store.WaitUntilJoinedAsync(TimeSpan.FromMilliseconds(200), Canceled).AsTask());
    }

    [Fact]
    public async Task Write_at_level_All_after_waiting_for_members_reaches_all_of_them()
    {
        await using var nodes = new ScenarioNodes();
        await nodes.StartNodeAsync(1);
        var error = await Assert.ThrowsAsync<TimeoutException>(() => nodes[1].Store.WaitForMembersAsync(3, TimeSpan.FromMilliseconds(300), Canceled).AsTask());
        Assert.Contains("Fewer than 3 members have joined", error.Message, StringComparison.Ordinal);
        var waiting = nodes[1].Store.WaitForMembersAsync(3, Eventually.Deadline, Canceled).AsTask();
        await nodes.StartNodeAsync(2);
        await nodes.StartNodeAsync(3);
        await waiting;
        var result = await nodes[1].Cakes.PutAsync(1, "cake"u8.ToArray(), Consistency.All, Canceled);
        Assert.Equal(3, result.Acknowledged.Count);
        await nodes[3].Store.WaitForMembersAsync(3, TimeSpan.FromSeconds(30), Canceled);
        await nodes[1].StopAsync();
        await Assert.ThrowsAsync<ObjectDisposedException>(() => nodes[1].Store.WaitForMembersAsync(3, Timeout.InfiniteTimeSpan, Canceled).AsTask());
    }

    [Fact]
    public async Task Join_resumes_with_the_missing_documents_after_a_cut_connection()
    {
        await using var cluster = await StartAsync(1);
        var log = new CollectingLog();
        var joining = await cluster.AddAsync(2, log: log, transport: TransportOfHalf());
        var seen = await CutInTheMiddleAsync(joining);
        long received = joining.Transport.BytesReceived;
        await cluster[1].Store.Keyspace(Keyspace).PutAsync(0, "changed meanwhile"u8.ToArray(), Consistency.None, Canceled);

        joining.Transport.Heal();
        await foreach (var status in joining.Store.WatchJoiningAsync(Canceled).WithCancellation(Canceled))
        {
            Assert.InRange(status.Documents, seen[^1].Documents, Documents);
            seen.Add(status);
        }
        Assert.True(seen[^1].IsJoined);
        Assert.Equal(Documents, seen[^1].Documents);
        Assert.All(seen.Where(status => status.Source is not null), status => Assert.Equal((1, Documents), (status.Source, status.EstimatedDocuments)));

        await cluster.WaitUntilEqualAsync(Keyspace, Documents);
        Assert.InRange(joining.Transport.BytesReceived - received, DocumentLength, (Documents - DocumentsBeforeCut) * (DocumentLength + 100L));
        Assert.Contains(log.Messages, message => message.Contains($"of about {Documents} documents, the latest", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Join_resumes_after_a_restart_of_the_joining_node_and_from_another_member()
    {
        await using var cluster = await StartAsync(2);
        var storage = new MemoryStorage();
        var joining = await cluster.AddAsync(3, storage, transport: TransportOfHalf());
        var seen = await CutInTheMiddleAsync(joining);
        await joining.Node.DisposeAsync();
        await cluster[(int)seen[^1].Source!].Node.DisposeAsync();

        joining = await cluster.AddAsync(3, storage);
        int other = 3 - (int)seen[^1].Source!;
        await foreach (var status in joining.Store.WatchJoiningAsync(Canceled).WithCancellation(Canceled))
        {
            Assert.InRange(status.Documents, seen[^1].Documents, Documents);
            Assert.True(status.Source is null || status.Source == other);
        }
        Assert.Equal(Documents, joining.Store.JoinStatus.Documents);
        Assert.Equal(
            await cluster[other].Store.Keyspace(Keyspace).GetStatisticsAsync(Canceled), await joining.Store.Keyspace(Keyspace).GetStatisticsAsync(Canceled));
    }

    [Fact]
    public async Task Store_that_has_joined_before_reports_so_at_once()
    {
        await using var cluster = await TestCluster.StartAsync(1);
        var seen = new List<JoinStatus>();
        await foreach (var status in cluster[1].Store.WatchJoiningAsync(Canceled).WithCancellation(Canceled))
            seen.Add(status);
        Assert.True(Assert.Single(seen).IsJoined);
    }

    /// <summary>Returns a transport that delivers at most half of the documents before it is cut, however late that is.</summary>
    static SeverableTransport TransportOfHalf() => new(bytesBeforeCut: Documents * DocumentLength / 2);

    /// <summary>Lets a node join until some documents have arrived, and then cuts it off.</summary>
    static async Task<List<JoinStatus>> CutInTheMiddleAsync(TestCluster.TestNode joining)
    {
        var seen = new List<JoinStatus>();
        await foreach (var status in joining.Store.WatchJoiningAsync(Canceled).WithCancellation(Canceled))
        {
            seen.Add(status);
            if (status.Documents >= DocumentsBeforeCut)
                break;
        }
        joining.Transport.Cut();
        await TestCluster.WaitUntilAsync(() => joining.Store.Members.Count(member => member.IsUp) == 1, "the joining node sees that it is cut off");
        seen.Add(joining.Store.JoinStatus);
        Assert.False(seen[^1].IsJoined);
        Assert.InRange(seen[^1].Documents, 1, Documents - 1);
        return seen;
    }

    static async Task<TestCluster> StartAsync(int nodes)
    {
        var cluster = await TestCluster.StartAsync(nodes);
        var documents = cluster[1].Store.Keyspace(Keyspace);
        foreach (int[] keys in Enumerable.Range(0, Documents).Chunk(1_000))
        {
            await documents.PutManyAsync(
                keys.Select(key => KeyValuePair.Create<DocumentKey, ReadOnlyMemory<byte>>(key, new byte[DocumentLength])), Consistency.All, Canceled);
        }
        return cluster;
    }
}
