using Microsoft.Playwright;

[assembly: AssemblyFixture(typeof(Datacake.Shop.Tests.Browser))]

namespace Datacake.Shop.Tests;

/// <summary>The Chromium of this machine, one for all tests. Without one, the tests are skipped.</summary>
public sealed class Browser : BrowserFixture
{
    /// <summary>Opens the page of a shop as a new visitor.</summary>
    public async Task<ShopPage> OpenAsync(RunningShop shop)
    {
        var context = await NewContextAsync(new BrowserNewContextOptions { ViewportSize = new ViewportSize { Width = 1100, Height = 640 } });
        var page = new ShopPage(context, await context.NewPageAsync());
        await page.GoToAsync(shop.Address);
        return page;
    }
}
