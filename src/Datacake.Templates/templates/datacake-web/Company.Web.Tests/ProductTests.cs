using System.Net;
using System.Net.Http.Json;
using Datacake.Data;
using Datacake.EventualConsistency;
using Datacake.Hosting;
using Datacake.Storage;
using Datacake.Testing;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Mvc.Testing;
using Microsoft.AspNetCore.TestHost;

namespace Company.Web.Tests;

public sealed class ProductTests
{
    static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Product_that_is_added_can_be_read_and_sold_until_none_is_left()
    {
        await using var application = new Application();
        using var client = application.CreateClient();

        using var added = await client.PostAsJsonAsync("/products", new { Name = "Battenberg", Price = 12, Stock = 1 }, Token);
        Assert.Equal(HttpStatusCode.Created, added.StatusCode);
        var product = await client.GetFromJsonAsync<Product>(added.Headers.Location, Token);
        Assert.Equal("Battenberg", product!.Name);

        using var sold = await client.PostAsync($"{added.Headers.Location}/sales", content: null, Token);
        Assert.Equal(HttpStatusCode.OK, sold.StatusCode);
        using var refused = await client.PostAsync($"{added.Headers.Location}/sales", content: null, Token);
        Assert.Equal(HttpStatusCode.Conflict, refused.StatusCode);
    }

    [Fact]
    public async Task Node_is_healthy()
    {
        await using var application = new Application();
        using var client = application.CreateClient();

        Assert.Equal("Healthy", await client.GetStringAsync("/health", Token));
    }

    [Fact]
    public async Task Product_that_one_node_adds_is_seen_by_all_nodes()
    {
        await using var cluster = await TestCluster.StartAsync(3, cancellationToken: Token);
        var product = new Product { Name = "Madeira", Price = 9, Stock = 3 };
        await using (var db = new ShopContext(cluster[0].Node))
        {
            db.Products.Add(product);
            await db.SaveChangesAsync(Consistency.All, Token);
        }

        foreach (int node in (int[])[1, 2])
        {
            await using var db = new ShopContext(cluster[node].Node);
            Assert.Equal(3, (await db.Products.FindAsync([product.Id], Token))!.Stock);
        }
    }

    /// <summary>The application with one node in memory, at a free port and without seeds.</summary>
    sealed class Application : WebApplicationFactory<Program>
    {
        protected override void ConfigureWebHost(IWebHostBuilder builder) => builder.ConfigureTestServices(services => services.ConfigureDatacake(options => options
            .WithNodeId(1).UseMemory().ListenOn("127.0.0.1:0").WithSeeds().WithStore(store => store.ExpectedNodes = 1)));
    }
}
