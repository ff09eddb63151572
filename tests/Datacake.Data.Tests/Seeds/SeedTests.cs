using Datacake.Data.Tests.Filters;
using Datacake.EventualConsistency;
using Datacake.Node;
using Datacake.Storage;

namespace Datacake.Data.Tests.Seeds;

public sealed class Counted
{
    public int Id { get; set; }

    [Counter]
    public int Count { get; set; }

    public string Name { get; set; } = "";
}

public sealed partial class UnkeyedContext(DatacakeNode node) : DatacakeContext(node)
{
    public partial Keyspace<Counted> Counted { get; }

    protected override void OnModelCreating(ModelBuilder model) => model.Entity<Counted>().HasData(new Counted { Name = "no key" });
}

public sealed partial class CountingSeedContext(DatacakeNode node) : DatacakeContext(node)
{
    public partial Keyspace<Counted> Counted { get; }

    protected override void OnModelCreating(ModelBuilder model) => model.Entity<Counted>().HasData(new Counted { Id = 1, Count = 5 });
}

public sealed partial class TwiceSeedContext(DatacakeNode node) : DatacakeContext(node)
{
    public partial Keyspace<Counted> Counted { get; }

    protected override void OnModelCreating(ModelBuilder model) =>
        model.Entity<Counted>().HasData(new Counted { Id = 2, Name = "one" }, new Counted { Id = 3 }, new Counted { Id = 2, Name = "other" });
}

/// <summary>The context of an earlier version of the application, without seeds.</summary>
public sealed partial class PlainFolderContext(DatacakeNode node) : DatacakeContext(node)
{
    [Keyspace("folders")]
    public partial Keyspace<Counted> Folders { get; }
}

public class SeedTests
{
    [Fact]
    public async Task New_store_is_seeded_and_later_changes_to_the_seeds_are_kept()
    {
        await using var cluster = new LocalCluster();
        var node = await cluster.StartAsync(1);
        await using (var db = NewContext(node))
        {
            Assert.Equal(["root", "b", "c"], await db.Folders.Select(folder => folder.Name).ToListAsync(Token));
            Assert.Equal(FolderKind.Shared, (await db.Folders.FindAsync([2L], Token))!.Kind);
            db.Remove((await db.Folders.FindAsync([3L], Token))!);
            (await db.Folders.FindAsync([2L], Token))!.Name = "renamed";
            await db.SaveChangesAsync(Token);
        }
        await cluster.StopAsync(1);
        await using var other = NewContext(await cluster.StartAsync(1));
        Assert.Equal(["root", "renamed"], await other.Folders.Select(folder => folder.Name).ToListAsync(Token));
    }

    [Fact]
    public async Task Contexts_created_at_the_same_time_add_each_seed_once()
    {
        await using var node = await StartAsync();
        var contexts = Enumerable.Range(0, 8).Select(_ => NewContext(node)).ToList();
        var counts = await Task.WhenAll(contexts.Select(db => db.Folders.CountAsync(Token)));
        Assert.All(counts, count => Assert.Equal(3, count));
        foreach (var db in contexts)
            await db.DisposeAsync();
    }

    [Fact]
    public async Task Seed_does_not_replace_a_stored_entity()
    {
        await using var node = await StartAsync();
        await using (var plain = new PlainFolderContext(node))
        {
            plain.Add(new Counted { Id = 2, Name = "mine" });
            await plain.SaveChangesAsync(Token);
        }
        await using var other = NewContext(node);
        Assert.Equal(["root", "mine", "c"], await other.Folders.Select(folder => folder.Name).ToListAsync(Token));
    }

    [Fact]
    public async Task Seeds_without_a_key_with_a_duplicate_key_or_with_a_counter_are_refused_and_named()
    {
        await using var node = await StartAsync();
        await using var unkeyed = new UnkeyedContext(node);
        var e = await Assert.ThrowsAsync<InvalidOperationException>(() => unkeyed.Counted.CountAsync(Token));
        Assert.Contains("An entity in HasData of Counted has no key: its Id is 0", e.Message, StringComparison.Ordinal);
        await using var counting = new CountingSeedContext(node);
        e = await Assert.ThrowsAsync<InvalidOperationException>(() => counting.Counted.CountAsync(Token));
        Assert.Contains("counter", e.Message, StringComparison.Ordinal);
        await using var twice = new TwiceSeedContext(node);
        e = await Assert.ThrowsAsync<InvalidOperationException>(() => twice.Counted.CountAsync(Token));
        Assert.Contains("Two entities in HasData of Counted have the key 2.", e.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Joining_node_does_not_restore_seeds_that_the_cluster_has_deleted()
    {
        await using var cluster = new LocalCluster();
        await using (var db = NewContext(await cluster.StartAsync(1)))
        {
            db.Remove((await db.Folders.FindAsync([3L], Token))!);
            await db.SaveChangesAsync(Token);
        }
        await using var other = NewContext(await cluster.StartAsync(2));
        Assert.Equal(["root", "b"], await other.Folders.Select(folder => folder.Name).ToListAsync(Token));
    }

    static ValueTask<DatacakeNode> StartAsync() =>
        DatacakeNode.StartAsync(options => options.WithNodeId(1).ListenOn("127.0.0.1:0").UseMemory(), Token);

    static NoteContext NewContext(DatacakeNode node) => new(node, "a") { DefaultConsistency = Consistency.None };

    static CancellationToken Token => TestContext.Current.CancellationToken;
}
