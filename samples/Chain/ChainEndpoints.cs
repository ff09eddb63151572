using Datacake.Data;
using Datacake.EventualConsistency;
using Datacake.Node;

namespace Datacake.Chain;

/// <summary>The endpoints that several processes have.</summary>
static class ChainEndpoints
{
    /// <summary>Maps the articles, which every process has.</summary>
    public static void MapArticles(this IEndpointRouteBuilder app) => app.MapGet("/articles", ListAsync);

    /// <summary>Maps the sales of a shop. Only the head office and the shop itself have them.</summary>
    public static void MapSales(this IEndpointRouteBuilder app) => app.MapGet("/sales/{shop:int}", async (int shop, DatacakeNode node, CancellationToken token) =>
    {
        try
        {
            await using var db = new SalesContext(node, SalesContext.StoreOf(shop));
            return Results.Json(await db.Sales.OrderBy(static sale => sale.At).ToListAsync(token));
        }
        catch (StoreNotHeldException e)
        {
            return Results.Text(e.Message, statusCode: StatusCodes.Status404NotFound);
        }
    });

    public static Task<List<Article>> ListAsync(CatalogContext db, CancellationToken token) => db.Articles.OrderBy(static article => article.Id).ToListAsync(token);
}
