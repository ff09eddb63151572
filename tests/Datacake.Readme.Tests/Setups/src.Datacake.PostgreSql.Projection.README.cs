using Datacake.Data;
using Datacake.EventualConsistency;
using Datacake.Hosting;
using Datacake.Node;
using Datacake.Storage;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Npgsql;

public sealed class Order
{
    public long Id { get; set; }
    public decimal Total { get; set; }
    public string Note { get; set; } = "";
    public HashSet<string> Tags { get; set; } = [];
}

public sealed class Product
{
    public long Id { get; set; }
}

public sealed partial class ShopContext(DatacakeNode node) : DatacakeContext(node)
{
    public partial Keyspace<Order> Orders { get; }
    public partial Keyspace<Product> Products { get; }

    public static async Task AddAsync(DatacakeNode node)
    {
        await using var db = new ShopContext(node);
        db.Orders.Add(new Order { Id = 1, Total = 12.50m, Tags = ["gift"] });
        await db.SaveChangesAsync();
    }
}

public sealed partial class TenantContext(DatacakeNode node, string store) : DatacakeContext(node, store)
{
    public partial Keyspace<Order> Orders { get; }
}

static class Reading
{
    public static async Task WaitAsync(string connectionString, string sql, string expected)
    {
        await using var source = NpgsqlDataSource.Create(connectionString);
        await Samples.WaitUntilAsync(
            async () =>
            {
                try
                {
                    await using var command = source.CreateCommand(sql);
                    return $"{await command.ExecuteScalarAsync()}" == expected;
                }
                catch (PostgresException)
                {
                    return false;
                }
            },
            $"{sql} returns {expected}");
    }
}

static class Serving
{
    public static async Task RunAsync()
    {
        var (connectionString, server) = await Samples.StartPostgreSqlAsync();
        await using var _ = server;
        var builder = Host.CreateApplicationBuilder();
        builder.Services.AddDatacake(options => options.WithNodeId(1).ListenOn("127.0.0.1:0").UseMemory());
        // sample 1
        using var host = builder.Build();
        await host.StartAsync();
        await ShopContext.AddAsync(host.Services.GetRequiredService<DatacakeNode>());
        await Reading.WaitAsync(connectionString, "SELECT sum(total)::text FROM shop.orders WHERE tags ? 'gift'", "12.50");
        await Reading.WaitAsync(connectionString, "SELECT count(*) FROM shop.catalog", "0");
        await host.StopAsync();
        Samples.Reach(1);
    }
}

static class Alone
{
    public static async Task RunAsync()
    {
        var (connectionString, server) = await Samples.StartPostgreSqlAsync();
        await using var _ = server;
        await using var node = await DatacakeNode.StartAsync(options => options.WithNodeId(1).ListenOn("127.0.0.1:0").UseMemory());
        await ShopContext.AddAsync(node);
        {
            // sample 2
            await Reading.WaitAsync(connectionString, "SELECT count(*) FROM orders", "1");
            Assert.Single(projection.Status);
            Samples.Reach(2);
        }
        await using var chosen = await PostgreSqlProjection.StartAsync<ShopContext>(() => new ShopContext(node), connectionString, p =>
        {
            p.Name("chosen");
            // sample 3
        });
        await Reading.WaitAsync(connectionString, "SELECT o.amount::text || t.value FROM bestellungen o JOIN bestellungen_tags t ON t.order_id = o.id", "12.50gift");
        Samples.Reach(3);
    }
}

static class ByStore
{
    public static async Task RunAsync()
    {
        string[] tenants = ["a", "b"];
        var (connectionString, server) = await Samples.StartPostgreSqlAsync();
        await using var _ = server;
        var builder = Host.CreateApplicationBuilder();
        builder.Services.AddDatacake(options =>
        {
            options.WithNodeId(1).ListenOn("127.0.0.1:0").UseMemory();
            foreach (string tenant in tenants)
                options.WithStore($"tenant/{tenant}", static store => store.UseMemory());
        });
        // sample 4
        using var host = builder.Build();
        await host.StartAsync();
        foreach (string tenant in tenants)
        {
            await using var db = new TenantContext(host.Services.GetRequiredService<DatacakeNode>(), $"tenant/{tenant}");
            db.Orders.Add(new Order { Id = 1, Note = tenant });
            await db.SaveChangesAsync();
            await Reading.WaitAsync(connectionString, $"SELECT note FROM shop.orders_{tenant}", tenant);
        }
        await host.StopAsync();
        Samples.Reach(4);
    }
}
