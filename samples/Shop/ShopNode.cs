using Datacake.AspNetCore;
using Datacake.Data;
using Datacake.EventualConsistency;
using Datacake.Hosting;
using Datacake.Node;
using Datacake.Sqlite;
using Microsoft.AspNetCore.DataProtection;

namespace Datacake.Shop;

/// <summary>One node: the web application of the shop, with all data in a file of its own.</summary>
static class ShopNode
{
    /// <summary>The header that names the node that has sent a response.</summary>
    const string NodeHeader = "Shop-Node";

    /// <summary>Runs until standard input ends, which is when the process that has started this one has ended, or until a signal.</summary>
    public static async Task RunAsync(int id, string url, string folder, string[] addresses)
    {
        var builder = WebApplication.CreateBuilder();
        builder.WebHost.UseUrls(url);
        // Nodes that cannot be reached are warnings, and here they are killed on purpose.
        builder.Logging.SetMinimumLevel(LogLevel.Error);

        builder.Services.AddDatacake(options => options
            .WithNodeId(id).ListenOn(addresses[id - 1]).WithSeeds(addresses).WithGossip(static gossip => gossip.UseLocal())
            .WithStore(store => store.ExpectedNodes = addresses.Length).WaitForJoin(TimeSpan.FromMinutes(1))
            .UseSqlite(Path.Combine(folder, $"node{id}.db")));
        builder.Services.AddDatacakeContext<ShopContext>();
        builder.Services.AddHealthChecks().AddDatacake();

        // Cookies and antiforgery tokens of one node are valid on all.
        builder.Services.AddDataProtection().SetApplicationName("shop").PersistKeysToDatacake();
        builder.Services.AddAntiforgery();
        builder.Services.AddSingleton<Visitors>();
        // A client sees what it has saved, whatever node serves its next request.
        builder.Services.AddDatacakeReadYourWrites(static options => (options.Cookie!.Name, options.MaxAge) = (ShopEndpoints.SavesCookie, TimeSpan.FromSeconds(10)));
        // A response of one node is served by all.
        builder.Services.AddDatacakeOutputCache();
        // A message of one node reaches the clients of all.
        builder.Services.AddSignalR().AddDatacakeBackplane();

        await using var app = builder.Build();
        app.Use((context, next) =>
        {
            // Set at the end, because a response from the cache has the headers of the node that has made it.
            context.Response.OnStarting(() => Task.FromResult(context.Response.Headers[NodeHeader] = $"{id}"));
            return next(context);
        });
        app.UseDatacakeReadYourWrites();
        app.UseOutputCache();
        app.UseAntiforgery();
        app.MapHealthChecks("/health");
        app.MapHub<ChatHub>("/chat");
        app.MapDatacakeEvents<ShopContext, Product>("/stock/events", static (db, _) => db.Products);
        app.MapShop(id);

        await app.StartAsync();
        if (id == 1)
            await FillAsync(app.Services.GetRequiredService<IDatacakeContextFactory<ShopContext>>());
        new Thread(() => StopWithParent(app.Lifetime)) { IsBackground = true }.Start();
        await app.WaitForShutdownAsync();
    }

    /// <summary>Adds the products, unless an earlier run of the node has done so.</summary>
    static async Task FillAsync(IDatacakeContextFactory<ShopContext> contexts)
    {
        await using var db = contexts.CreateContext();
        if (await db.Products.AnyAsync())
            return;
        db.Products.AddRange(
        [
            new Product { Id = 1, Name = "Carrot cake", Price = 4.50m, Stock = 20 },
            new Product { Id = 2, Name = "Battenberg", Price = 3.80m, Stock = 20 },
            new Product { Id = 3, Name = "Black Forest cake", Price = 5.20m, Stock = 20 },
        ]);
        await db.SaveChangesAsync(Consistency.None);
    }

    static void StopWithParent(IHostApplicationLifetime lifetime)
    {
        Console.In.ReadToEnd();
        lifetime.StopApplication();
    }
}
