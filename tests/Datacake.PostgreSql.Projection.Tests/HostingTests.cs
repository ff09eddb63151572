using System.Diagnostics.Metrics;
using Datacake.EventualConsistency;
using Datacake.Hosting;
using Datacake.Node;
using Datacake.Storage;
using Datacake.Tests;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace Datacake.PostgreSql.Projection.Tests;

public class HostingTests
{
    static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Projections_run_with_the_host()
    {
        string schema = TestServer.NewSchema();
        var builder = Host.CreateApplicationBuilder();
        builder.Logging.ClearProviders();
        builder.Services.AddDatacake(static options => options.WithNodeId(1).UseMemory().ListenOn("127.0.0.1:0"));
        builder.Services.AddDatacakeContext<ShopContext>();
        builder.Services.AddDatacakeProjection<ShopContext>(TestServer.ConnectionString, p => p.Schema(schema).Table(static db => db.Orders));
        builder.Services.AddDatacakeProjection<ShopContext>(TestServer.ConnectionString, p => p.Name("catalog").Schema(schema).Table(static db => db.Products, static t => t.Name("catalog")));
        using var host = builder.Build();
        Assert.Throws<InvalidOperationException>(() => host.Services.GetRequiredService<PostgreSqlProjection>());
        await host.StartAsync(Token);

        await ShopContext.PutAsync(host.Services.GetRequiredService<DatacakeNode>(), Orders.Of(1, "a"));
        await TestServer.WaitForAsync(Orders.Customers(schema), "a");
        await TestServer.WaitForAsync($"SELECT count(*) FROM {schema}.catalog", "0");
        Assert.Equal([$"{schema}.orders", $"{schema}.catalog"], host.Services.GetServices<PostgreSqlProjection>().Select(static projection => projection.Status[0].Table));
        await host.StopAsync(Token);
        await TestServer.WaitForAsync("SELECT count(*) FROM pg_stat_activity WHERE application_name = '"
            + Writing.ProjectionDatabase.ApplicationNameOf("projection", schema, "Orders") + "'", "0");
    }

    [Fact]
    public async Task Stores_of_one_context_class_have_tables_of_their_own()
    {
        string schema = TestServer.NewSchema();
        var builder = Host.CreateApplicationBuilder();
        builder.Logging.ClearProviders();
        builder.Services.AddDatacake(static options => options.WithNodeId(1).UseMemory().ListenOn("127.0.0.1:0"));
        foreach (string tenant in (string[])["a", "b", "c"])
        {
            builder.Services.ConfigureDatacake(options => options.WithStore(tenant, static store => store.UseMemory()));
            if (tenant != "c")
                builder.Services.AddDatacakeProjection(node => new TenantContext(node, tenant), TestServer.ConnectionString, p => p.Schema(schema).Table(static db => db.Orders, t => t.Name($"orders_{tenant}")));
        }
        using var host = builder.Build();
        await host.StartAsync(Token);
        var node = host.Services.GetRequiredService<DatacakeNode>();

        await PutAsync("a", Orders.Of(1, "first"));
        await PutAsync("b", Orders.Of(2, "second"));
        await TestServer.WaitForAsync($"SELECT customer FROM {schema}.orders_a", "first");
        await TestServer.WaitForAsync($"SELECT customer FROM {schema}.orders_b", "second");
        await PutAsync("a", Orders.Of(3, "third"));
        await TestServer.WaitForAsync($"SELECT string_agg(customer, ',' ORDER BY customer) FROM {schema}.orders_a", "first,third");
        await TestServer.WaitForAsync($"SELECT string_agg(keyspace, ',' ORDER BY keyspace) FROM {schema}.datacake_projection", "a:Orders,b:Orders");
        // Neither has taken the place of the other.
        Assert.All(host.Services.GetServices<PostgreSqlProjection>(), static projection => Assert.Equal((1, null), (projection.Status[0].Loads, projection.Status[0].LastError)));

        await using var third = await PostgreSqlProjection.StartAsync(
            () => new TenantContext(node, "c"), TestServer.ConnectionString, p => p.Schema(schema).Table(static db => db.Orders, static t => t.Name("orders_b")), Token);
        await Eventually.WaitUntilAsync(() => third.Status[0].LastError is not null, "the third store is refused the table of the second one");
        Assert.Contains($"{schema}.orders_b exists and is not the one of this projection", third.Status[0].LastError!.Message, StringComparison.Ordinal);
        await host.StopAsync(Token);

        async Task PutAsync(string tenant, Order order)
        {
            await using var db = new TenantContext(node, tenant);
            db.Orders.Put(order);
            await db.SaveChangesAsync(Token);
        }
    }

    [Fact]
    public async Task Projection_of_a_context_that_is_not_registered_says_what_to_call()
    {
        var builder = Host.CreateApplicationBuilder();
        builder.Logging.ClearProviders();
        builder.Services.AddDatacakeProjection<ShopContext>("Host=nowhere", static p => p.Table(static db => db.Orders));
        using var host = builder.Build();

        var refused = await Assert.ThrowsAsync<InvalidOperationException>(() => host.StartAsync(Token));
        Assert.Contains("services.AddDatacakeContext<ShopContext>()", refused.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Metrics_and_logs_tell_of_loads_changes_and_failures()
    {
        string schema = TestServer.NewSchema(), table = $"{schema}.orders";
        var seen = new System.Collections.Concurrent.ConcurrentDictionary<string, double>();
        using var listener = new MeterListener
        {
            InstrumentPublished = static (instrument, listener) =>
            {
                if (instrument.Meter.Name == "Datacake.PostgreSql.Projection")
                    listener.EnableMeasurementEvents(instrument);
            },
        };
        listener.SetMeasurementEventCallback<long>((instrument, value, tags, _) => Record(instrument, value, tags));
        listener.SetMeasurementEventCallback<double>((instrument, value, tags, _) => Record(instrument, value, tags));
        listener.Start();
        var log = new CollectingLog();
        await using var node = await DatacakeNode.StartAsync(options => options.WithNodeId(1).UseMemory().ListenOn("127.0.0.1:0").WithLoggerFactory(log), Token);
        await ShopContext.PutAsync(node, Orders.Of(1, "a"));
        await using var projection = await TestServer.StartAsync(node, schema, static p => p.Table(static db => db.Orders));
        await TestServer.WaitForAsync(Orders.Customers(schema), "a");
        await ShopContext.PutAsync(node, Orders.Of(2, "b"));
        await TestServer.WaitForAsync(Orders.Customers(schema), "a,b");
        await TestServer.KillAsync(schema);
        await ShopContext.PutAsync(node, Orders.Of(3, "c"));
        await TestServer.WaitForAsync(Orders.Customers(schema), "a,b,c");

        await Eventually.WaitUntilAsync(() => seen.GetValueOrDefault("datacake.projection.rows") >= 3, "the rows are counted");
        Assert.Equal((1, true), (seen["datacake.projection.loads"], seen["datacake.projection.failures"] >= 1));
        Assert.True(seen["datacake.projection.commit.duration"] > 0 && seen.ContainsKey("datacake.projection.lag"));
        string[] messages = [.. log.Messages];
        Assert.Contains($"The table {table} was created or has new columns (orders), and is loaded.", messages);
        Assert.Contains($"Node {node.Id} loads 1 entities of the keyspace Orders into the table {table}.", messages);
        Assert.Contains(messages, message => message.StartsWith($"The table {table} has all 1 entities after", StringComparison.Ordinal));
        Assert.Contains(messages, static message => message.StartsWith("The consumer 'projection' of the keyspace 'Orders' cannot run on node", StringComparison.Ordinal));

        void Record(Instrument instrument, double value, ReadOnlySpan<KeyValuePair<string, object?>> tags)
        {
            if (Equals(tags[0].Value, table))
                seen.AddOrUpdate(instrument.Name, value, (_, before) => before + value);
        }
    }
}
