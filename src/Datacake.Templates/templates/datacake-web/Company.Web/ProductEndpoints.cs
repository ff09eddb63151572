using Datacake.Data;

namespace Company.Web;

static class ProductEndpoints
{
    public static void MapProducts(this IEndpointRouteBuilder app)
    {
        var products = app.MapGroup("/products");

        products.MapGet("", (ShopContext db, CancellationToken token) => db.Products.OrderBy(product => product.Name).Take(100).ToListAsync(token));

        products.MapGet("{id}", async (Guid id, ShopContext db, CancellationToken token) =>
            await db.Products.FindAsync([id], token) is { } product ? Results.Ok(product) : Results.NotFound());

        products.MapPost("", async (NewProduct asked, ShopContext db, CancellationToken token) =>
        {
            var product = new Product { Name = asked.Name, Price = asked.Price, Stock = asked.Stock };
            db.Products.Add(product);
            await db.SaveChangesAsync(token);
            return Results.Created($"/products/{product.Id}", product);
        });

        products.MapPost("{id}/sales", async (Guid id, ShopContext db, CancellationToken token) =>
        {
            if (await db.Products.FindAsync([id], token) is not { } product)
                return Results.NotFound();
            product.Stock--;
            try
            {
                await db.SaveChangesAsync(token);
            }
            catch (BoundExceededException e)
            {
                // Sold out, or the rest can only be sold by nodes that this one cannot reach.
                return Results.Conflict(e.Message);
            }
            return Results.Ok(product);
        });
    }
}

/// <summary>A product to add.</summary>
sealed record NewProduct(string Name, decimal Price, int Stock);
