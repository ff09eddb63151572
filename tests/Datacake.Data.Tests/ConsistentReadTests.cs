using Datacake.Data.Tests.Shop;
using Datacake.EventualConsistency;
using Datacake.Node;
using Datacake.Storage;

namespace Datacake.Data.Tests;

public class ConsistentReadTests
{
    static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Read_with_a_consistency_level_sees_saves_of_other_nodes_and_refreshes_tracked_entities()
    {
        await using var first = await StartAsync(1);
        await using var second = await StartAsync(2, first.Address);
        await WaitForEachOther(first, second);
        await using var here = new ShopContext(first);
        await using var there = new ShopContext(second);
        Assert.Null(await here.Products.WithConsistency(Consistency.All).FindAsync([1L], Token));

        var product = new Product { Id = 1, Name = "old", Stock = 5 };
        there.Products.Add(product);
        await there.SaveChangesAsync(Consistency.None, Token);
        var read = (await here.Products.WithConsistency(Consistency.Quorum).FindAsync([1L], Token))!;
        Assert.Equal(("old", 5L, EntityState.Unchanged), (read.Name, read.Stock, here.Entry(read).State));

        product.Name = "new";
        await there.SaveChangesAsync(Consistency.None, Token);
        Assert.Same(read, await here.Products.WithConsistency(Consistency.All).FindAsync([1L], Token));
        Assert.Equal("new", read.Name);

        // A refresh keeps pending changes, and a refreshed entity can be changed and saved.
        read.Stock = 7;
        product.Name = "newer";
        await there.SaveChangesAsync(Consistency.All, Token);
        Assert.Same(read, await here.Products.WithConsistency(Consistency.All).FindAsync([1L], Token));
        Assert.Equal(("new", 7L), (read.Name, read.Stock));
        Assert.Equal(1, await here.SaveChangesAsync(Consistency.All, Token));

        there.Products.Remove(product);
        await there.SaveChangesAsync(Consistency.None, Token);
        Assert.Null(await here.Products.WithConsistency(Consistency.All).FindAsync([1L], Token));
        Assert.Empty(here.ChangeTracker.Entries());
        await Assert.ThrowsAsync<NotEnoughNodesException>(() => here.Products.WithConsistency(Consistency.Three).FindAsync([1L], Token));
    }

    [Fact]
    public async Task Query_with_a_consistency_level_sees_saves_of_any_node()
    {
        await using var first = await StartAsync(1);
        await using var second = await StartAsync(2, first.Address);
        await WaitForEachOther(first, second);
        await using var here = new ShopContext(first);
        await using var there = new ShopContext(second);
        var quorum = here.Products.WithConsistency(Consistency.Quorum);
        for (int i = 1; i <= 20; i++)
        {
            there.Add(new Product { Id = i, Name = $"{i}", Category = "new", Price = i });
            await there.SaveChangesAsync(Consistency.None, Token);
            Assert.Equal(i, await quorum.CountAsync(Token));
            Assert.Equal($"{i}", (await here.Products.Where(p => p.Category == "new").WithConsistency(Consistency.All).OrderByDescending(p => p.Price).FirstAsync(Token)).Name);
        }
        Assert.Equal(210, await quorum.GroupBy(p => p.Category).Select(g => g.Sum(p => p.Price)).SingleAsync(Token));
        Assert.Equal(20, await quorum.Where(p => p.Price > 0).ExecuteDeleteAsync(Token));
        await Assert.ThrowsAsync<NotEnoughNodesException>(() => here.Products.WithConsistency(Consistency.Three).ToListAsync(Token));
        var e = Assert.Throws<InvalidOperationException>(() => quorum.WatchAsync(Token));
        Assert.Contains("WithConsistency", e.Message, StringComparison.Ordinal);
    }

    static async Task<DatacakeNode> StartAsync(int id, params string[] seeds) => await DatacakeNode.StartAsync(
        options => options.WithNodeId(id).ListenOn("127.0.0.1:0").WithSeeds(seeds).WithGossip(gossip => gossip.UseLocal()).UseMemory()
            .WithStore(store => store.AcknowledgmentTimeout = Eventually.Deadline),
        Token);

    static async Task WaitForEachOther(params DatacakeNode[] nodes)
    {
        // Open the stores of all nodes first, because each wait needs all of them to take part.
        var stores = await Task.WhenAll(nodes.Select(node => node.OpenStoreAsync(Token).AsTask()));
        await Eventually.WaitUntilAsync(
            () => stores.All(store => store.Members.Count(member => member.IsUp) == nodes.Length), "all nodes see each other");
    }
}
