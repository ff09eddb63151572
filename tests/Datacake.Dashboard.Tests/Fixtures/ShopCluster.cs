using Datacake.Administration;
using Datacake.Data;
using Datacake.EventualConsistency;
using Datacake.Node;
using Datacake.Testing;

namespace Datacake.Dashboard.Tests.Fixtures;

/// <summary>Three nodes in memory with the data of a shop, and the dashboard of the first one.</summary>
sealed class ShopCluster : IAsyncDisposable
{
    static readonly string[] Categories = ["Cakes", "Breads", "Biscuits", "Pies"];

    static readonly string[] Names = ["Madeira", "Battenberg", "Victoria sponge", "Lemon drizzle", "Rye loaf", "Baguette", "Shortbread", "Florentine", "Apple pie", "Pecan tart"];

    static readonly string[] Cities = ["Graz", "Bern", "Lyon", "Porto", "Ghent"];

    readonly Random _random = new(17);

    ShopCluster(TestCluster nodes, DashboardHost host)
    {
        Nodes = nodes;
        Host = host;
    }

    public TestCluster Nodes { get; }

    public DashboardHost Host { get; }

    static CancellationToken Canceled => TestContext.Current.CancellationToken;

    public static async Task<ShopCluster> StartAsync(Action<DashboardOptions>? configure = null)
    {
        var nodes = await TestCluster.StartAsync(3, static (node, options) => options.WithModel<ShopContext>().InDataCenter(node < 2 ? "vienna" : "zurich"), Canceled);
        for (int i = 0; i < nodes.Count; i++)
            await nodes[i].Node.OpenAdministrationAsync(Canceled);
        return new ShopCluster(nodes, await DashboardHost.StartAsync(nodes[0].Node, configure: configure));
    }

    /// <summary>Adds products and customers, written by several nodes.</summary>
    public async Task FillAsync(int products = 120)
    {
        for (int part = 0; part < 3; part++)
        {
            await using var db = new ShopContext(Nodes[part].Node);
            for (int id = part + 1; id <= products; id += 3)
                db.Products.Add(ProductOf(id));
            for (int id = part; id < 30; id += 3)
                db.Customers.Add(new Customer { Id = $"customer-{id:00}", Name = $"Customer {id}", City = Cities[id % Cities.Length], Since = new DateTime(2025, 1 + (id % 12), 5, 0, 0, 0, DateTimeKind.Utc) });
            await db.SaveChangesAsync(Consistency.All, Canceled);
        }
        await Nodes.WaitUntilSameAsync(cancellationToken: Canceled);
    }

    /// <summary>Changes a product on several nodes: its name, its tags, and its counter.</summary>
    public async Task ChangeProductAsync(long id)
    {
        await using var second = new ShopContext(Nodes[1].Node);
        var product = (await second.Products.FindAsync([id], Canceled))!;
        product.Stock += 40;
        product.Price = 13.75m;
        await second.SaveChangesAsync(Consistency.All, Canceled);
        await using var third = new ShopContext(Nodes[2].Node);
        product = (await third.Products.FindAsync([id], Canceled))!;
        product.Stock -= 12;
        product.Tags.Add("seasonal");
        await third.SaveChangesAsync(Consistency.All, Canceled);
    }

    /// <summary>Reads and writes in some intervals of the history, as users would.</summary>
    public async Task WorkAsync(int intervals)
    {
        await using var db = new ShopContext(Nodes[0].Node);
        for (int interval = 0; interval < intervals; interval++)
        {
            int load = 3 + (int)(3 * (1 + Math.Sin(interval / 12.0))) + _random.Next(3);
            for (int i = 0; i < load; i++)
            {
                db.ChangeTracker.Clear();
                long id = 1 + _random.Next(100);
                if (await db.Products.FindAsync([id], Canceled) is { } product)
                {
                    product.Stock--;
                    await db.SaveChangesAsync(i % 4 == 0 ? Consistency.All : Consistency.Quorum, Canceled);
                }
                string category = Categories[_random.Next(Categories.Length)];
                decimal price = _random.Next(5, 20);
                await db.Products.Where(p => p.Category == category).OrderBy(p => p.Name).Take(10).ToListAsync(Canceled);
                if (i % 3 == 0)
                    await db.Products.Where(p => p.Price > price && p.Name.Contains("loaf")).TagWith("search box").ToListAsync(Canceled);
            }
            Host.Metrics.EndInterval();
        }
    }

    public static Product ProductOf(long id) => new()
    {
        Id = id,
        Name = Names[id % Names.Length],
        Category = Categories[id % Categories.Length],
        Price = 4.5m + (id % 17),
        Stock = 20 + (id % 9),
        Tags = [id % 2 == 0 ? "vegan" : "classic", "fresh"],
        Note = id % 5 == 0 ? "Bake on Fridays only" : null,
    };

    public async ValueTask DisposeAsync()
    {
        await Host.DisposeAsync();
        await Nodes.DisposeAsync();
    }
}
