using Datacake.Data;
using Datacake.EventualConsistency;
using Datacake.Hosting;
using Datacake.Node;
using Datacake.Sqlite;

namespace Datacake.Chain;

/// <summary>A shop: has the prices, and sells, whether or not it can reach the head office.</summary>
static class Branch
{
    /// <param name="services">The application's services.</param>
    /// <param name="chain">The settings.</param>
    /// <param name="shop">The number of the shop, from 1.</param>
    /// <param name="isCutOff">True if the shop reaches nobody, and nobody reaches it.</param>
    public static void AddBranch(this IServiceCollection services, ChainSettings chain, int shop, bool isCutOff)
    {
        string name = $"shop-{shop}";
        services.AddDatacake(options => options.WithNodeId(shop + 1).ListenOn(chain.Shops[shop - 1].Node).WithSeeds(chain.Office.Node)
            .UseSqlite(chain.PathOf(name, "node.db"))
            .WithStore(CatalogContext.Store, store => LeaveVotes(store.UseSqlite(chain.PathOf(name, "catalog.db"))))
            .WithStore(SalesContext.StoreOf(shop), store => LeaveVotes(store.UseSqlite(chain.PathOf(name, "sales.db")))));
        // Nothing passes between nodes with different secrets, as if the network was down.
        if (isCutOff)
            services.ConfigureDatacake(static options => options.WithClusterSecret($"{Guid.NewGuid():N}"));
        services.AddDatacakeContext<CatalogContext>(CatalogContext.Store);
        services.AddDatacakeContext<SalesContext>(SalesContext.StoreOf(shop));
        services.AddHostedService(provider => new LabelPrinter(provider.GetRequiredService<IDatacakeContextFactory<CatalogContext>>(), shop, chain.PathOf(name, LabelPrinter.File)));

        // Votes decide who keeps the tables of the reports. So that the head office needs no shop for that, the shops have none.
        static void LeaveVotes(NamedStoreOptions store) => store.Settings.NeverVotes = true;
    }

    public static void MapBranch(this IEndpointRouteBuilder app, int shop)
    {
        app.MapArticles();
        app.MapSales();
        app.MapPost("/sales", async (NewSale sold, CatalogContext catalog, SalesContext db, TimeProvider time, CancellationToken token) =>
        {
            if (await catalog.Articles.FindAsync([sold.Article], token) is not { } article)
                return Results.NotFound();
            var sale = new Sale { Id = Guid.CreateVersion7(), Shop = shop, ArticleId = article.Id, Quantity = sold.Quantity, Price = article.Price, At = time.GetUtcNow() };
            db.Sales.Add(sale);
            await db.SaveChangesAsync(token);
            return Results.Json(sale);
        });
    }

    /// <summary>An article to sell.</summary>
    sealed record NewSale(int Article, int Quantity);
}
