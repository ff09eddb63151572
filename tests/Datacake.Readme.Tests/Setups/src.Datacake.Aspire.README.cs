using Datacake.Aspire;
using Datacake.Data;
using Datacake.Hosting;
using Datacake.Node;
using Datacake.Sqlite;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.DependencyInjection;

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
        using var built = new BuiltHost();
        var running = Task.Run(() => Run(
            "--urls", "http://127.0.0.1:0", "--Datacake:NodeId", "1", "--Datacake:ListenOn", Samples.AddressOf(1), "--Datacake:Seeds:0", Samples.AddressOf(1),
            "--Datacake:Storage:Kind", "sqlite", "--Datacake:Storage:Path", "shop.db"));
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
