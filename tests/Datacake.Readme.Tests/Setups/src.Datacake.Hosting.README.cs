using System.Text;
using Datacake.Data;
using Datacake.EventualConsistency;
using Datacake.Hosting;
using Datacake.Node;
using Datacake.Sqlite;
using Datacake.Storage;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;

public sealed class Product
{
    public long Id { get; set; }
    public string Name { get; set; } = "";
}

public sealed partial class ShopContext(DatacakeNode node) : DatacakeContext(node)
{
    public partial Keyspace<Product> Products { get; }
}

static class Serving
{
    public static async Task RunAsync()
    {
        await using var second = await Samples.StartNodeAsync(2, Samples.Secured);
        await using var third = await Samples.StartNodeAsync(3, Samples.Secured);
        using var built = new BuiltHost();
        var running = Task.Run(() => Run("--urls", "http://127.0.0.1:0", "--ShopSecret", Samples.Secret));
        var app = await built.StartedAsync(running);
        await using (var scope = app.Services.CreateAsyncScope())
        {
            var db = scope.ServiceProvider.GetRequiredService<ShopContext>();
            db.Products.Add(new Product { Id = 1, Name = "Cake" });
            await db.SaveChangesAsync();
        }
        using var client = new HttpClient { BaseAddress = built.Address };
        Assert.Equal("""{"id":1,"name":"Cake"}""", await client.GetStringAsync("/products/1"));
        Assert.True((await client.GetAsync("/health")).IsSuccessStatusCode);
        built.Stop();
        await running;
        Samples.Reach(1);
    }

    static void Run(params string[] args)
    {
        // sample 1
    }
}

public sealed class Mailer(DatacakeSingletonTerm term) : BackgroundService
{
    public static TaskCompletionSource<long> Started { get; } = new();

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        Started.TrySetResult(term.FencingToken);
        await Task.Delay(Timeout.InfiniteTimeSpan, stoppingToken);
    }
}

static class Mailing
{
    public static async Task RunAsync()
    {
        var builder = WebApplication.CreateBuilder(["--urls", "http://127.0.0.1:0"]);
        builder.Services.AddDatacake(options => options.WithNodeId(1).ListenOn("127.0.0.1:0").UseMemory());
        // sample 2
        await using var app = builder.Build();
        await app.StartAsync();
        Assert.Equal(1, await Mailer.Started.Task.WaitAsync(TimeSpan.FromMinutes(1)));
        await app.StopAsync();
        Samples.Reach(2);
    }
}

static class Configuring
{
    public static async Task RunAsync()
    {
        var builder = WebApplication.CreateBuilder(["--urls", "http://127.0.0.1:0"]);
        string settings = Samples.JsonOf("src/Datacake.Hosting/README.md");
        builder.Configuration.AddJsonStream(new MemoryStream(Encoding.UTF8.GetBytes(settings)));
        string secret = builder.Configuration["Datacake:ClusterSecret"]!;
        // sample 3
        await using var app = builder.Build();
        await app.StartAsync();
        var node = app.Services.GetRequiredService<DatacakeNode>();
        Assert.Equal((1, Samples.AddressOf(1), "eu-west"), (node.Id, node.Address, node.DataCenter));
        await using var second = await Samples.StartNodeAsync(2, Join);
        await using var third = await Samples.StartNodeAsync(3, Join);
        var store = await node.OpenStoreAsync();
        await store.WaitForMembersAsync(3, TimeSpan.FromMinutes(1));
        await store.Keyspace("cakes").PutAsync(1, "Madeira"u8.ToArray(), Consistency.All);
        await app.StopAsync();
        Samples.Reach(3);

        void Join(DatacakeNodeOptions options) =>
            options.WithSeeds(Samples.AddressOf(1)).WithClusterSecret(secret).UseSqlite(Path.GetRandomFileName());
    }
}

static class Testing
{
    public static async Task RunAsync()
    {
        var builder = WebApplication.CreateBuilder(["--urls", "http://127.0.0.1:0"]);
        builder.Services.AddDatacake(options => options.WithNodeId(1).ListenOn("10.0.0.1:7001").WithSeeds("10.0.0.1:7001", "10.0.0.2:7001").UseSqlite("shop.db"));
        var services = builder.Services;
        // sample 4
        await using var app = builder.Build();
        await app.StartAsync();
        var store = await app.Services.GetRequiredService<DatacakeNode>().OpenStoreAsync();
        await store.Keyspace("cakes").PutAsync(1, "Madeira"u8.ToArray(), Consistency.All);
        Assert.False(File.Exists("shop.db"));
        await app.StopAsync();
        Samples.Reach(4);
    }
}
