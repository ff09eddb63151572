using System.Collections.Concurrent;
using Datacake.Node;
using Datacake.Storage;

namespace Datacake.Data.Tests.Diagnostics;

/// <summary>An entity that no other test uses, since listeners of metrics hear everything in the process.</summary>
public sealed class Postcard
{
    public long Id { get; set; }

    [Index]
    public string Sender { get; set; } = "";

    public string Text { get; set; } = "";

    public int Version { get; set; }
}

public sealed partial class PostcardContext(DatacakeNode node) : DatacakeContext(node)
{
    public partial Keyspace<Postcard> Postcards { get; }
}

/// <summary>Observers of a node see the shapes of the queries of all contexts, without the values in them.</summary>
public class QueryObserverTests
{
    static CancellationToken Canceled => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Query_is_described_without_its_values()
    {
        await using var node = await StartAsync();
        await using var db = await WithPostcardsAsync(node, 3);
        var seen = new ConcurrentQueue<ObservedQuery>();
        using var observation = node.ObserveQueries(seen.Enqueue);
        string sender = "Ada", part = "secret";
        int[] versions = [7, 8];

        await db.Postcards.Where(t => t.Sender == sender && t.Text.Contains(part)).OrderByDescending(t => t.Version).Skip(4).Take(5).ToListAsync(Canceled);
        await db.Postcards.Where(t => versions.Contains(t.Version) || t.Text == "secret").TagWith("inbox").CountAsync(Canceled);
        db.ChangeTracker.Clear();
        await db.Postcards.FindAsync([1L], Canceled);

        Assert.Equal(
            [
                "Postcards where t.Sender == ? && t.Text.Contains(?, StringComparison.Ordinal) order by Version descending skip ? take ?",
                "Postcards where ?.Contains(t.Version) || t.Text == ?",
                "Postcards find by key",
            ],
            seen.Select(static query => query.Shape));
        Assert.Equal(
            ["index Sender where Sender = ?; check t.Text.Contains(?, StringComparison.Ordinal); sort in memory", "full scan; check ?.Contains(t.Version) || t.Text == ?", "key lookup"],
            seen.Select(static query => query.Plan));
        Assert.Equal([[], ["inbox"], []], seen.Select(static query => query.Tags));
        Assert.All(seen, static query => Assert.Equal("Postcards", query.Keyspace));
    }

    [Fact]
    public async Task Query_that_reads_much_in_vain_names_the_index_that_would_help()
    {
        await using var node = await StartAsync();
        await using var db = await WithPostcardsAsync(node, 200);
        var seen = new ConcurrentQueue<ObservedQuery>();
        using var observation = node.ObserveQueries(seen.Enqueue);

        await db.Postcards.Where(t => t.Version == 3).ToListAsync(Canceled);
        await db.Postcards.ToListAsync(Canceled);

        var (narrow, all) = (seen.First(), seen.Last());
        Assert.Equal((200, 1, "Declare on Postcard: [Index(\"Version\")]."), (narrow.DocumentsRead, narrow.Results, narrow.Remedy));
        Assert.Equal((200, 200, null), (all.DocumentsRead, all.Results, all.Remedy));
    }

    [Fact]
    public async Task Query_that_fails_is_reported_as_failed()
    {
        await using var node = await StartAsync();
        await using var db = await WithPostcardsAsync(node, 1);
        var seen = new ConcurrentQueue<ObservedQuery>();
        using var observation = node.ObserveQueries(seen.Enqueue);

        await Assert.ThrowsAsync<DivideByZeroException>(() => db.Postcards.Where(t => 1 / t.Version == 1).ToListAsync(Canceled));

        Assert.True(Assert.Single(seen).HasFailed);
    }

    [Fact]
    public async Task Observation_that_was_disposed_sees_nothing_and_that_of_another_node_neither()
    {
        await using var node = await StartAsync();
        await using var other = await StartAsync();
        await using var db = await WithPostcardsAsync(node, 1);
        var seen = new ConcurrentQueue<ObservedQuery>();
        using var ofOther = other.ObserveQueries(seen.Enqueue);
        node.ObserveQueries(seen.Enqueue).Dispose();

        await db.Postcards.ToListAsync(Canceled);

        Assert.Empty(seen);
    }

    static async Task<DatacakeNode> StartAsync() => await DatacakeNode.StartAsync(
        static options => options.WithNodeId(1).ListenOn("127.0.0.1:0").UseMemory(), Canceled);

    static async Task<PostcardContext> WithPostcardsAsync(DatacakeNode node, int count)
    {
        var db = new PostcardContext(node);
        for (int i = 0; i < count; i++)
            db.Postcards.Add(new Postcard { Id = i, Sender = "Ada", Version = i });
        await db.SaveChangesAsync(Canceled);
        db.ChangeTracker.Clear();
        return db;
    }
}
