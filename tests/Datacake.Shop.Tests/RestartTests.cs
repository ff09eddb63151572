using System.Net;
using Microsoft.Playwright;

namespace Datacake.Shop.Tests;

/// <summary>
/// A shop most of whose nodes have been killed, or all. Such a node sells its earlier share of the stock only once it has heard from all the others, so this is not the shop of the other tests.
/// </summary>
public class RestartTests(RunningShop shop, Browser browser) : IClassFixture<RunningShop>
{
    [Fact]
    public async Task Shop_continues_from_its_files_after_all_nodes_were_killed()
    {
        await using var page = await browser.OpenAsync(shop);
        int stock = await page.StockAsync(1);
        await page.BuyAsync(1);
        await page.WaitForTextAsync("cart", "1 × Carrot cake");
        await page.WaitForStockAsync(1, stock - 1);

        foreach (string node in (string[])["1", "2", "3"])
            await page.ClickNodeAsync(node, "Kill", "down");
        await page.Page.GetByRole(AriaRole.Button, new PageGetByRoleOptions { Name = "Reload" }).ClickAsync();
        await page.WaitForTextAsync("error", "503");
        await shop.StartAllAsync();

        // The same page, with the same cookie and the same token, goes on.
        await Eventually.WaitUntilAsync(async () => await page.TextAsync("resets") == "2" && await page.Page.Locator("#product-3").CountAsync() == 1, "the events begin anew");
        await page.WaitForStockAsync(1, stock - 1);
        await page.BuyAsync(1);
        await page.WaitForTextAsync("cart", "2 × Carrot cake");
        await page.WaitForStockAsync(1, stock - 2);
        await page.SayAsync("Hello again.");
        await page.WaitForTextAsync("messages", "Hello again.");
    }
    [Fact]
    public async Task Last_node_shows_prices_and_carts_and_refuses_sales()
    {
        using var visitor = await Visitor.ComeAsync(shop);
        await visitor.BuyAsync(2);
        await shop.KillNodeAsync("1");
        await shop.KillNodeAsync("2");

        var refused = await visitor.BuyAsync(3);

        Assert.Equal(("3", HttpStatusCode.ServiceUnavailable), (refused.Node, refused.Status));
        Assert.Equal("1 × Battenberg", (await visitor.GetAsync("/cart")).Text);
        Assert.Contains("Battenberg", (await visitor.GetAsync("/prices")).Text, StringComparison.Ordinal);
        await shop.StartAllAsync();
    }
}
