using Datacake.Data;
using Datacake.EventualConsistency;
using Microsoft.AspNetCore.Antiforgery;
using Microsoft.AspNetCore.Mvc;
using Microsoft.AspNetCore.OutputCaching;

namespace Datacake.Shop;

/// <summary>The page of the shop, its prices and the carts of its visitors.</summary>
static class ShopEndpoints
{
    /// <summary>The cookie of read-your-writes, which a client has for a while after it has saved something.</summary>
    public const string SavesCookie = ".Shop.Saves";

    const string PricesTag = "prices";

    public static void MapShop(this IEndpointRouteBuilder app, int nodeId)
    {
        string page = File.ReadAllText(Path.Combine(AppContext.BaseDirectory, "page.html"));
        app.MapGet("/", (HttpContext context, IAntiforgery antiforgery, Visitors visitors) =>
        {
            visitors.Recognize(context);
            return Results.Content(page.Replace("{{token}}", antiforgery.GetAndStoreTokens(context).RequestToken, StringComparison.Ordinal), "text/html");
        });

        app.MapGet("/prices", (ShopContext db, CancellationToken token) => ListPricesAsync(nodeId, db, token)).CacheOutput(static policy => policy
            .Tag(PricesTag)
            // The proxy asks each node by its own address.
            .SetVaryByHost(false)
            // The eviction of a tag has no token for read-your-writes, so another node may serve the old prices for some milliseconds. A client that has just saved gets none from the cache.
            .With(static cached => !cached.HttpContext.Request.Cookies.ContainsKey(SavesCookie)));
        app.MapGet("/cart", ListCartAsync);

        var saves = app.MapGroup("").AddEndpointFilter(ExplainRefusalAsync);
        saves.MapPost("/prices", ChangePriceAsync);
        saves.MapPost("/cart", BuyAsync);
    }

    static async Task<string> ListPricesAsync(int nodeId, ShopContext db, CancellationToken token)
    {
        var products = await db.Products.OrderBy(static product => product.Id).ToListAsync(token);
        var lines = products.Select(static product => FormattableString.Invariant($"{product.Price,6:0.00}  {product.Name}"));
        return FormattableString.Invariant($"{string.Join('\n', lines)}\n\nMade by node {nodeId} at {TimeProvider.System.GetUtcNow():HH:mm:ss.fff}.");
    }

    static async Task<IResult> ChangePriceAsync([FromForm] int product, [FromForm] decimal price, ShopContext db, IOutputCacheStore cache, CancellationToken token)
    {
        if (await db.Products.FindAsync([product], token) is not { } changed)
            return Results.NotFound();
        changed.Price = price;
        await db.SaveChangesAsync(token);
        await cache.EvictByTagAsync(PricesTag, token);
        return Results.Redirect("/prices");
    }

    static async Task<string> ListCartAsync(HttpContext context, Visitors visitors, ShopContext db, CancellationToken token)
    {
        string visitor = visitors.Recognize(context);
        var lines = await db.CartLines.Where(line => line.Visitor == visitor).ToListAsync(token);
        var products = await db.Products.ToDictionaryAsync(static product => product.Id, token);
        return lines.Count == 0 ? "Nothing yet." : string.Join('\n', lines.Select(line => $"{line.Count} × {products[line.Product].Name}"));
    }

    static async Task<IResult> BuyAsync([FromForm] int product, HttpContext context, Visitors visitors, ShopContext db, CancellationToken token)
    {
        string visitor = visitors.Recognize(context);
        if (await db.Products.FindAsync([product], token) is not { } sold)
            return Results.NotFound();
        var line = await db.CartLines.FindAsync([visitor, product], token);
        if (line is null)
            db.CartLines.Add(line = new CartLine { Visitor = visitor, Product = product });
        sold.Stock--;
        line.Count++;
        // One transaction: the stock and the cart change together, or not at all.
        await db.SaveChangesAsync(token);
        return Results.Redirect("/cart");
    }

    /// <summary>Answers a save that the cluster refuses, or cannot acknowledge in time, with the reason.</summary>
    static async ValueTask<object?> ExplainRefusalAsync(EndpointFilterInvocationContext context, EndpointFilterDelegate next)
    {
        try
        {
            return await next(context);
        }
        catch (Exception e) when (e is BoundExceededException or NotEnoughNodesException or ConsistencyException)
        {
            return Results.Text(e.Message, statusCode: e is BoundExceededException ? StatusCodes.Status409Conflict : StatusCodes.Status503ServiceUnavailable);
        }
    }
}
