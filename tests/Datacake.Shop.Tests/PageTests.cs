using System.Net;
using Microsoft.Playwright;

namespace Datacake.Shop.Tests;

/// <summary>The page of the shop in a browser, while nodes are killed.</summary>
public class PageTests(RunningShop shop, Browser browser) : IClassFixture<RunningShop>
{
    [Fact]
    public async Task Sale_on_one_page_is_shown_on_a_page_whose_events_come_from_another_node()
    {
        await using var first = await browser.OpenAsync(shop);
        await using var second = await OpenElsewhereAsync(page => Task.FromResult(page.StreamNode != first.StreamNode));
        int stock = await second.StockAsync(1);

        await first.BuyAsync(1);

        await first.WaitForTextAsync("cart", "1 × Carrot cake");
        await first.WaitForStockAsync(1, stock - 1);
        await second.WaitForStockAsync(1, stock - 1);
        Assert.Equal("Nothing yet.", await second.TextAsync("cart"));
    }

    [Fact]
    public async Task Message_reaches_a_page_that_is_connected_to_another_node()
    {
        await using var first = await browser.OpenAsync(shop);
        string node = await first.TextAsync("chat-node");
        await using var second = await OpenElsewhereAsync(async page => await page.TextAsync("chat-node") != node);

        await first.SayAsync("Is the Battenberg fresh?");

        await first.WaitForTextAsync("messages", $"Node {node}: Is the Battenberg fresh?");
        await second.WaitForTextAsync("messages", $"Node {node}: Is the Battenberg fresh?");
    }

    [Fact]
    public async Task Cart_survives_the_kill_of_the_node_that_has_saved_it()
    {
        await using var page = await browser.OpenAsync(shop);
        await page.BuyAsync(2);
        await page.WaitForTextAsync("cart", "1 × Battenberg");
        string saved = page.SaveNode;

        await page.ClickNodeAsync(saved, "Kill", "down");
        await page.ReloadAsync();

        Assert.Equal("1 × Battenberg", await page.TextAsync("cart"));
        await page.BuyAsync(2);
        await page.WaitForTextAsync("cart", "2 × Battenberg");
        Assert.NotEqual(saved, page.SaveNode);
        await page.SayAsync("Is the Battenberg sold by another node now?");
        await page.WaitForTextAsync("messages", "Battenberg");
        await SaveScreenshotAsync(page);

        await page.ClickNodeAsync(saved, "Start", "up");
        await Eventually.WaitUntilAsync(
            async () =>
            {
                await page.ReloadAsync();
                Assert.Equal("2 × Battenberg", await page.TextAsync("cart"));
                return await page.TextAsync("cart-node") == saved;
            },
            "the node that was killed serves the cart");
    }

    [Fact]
    public async Task Page_misses_nothing_when_the_node_of_its_events_is_killed()
    {
        await using var page = await browser.OpenAsync(shop);
        using var visitor = await Visitor.ComeAsync(shop);
        string killed = page.StreamNode;
        int first = await page.StockAsync(1), second = await page.StockAsync(2);
        await BuyAsync(visitor, 1);
        await page.WaitForStockAsync(1, first - 1);

        await shop.KillNodeAsync(killed);
        await BuyAsync(visitor, 1);
        await BuyAsync(visitor, 2);

        await page.WaitForStockAsync(1, first - 2);
        await page.WaitForStockAsync(2, second - 1);
        Assert.NotEqual(killed, page.StreamNode);
        // It has continued after the last event, and not begun anew.
        Assert.Equal(("2", "1"), (await page.TextAsync("connected"), await page.TextAsync("resets")));

        await shop.StartNodeAsync(killed);
        await BuyAsync(visitor, 2);
        await page.WaitForStockAsync(2, second - 2);
        Assert.Equal(("2", "1"), (await page.TextAsync("connected"), await page.TextAsync("resets")));
    }

    [Fact]
    public async Task Cached_prices_show_a_change_to_the_visitor_at_once_and_to_others_soon()
    {
        await using var page = await browser.OpenAsync(shop);
        await using var other = await browser.OpenAsync(shop);
        await page.Page.GetByLabel("Product").SelectOptionAsync("3");
        await page.Page.GetByLabel("Price").FillAsync("6.35");
        await page.Page.GetByRole(AriaRole.Button, new PageGetByRoleOptions { Name = "Change" }).ClickAsync();

        await page.WaitForTextAsync("prices", "6.35  Black Forest cake");
        await Eventually.WaitUntilAsync(
            async () =>
            {
                await other.Page.GetByRole(AriaRole.Button, new PageGetByRoleOptions { Name = "Reload" }).ClickAsync();
                return (await other.TextAsync("prices")).Contains("6.35  Black Forest cake", StringComparison.Ordinal);
            },
            "the other visitor sees the new price");
    }

    /// <summary>Opens a page as a new visitor, and reloads it until a condition of the nodes that serve it is met.</summary>
    async Task<ShopPage> OpenElsewhereAsync(Func<ShopPage, Task<bool>> isElsewhere)
    {
        var page = await browser.OpenAsync(shop);
        await Eventually.WaitUntilAsync(
            async () =>
            {
                if (await isElsewhere(page))
                    return true;
                await shop.SkipNodeAsync();
                await page.ReloadAsync();
                return false;
            },
            "another node serves the page");
        return page;
    }

    static async Task BuyAsync(Visitor visitor, int product)
    {
        var bought = await visitor.BuyAsync(product);
        Assert.True(bought.Status == HttpStatusCode.Found, $"Node {bought.Node} answers {bought.Status}: {bought.Text}");
    }

    static async Task SaveScreenshotAsync(ShopPage page)
    {
        if (InstalledChromium.Screenshots is { } folder)
            await page.Page.ScreenshotAsync(new PageScreenshotOptions { Path = Path.Combine(folder, "shop.png"), FullPage = true });
    }
}
