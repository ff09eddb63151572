using Datacake.Data;
using Datacake.EventualConsistency;
using Datacake.Hosting;
using Datacake.Node;
using Datacake.PostgreSql.Projection;
using Datacake.Sqlite;
using Npgsql;

namespace Datacake.Chain;

/// <summary>The head office: sets the prices, has the sales of all shops, and keeps them as tables in PostgreSQL for its reports.</summary>
static class HeadOffice
{
    const string Name = "office";

    public static void AddHeadOffice(this IServiceCollection services, ChainSettings chain)
    {
        // It has no seed but itself, so it forms the stores at its first start, and the shops join when they come.
        services.AddDatacake(options => options.WithNodeId(1).ListenOn(chain.Office.Node).WithSeeds(chain.Office.Node)
            .UseSqlite(chain.PathOf(Name, "node.db"))
            .WithStore(CatalogContext.Store, store => store.UseSqlite(chain.PathOf(Name, "catalog.db"))));
        services.AddDatacakeContext<CatalogContext>(CatalogContext.Store);
        services.AddDatacakeProjection<CatalogContext>(chain.Reports, static p => p.Schema("chain").Table(static db => db.Articles));

        for (int number = 1; number <= chain.Shops.Length; number++)
        {
            int shop = number;
            string store = SalesContext.StoreOf(shop);
            services.ConfigureDatacake(options => options.WithStore(store, named => named.UseSqlite(chain.PathOf(Name, $"sales-{shop}.db")).WithModel<SalesContext>()));
            services.AddDatacakeProjection(
                node => new SalesContext(node, store), chain.Reports, p => p.Schema("chain").Table(static db => db.Sales, t => t.Name($"sales_{shop}")));
        }
        services.AddSingleton(NpgsqlDataSource.Create(chain.Reports));
    }

    public static void MapHeadOffice(this IEndpointRouteBuilder app)
    {
        app.MapArticles();
        app.MapSales();
        app.MapPut("/articles/{id:int}", async (int id, NewPrice article, CatalogContext db, CancellationToken token) =>
        {
            db.Articles.Put(new Article { Id = id, Name = article.Name, Price = article.Price });
            await db.SaveChangesAsync(token);
        });

        string sql = File.ReadAllText(Path.Combine(AppContext.BaseDirectory, "report.sql"));
        app.MapGet("/report", async (NpgsqlDataSource database, CancellationToken token) =>
        {
            try
            {
                return Results.Json(await ReportAsync(database, sql, token));
            }
            catch (NpgsqlException e)
            {
                return Results.Text($"There is no report: {e.Message}", statusCode: StatusCodes.Status503ServiceUnavailable);
            }
        });
    }

    static async Task<List<ReportLine>> ReportAsync(NpgsqlDataSource database, string sql, CancellationToken token)
    {
        await using var command = database.CreateCommand(sql);
        await using var reader = await command.ExecuteReaderAsync(token);
        var lines = new List<ReportLine>();
        while (await reader.ReadAsync(token))
            lines.Add(new ReportLine(reader.GetInt32(0), reader.GetString(1), reader.GetInt64(2), reader.GetDecimal(3)));
        return lines;
    }

    /// <summary>The name and the price of an article.</summary>
    sealed record NewPrice(string Name, decimal Price);

    /// <summary>A line of the report: the quantity and the revenue of an article in a shop.</summary>
    sealed record ReportLine(int Shop, string Article, long Sold, decimal Revenue);
}
