using System.Collections.Concurrent;
using Microsoft.Playwright;

namespace Datacake.Shop.Tests;

/// <summary>The page of the shop in a window of its own.</summary>
public sealed class ShopPage : IAsyncDisposable
{
    readonly IBrowserContext _context;
    readonly ConcurrentQueue<string> _errors = [];

    internal ShopPage(IBrowserContext context, IPage page)
    {
        _context = context;
        Page = page;
        page.PageError += (_, error) => _errors.Enqueue(error);
        page.Response += (_, response) =>
        {
            string node = response.Headers.GetValueOrDefault("shop-node", "");
            if (response.Url.EndsWith("/stock/events", StringComparison.Ordinal))
                StreamNode = node;
            else if (response.Request.Method == "POST" && node.Length > 0)
                SaveNode = node;
        };
    }

    public IPage Page { get; }

    /// <summary>Gets the node that sends the stream of events.</summary>
    public string StreamNode { get; private set; } = "";

    /// <summary>Gets the node that has saved the last form.</summary>
    public string SaveNode { get; private set; } = "";

    public async Task GoToAsync(string address)
    {
        await Page.GotoAsync(address);
        await WaitUntilReadyAsync();
    }

    public async Task ReloadAsync()
    {
        await Page.ReloadAsync();
        await WaitUntilReadyAsync();
    }

    /// <summary>Waits for a text in the element with an id.</summary>
    public Task WaitForTextAsync(string id, string text) =>
        Eventually.WaitUntilAsync(async () => (await TextAsync(id)).Contains(text, StringComparison.Ordinal), () => $"#{id} shows '{text}'; errors: {string.Join('\n', _errors)}");

    /// <summary>Returns the text of the element with an id.</summary>
    public async Task<string> TextAsync(string id) => await Page.Locator($"#{id}").TextContentAsync() ?? "";

    /// <summary>Returns the number of a product in stock.</summary>
    public async Task<int> StockAsync(int product) => int.Parse(await Page.Locator($"#product-{product} td").Nth(1).InnerTextAsync(), System.Globalization.CultureInfo.InvariantCulture);

    /// <summary>Waits until the number of a product in stock is shown.</summary>
    public Task WaitForStockAsync(int product, int stock) =>
        Eventually.WaitUntilAsync(async () => await StockAsync(product) == stock, () => $"{stock} of product {product} are shown; errors: {string.Join('\n', _errors)}");

    public Task BuyAsync(int product) => Page.Locator($"#product-{product} button").ClickAsync();

    public async Task SayAsync(string text)
    {
        await Page.GetByLabel("Message").FillAsync(text);
        await Page.GetByRole(AriaRole.Button, new PageGetByRoleOptions { Name = "Say" }).ClickAsync();
    }

    /// <summary>Clicks the button of a node, which is Kill or Start, and waits for the state of the node.</summary>
    public async Task ClickNodeAsync(string node, string button, string expectedState)
    {
        await Page.Locator($"#node-{node}").GetByRole(AriaRole.Button, new LocatorGetByRoleOptions { Name = button }).ClickAsync();
        await WaitForTextAsync($"node-{node}", expectedState);
    }

    public async ValueTask DisposeAsync() => await _context.DisposeAsync();

    /// <summary>Waits until the page shows all products and nodes, and is connected to the chat.</summary>
    async Task WaitUntilReadyAsync()
    {
        await Page.Locator("#product-3").WaitForAsync();
        await Page.Locator("#node-3").WaitForAsync();
        await Page.Locator("#chat-node").Filter(new LocatorFilterOptions { HasTextRegex = new System.Text.RegularExpressions.Regex("[123]") }).WaitForAsync();
        await Page.Locator("#cart-node").Filter(new LocatorFilterOptions { HasTextRegex = new System.Text.RegularExpressions.Regex("[123]") }).WaitForAsync();
    }
}
