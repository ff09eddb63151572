using Datacake.Data;
using Datacake.EventualConsistency;
using Datacake.Node;

namespace Datacake.Testing.Tests;

public sealed class Cake
{
    public int Id { get; set; }

    public string Name { get; set; } = "";
}

public sealed partial class CakeContext(DatacakeNode node) : DatacakeContext(node)
{
    public partial Keyspace<Cake> Cakes { get; }
}

public sealed class ClusterTests
{
    static CancellationToken Canceled => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Started_nodes_save_at_level_All()
    {
        await using var cluster = await TestCluster.StartAsync(3, cancellationToken: Canceled);
        Assert.Equal([0, 1, 2], Enumerable.Range(0, cluster.Count).Select(node => (int)cluster[node].Node.Id));
        await SaveAsync(cluster[0], 1, "Madeira", Consistency.All);
        Assert.Equal("Madeira", await NameAsync(cluster[2], 1));
    }

    [Fact]
    public async Task Node_that_is_cut_off_writes_alone_and_merges_when_the_links_are_healed()
    {
        await using var cluster = await TestCluster.StartAsync(3, cancellationToken: Canceled);
        cluster.Cut(1);
        await SaveAsync(cluster[1], 1, "Madeira", Consistency.None);
        await SaveAsync(cluster[0], 2, "Victoria sponge", Consistency.One);
        var different = await Assert.ThrowsAsync<TimeoutException>(() => cluster.WaitUntilSameAsync(TimeSpan.Zero, Canceled));
        Assert.Contains("Keyspace 'Cakes': node 0 has 1 documents with the fingerprint", different.Message, StringComparison.Ordinal);
        Assert.EndsWith("Links that are cut: 0-1, 1-2.", different.Message, StringComparison.Ordinal);

        cluster.Heal();
        await cluster.WaitUntilConnectedAsync(cancellationToken: Canceled);
        await cluster.WaitUntilSameAsync(cancellationToken: Canceled);
        foreach (int node in Enumerable.Range(0, 3))
            Assert.Equal(("Madeira", "Victoria sponge"), (await NameAsync(cluster[node], 1), await NameAsync(cluster[node], 2)));
    }

    [Fact]
    public async Task Nodes_are_the_same_only_when_documents_that_expire_are()
    {
        await using var cluster = await TestCluster.StartAsync(2, cancellationToken: Canceled);
        var expires = cluster[0].Clock.GetUtcNow() + TimeSpan.FromHours(1);
        await cluster[0].Store.Keyspace("offers").PutExpiringAsync("carrot", new byte[] { 1 }, expires, Consistency.All, Canceled);
        await cluster.WaitUntilSameAsync(cancellationToken: Canceled);
        cluster.Cut(1);
        await cluster[0].Store.Keyspace("offers").PutExpiringAsync("carrot", new byte[] { 2 }, expires, Consistency.None, Canceled);
        await Assert.ThrowsAsync<TimeoutException>(() => cluster.WaitUntilSameAsync(TimeSpan.Zero, Canceled));

        cluster.Heal();
        await cluster.WaitUntilSameAsync(cancellationToken: Canceled);
        Assert.Equal([2], (await cluster[1].Store.Keyspace("offers").GetAsync("carrot", Canceled))!.Value!.Value.ToArray());
    }

    [Fact]
    public async Task Nodes_whose_link_is_cut_still_reach_the_third_one()
    {
        await using var cluster = await TestCluster.StartAsync(3, cancellationToken: Canceled);
        cluster.Cut(1, 2);
        await SaveAsync(cluster[1], 1, "Madeira", Consistency.One);
        await SaveAsync(cluster[2], 2, "Victoria sponge", Consistency.One);
        Assert.Equal(("Madeira", "Victoria sponge"), (await NameAsync(cluster[0], 1), await NameAsync(cluster[0], 2)));
        var refused = await Assert.ThrowsAnyAsync<Exception>(async () =>
        {
            cluster.Cut(1);
            cluster.Cut(2);
            await SaveAsync(cluster[0], 3, "Battenberg", Consistency.Quorum);
        });
        Assert.True(refused is NotEnoughNodesException or ConsistencyException, refused.ToString());
    }

    [Fact]
    public async Task Stopped_node_returns_with_its_data_and_fetches_what_it_missed()
    {
        await using var cluster = await TestCluster.StartAsync(3, cancellationToken: Canceled);
        await SaveAsync(cluster[2], 1, "Madeira", Consistency.All);
        await cluster.StopAsync(2);
        await cluster.StopAbruptlyAsync(1);
        Assert.False(cluster[2].IsRunning);
        Assert.Contains("Node 2 is stopped", Assert.Throws<InvalidOperationException>(() => cluster[2].Node).Message, StringComparison.Ordinal);
        await SaveAsync(cluster[0], 2, "Victoria sponge", Consistency.None);

        cluster.Cut(2);
        await cluster.StartAsync(2);
        Assert.Equal(("Madeira", null), (await NameAsync(cluster[2], 1), await NameAsync(cluster[2], 2)));
        cluster.Heal();
        await cluster.StartAsync(1);
        await cluster.WaitUntilSameAsync(cancellationToken: Canceled);
        Assert.Equal(("Madeira", "Victoria sponge"), (await NameAsync(cluster[2], 1), await NameAsync(cluster[1], 2)));
    }

    [Fact]
    public async Task Node_whose_clock_is_ahead_wins_a_conflict()
    {
        await using var cluster = await TestCluster.StartAsync(2, cancellationToken: Canceled);
        await SaveAsync(cluster[0], 1, "Cake", Consistency.All);
        cluster.Cut(0, 1);
        cluster[1].Clock.Offset = TimeSpan.FromMinutes(10);
        await RenameAsync(cluster[1], 1, "Madeira");
        await RenameAsync(cluster[0], 1, "Victoria sponge");
        cluster.Heal();
        await cluster.WaitUntilSameAsync(cancellationToken: Canceled);
        Assert.Equal("Madeira", await NameAsync(cluster[0], 1));
    }

    [Fact]
    public async Task Options_of_the_test_replace_those_of_the_nodes()
    {
        await using var cluster = await TestCluster.StartAsync(
            3, (node, options) => options.InDataCenter(node < 2 ? "eu" : "us").WithContexts(contexts => contexts.DefaultConsistency = Consistency.EachQuorum), Canceled);
        Assert.Equal(["eu", "eu", "us"], cluster[0].Node.Members.Select(member => member.DataCenter));
        await using var db = new CakeContext(cluster[0].Node);
        Assert.Equal(Consistency.EachQuorum, db.DefaultConsistency);
        db.Add(new Cake { Id = 1 });
        await db.SaveChangesAsync(Canceled);
    }

    [Fact]
    public async Task Single_node_forms_its_cluster_without_waiting_for_a_tick()
    {
        // With this interval, a node that waited for its first tick would not be ready within the time of a test.
        await using var node = await TestNode.StartAsync(options => options.WithStore(store => store.ReportInterval = TimeSpan.FromHours(1)), Canceled);
        await SaveAsync(node, 1, "Madeira", Consistency.Quorum);
        Assert.Equal("Madeira", await NameAsync(node, 1));
    }

    [Fact]
    public async Task Numbers_of_nodes_that_do_not_exist_are_refused()
    {
        await using var cluster = await TestCluster.StartAsync(1, cancellationToken: Canceled);
        Assert.Throws<ArgumentOutOfRangeException>(() => cluster[1]);
        Assert.Throws<ArgumentOutOfRangeException>(() => cluster.Cut(0, 1));
        await Assert.ThrowsAsync<ArgumentOutOfRangeException>(() => TestCluster.StartAsync(0, cancellationToken: Canceled));
    }

    static async Task SaveAsync(TestNode node, int id, string name, Consistency level)
    {
        await using var db = new CakeContext(node.Node);
        db.Add(new Cake { Id = id, Name = name });
        await db.SaveChangesAsync(level, Canceled);
    }

    static async Task RenameAsync(TestNode node, int id, string name)
    {
        await using var db = new CakeContext(node.Node);
        (await db.Cakes.FindAsync([id], Canceled))!.Name = name;
        await db.SaveChangesAsync(Consistency.None, Canceled);
    }

    static async Task<string?> NameAsync(TestNode node, int id)
    {
        await using var db = new CakeContext(node.Node);
        return (await db.Cakes.FindAsync([id], Canceled))?.Name;
    }
}
