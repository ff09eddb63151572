using System.Globalization;
using Storefront.Entities;
using Storefront.Services;

namespace Storefront;

/// <summary>A day in the shop, printed line by line. The output is identical with either library.</summary>
static class Scenario
{
    public static async Task RunAsync(Func<StorefrontContext> newContext, TextWriter output, CancellationToken cancellationToken)
    {
        string[] names = ["Enamel mug", "Thermos mug", "Trail shirt", "Cloud shirt", "Summit mug"];
        for (int i = 0; i < names.Length; i++)
        {
            await using var db = newContext();
            var item = new CatalogItem(1 + (i % 2), 1 + (i % 3), $"A {names[i]}", names[i], 10.5m + i, "");
            Write($"added {names[i]}: {await new CatalogService(db).AddAsync(item, cancellationToken)}");
        }
        await using (var db = newContext())
            Write($"added again: {await new CatalogService(db).AddAsync(new CatalogItem(1, 1, "x", names[0], 1, ""), cancellationToken)}");

        await WithCatalogAsync(async catalog =>
        {
            Write($"changed: {await catalog.UpdateAsync("Cloud shirt", "Cirrus shirt", "Lighter", 25m, 3, cancellationToken)}");
            Write($"deleted: {await catalog.DeleteAsync("Thermos mug", cancellationToken)}, {await catalog.DeleteAsync("Nothing", cancellationToken)}");
        });
        await WithCatalogAsync(async catalog =>
        {
            WritePage("all", await catalog.GetPageAsync(0, 10, null, null, cancellationToken));
            WritePage("second page", await catalog.GetPageAsync(1, 3, null, null, cancellationToken));
            WritePage("mugs", await catalog.GetPageAsync(0, 10, null, 1, cancellationToken));
            WritePage("of the third brand", await catalog.GetPageAsync(0, 10, 3, null, cancellationToken));
            Write($"search: {string.Join(", ", await catalog.SearchAsync("Ci", cancellationToken))}");
            foreach (var count in await catalog.CountByBrandAsync(cancellationToken))
                Write($"{count.Brand}: {count.Items}");
        });

        var ids = new Dictionary<string, (long Id, decimal Price)>();
        await using (var db = newContext())
        {
            foreach (var item in await db.CatalogItems.ToListAsync(cancellationToken))
                ids[item.Name] = (item.Id, item.Price);
        }
        await AddToBasketAsync("anonymous", "Enamel mug", 2);
        await AddToBasketAsync("anonymous", "Trail shirt", 1);
        await AddToBasketAsync("ann", "Enamel mug", 1);
        await AddToBasketAsync("ann", "Summit mug", 4);
        await using (var db = newContext())
            await new BasketService(db).TransferAsync("anonymous", "ann", cancellationToken);
        await WriteBasketAsync("anonymous");
        await WriteBasketAsync("ann");
        await using (var db = newContext())
        {
            var quantities = new Dictionary<long, int> { [ids["Summit mug"].Id] = 0, [ids["Trail shirt"].Id] = 5 };
            await new BasketService(db).SetQuantitiesAsync("ann", quantities, cancellationToken);
        }
        await WriteBasketAsync("ann");

        await PlaceAsync("ann", "Oslo");
        await PlaceAsync("ann", "Oslo");
        await AddToBasketAsync("bob", "Cirrus shirt", 1);
        await PlaceAsync("bob", "Oslo");
        await AddToBasketAsync("ann", "Cirrus shirt", 1);
        await PlaceAsync("ann", "Bergen");
        await using (var db = newContext())
        {
            var orders = new OrderService(db);
            foreach (var order in await orders.ListAsync("ann", cancellationToken))
            {
                Write($"to {order.City}, {order.Lines} lines, {Text(order.Total)}");
                foreach (var line in order.Items)
                    Write($"  {line.Units} {line.Product} at {Text(line.UnitPrice)}");
            }
            Write($"buyers in Oslo: {string.Join(", ", await orders.FindBuyersOfAsync("Oslo", cancellationToken))}");
            Write($"left in baskets: {await db.Baskets.CountAsync(cancellationToken)}, {await db.BasketItems.CountAsync(cancellationToken)}");
        }

        void Write(string line) => output.WriteLine(line);

        static string Text(decimal price) => price.ToString("0.00", CultureInfo.InvariantCulture);

        void WritePage(string name, CatalogPage page)
        {
            Write($"{name}: {page.Lines.Count} of {page.Total}");
            foreach (var line in page.Lines)
                Write($"  {line.Name}, {line.Brand}, {line.Type}, {Text(line.Price)}");
        }

        async Task WithCatalogAsync(Func<CatalogService, Task> use)
        {
            await using var db = newContext();
            await use(new CatalogService(db));
        }

        async Task AddToBasketAsync(string buyer, string product, int quantity)
        {
            await using var db = newContext();
            await new BasketService(db).AddItemAsync(buyer, ids[product].Id, ids[product].Price, quantity, cancellationToken);
        }

        async Task WriteBasketAsync(string buyer)
        {
            await using var db = newContext();
            var baskets = new BasketService(db);
            Write($"basket of {buyer}: {await baskets.CountItemsAsync(buyer, cancellationToken)}");
            foreach (var item in (await baskets.FindAsync(buyer, cancellationToken))?.Items.OrderBy(item => item.UnitPrice) ?? Enumerable.Empty<BasketItem>())
                Write($"  {item.Quantity} at {Text(item.UnitPrice)}");
        }

        async Task PlaceAsync(string buyer, string city)
        {
            await using var db = newContext();
            var order = await new OrderService(db).PlaceAsync(buyer, new Address("Street 1", city, "Norway", "0001"), cancellationToken);
            Write(order is null ? $"nothing to order for {buyer}" : $"{buyer} ordered for {Text(order.Total())}");
        }
    }
}
