using System.Globalization;
using System.Net;
using Datacake.Data;
using Datacake.EventualConsistency;
using Datacake.Hosting;
using Datacake.Node;
using Datacake.Sqlite;
using Datacake.Storage;

namespace Datacake.Chain;

/// <summary>A display of the prices, which follows the catalog and is no member of anything.</summary>
static class PriceDisplay
{
    public static void AddPriceDisplay(this IServiceCollection services, ChainSettings chain)
    {
        string[] members = [chain.Office.Node, .. chain.Shops.Select(static shop => shop.Node)];
        services.AddDatacake(options => options.AsFollower(members).UseMemory()
            .WithStore(CatalogContext.Store, store => store.UseSqlite(chain.PathOf("display", "catalog.db")).AsFollower(members)));
        services.AddDatacakeContext<CatalogContext>(CatalogContext.Store);
    }

    public static void MapPriceDisplay(this IEndpointRouteBuilder app)
    {
        app.MapArticles();
        app.MapGet("/", async (CatalogContext db, DatacakeNode node, CancellationToken token) =>
        {
            var store = await node.OpenStoreAsync(CatalogContext.Store, token);
            var rows = from article in await ChainEndpoints.ListAsync(db, token)
                       select $"<tr><td>{WebUtility.HtmlEncode(article.Name)}<td>{article.Price.ToString("0.00", CultureInfo.InvariantCulture)}";
            string note = store.FollowStatus is { IsConnected: false, Since: var since } ? $"<p>These prices were current at {since:HH:mm:ss}." : "";
            return Results.Content($"<!doctype html><meta http-equiv=refresh content=2><title>Prices</title><table>{string.Concat(rows)}</table>{note}", "text/html");
        });
    }
}
