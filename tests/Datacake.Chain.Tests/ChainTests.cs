namespace Datacake.Chain.Tests;

/// <summary>The processes of the chain, while some of them cannot reach the others.</summary>
public class ChainTests(RunningChain chain) : IClassFixture<RunningChain>
{
    [Fact]
    public async Task Price_of_the_head_office_reaches_all_shops_and_the_display()
    {
        int article = chain.NewArticle();
        await chain.Office.SetPriceAsync(article, "Cake", 12.50m);
        foreach (var process in (ChainProcess[])[.. chain.Shops, chain.Display])
            await process.WaitForPriceAsync(article, 12.50m);

        await chain.Office.SetPriceAsync(article, "Cake", 13.75m);
        foreach (var process in (ChainProcess[])[.. chain.Shops, chain.Display])
            await process.WaitForPriceAsync(article, 13.75m);

        Assert.Contains("<tr><td>Cake<td>13.75", await chain.Display.GetTextAsync("/"), StringComparison.Ordinal);
        for (int shop = 1; shop <= 3; shop++)
        {
            int number = shop;
            await Eventually.WaitUntilAsync(async () => await chain.LastLabelAsync(number, "Cake") == "Cake 13.75", $"shop {number} prints the label");
        }
    }

    [Fact]
    public async Task Sale_of_a_shop_is_at_the_head_office_and_at_no_other_shop()
    {
        int article = await OfferAsync("Bread", 3.20m);

        var sale = await chain.Shops[0].SellAsync(article, 2);

        await WaitForSaleAsync(1, sale);
        Assert.Contains(await chain.Shops[0].GetAsync<Sale[]>("/sales/1"), found => found.Id == sale.Id);
        foreach (int shop in (int[])[2, 3])
        {
            var (status, text) = await chain.Shops[shop - 1].TryGetAsync("/sales/1");
            Assert.Equal(404, status);
            Assert.StartsWith($"Node {shop + 1} does not hold the store 'sales/1'. It is held by node 1 (", text, StringComparison.Ordinal);
            Assert.DoesNotContain(await chain.Shops[shop - 1].GetAsync<Sale[]>($"/sales/{shop}"), found => found.Id == sale.Id);
        }
    }

    [Fact]
    public async Task Report_in_SQL_equals_the_sales_of_all_shops()
    {
        var names = new Dictionary<int, string>();
        foreach (string name in (string[])["Scone", "Tart", "Pie"])
            names.Add(await OfferAsync(name, 1.10m), name);
        var random = new Random(7);
        var sales = new List<Sale>();
        for (int i = 0; i < 60; i++)
        {
            int article = names.Keys.ElementAt(random.Next(names.Count));
            if (i % 6 == 5)
                await chain.Office.SetPriceAsync(article, names[article], 1 + (random.Next(1_000) / 100m));
            sales.Add(await chain.Shops[random.Next(3)].SellAsync(article, random.Next(1, 5)));
        }

        await chain.WaitForReportAsync(names, sales);
        Assert.True(sales.Select(static sale => sale.Price).Distinct().Count() > 1, "The prices have changed in between.");
    }

    [Fact]
    public async Task Shop_that_is_cut_off_sells_on_and_merges_when_it_is_back()
    {
        int article = await OfferAsync("Muffin", 2.00m);
        var shop = chain.Shops[1];
        await shop.StopAsync();
        await shop.StartAsync("--cut-off");
        await chain.Office.SetPriceAsync(article, "Muffin", 2.50m);
        await chain.Display.WaitForPriceAsync(article, 2.50m);

        var before = await shop.SellAsync(article, 3);
        var elsewhere = await chain.Shops[0].SellAsync(article, 1);
        await WaitForSaleAsync(1, elsewhere);
        Assert.Equal((2.00m, 2.50m), (before.Price, elsewhere.Price));
        Assert.DoesNotContain(await chain.Office.GetAsync<Sale[]>("/sales/2"), found => found.Id == before.Id);

        await shop.StopAsync();
        await shop.StartAsync();
        await shop.WaitForPriceAsync(article, 2.50m);
        var after = await shop.SellAsync(article, 1);
        Assert.Equal(2.50m, after.Price);
        await WaitForSaleAsync(2, before);
        await chain.WaitForReportAsync(new Dictionary<int, string> { [article] = "Muffin" }, [before, elsewhere, after]);
        await Eventually.WaitUntilAsync(async () => await chain.LastLabelAsync(2, "Muffin") == "Muffin 2.50", "the shop prints the label of the price that it has missed");
    }

    [Fact]
    public async Task Kill_of_the_head_office_loses_and_doubles_nothing_in_the_report()
    {
        const int Sales = 60;
        var names = new Dictionary<int, string> { [await OfferAsync("Brownie", 1.90m)] = "Brownie", [await OfferAsync("Cookie", 0.70m)] = "Cookie" };
        int[] articles = [.. names.Keys];
        int sold = 0;
        TaskCompletionSource killed = new(TaskCreationOptions.RunContinuationsAsynchronously), missed = new(TaskCreationOptions.RunContinuationsAsynchronously);
        var selling = Task.WhenAll(chain.Shops.Select(async shop =>
        {
            var sales = new List<Sale>();
            for (int i = 0; i < Sales; i++)
            {
                sales.Add(await shop.SellAsync(articles[i % 2], 1 + (i % 3)));
                Interlocked.Increment(ref sold);
                // The shops continue only once the head office is down, so that it misses a third of the sales; and another third is made while it starts.
                if (i == Sales / 3)
                    await killed.Task;
                if (i == 2 * Sales / 3)
                    await missed.Task;
            }
            return sales;
        }));
        await Eventually.WaitUntilAsync(() => sold >= 3 * Sales / 3, "a third of the sales is made");
        await chain.Office.KillAsync();
        killed.SetResult();
        await Eventually.WaitUntilAsync(() => sold >= 3 * 2 * Sales / 3, "two thirds of the sales are made");
        var starting = chain.Office.StartAsync();
        missed.SetResult();
        await starting;

        await chain.WaitForReportAsync(names, (await selling).SelectMany(static sales => sales));
    }

    /// <summary>Adds an article, and returns its number once all shops have it.</summary>
    async Task<int> OfferAsync(string name, decimal price)
    {
        int article = chain.NewArticle();
        await chain.Office.SetPriceAsync(article, name, price);
        foreach (var shop in chain.Shops)
            await shop.WaitForPriceAsync(article, price);
        return article;
    }

    Task WaitForSaleAsync(int shop, Sale sale) => Eventually.WaitUntilAsync(
        async () => (await chain.Office.GetAsync<Sale[]>($"/sales/{shop}")).Any(found => found.Id == sale.Id), $"the head office has the sale of shop {shop}");
}
