using Microsoft.Playwright;

[assembly: AssemblyFixture(typeof(Datacake.Shop.Tests.Browser))]

namespace Datacake.Shop.Tests;

/// <summary>The Chromium of this machine, one for all tests. Without one, the tests are skipped.</summary>
public sealed class Browser : IAsyncLifetime
{
    IPlaywright? _playwright;
    IBrowser? _browser;

    public async ValueTask InitializeAsync()
    {
        if (InstalledChromium.Find() is not { } path)
            return;
        _playwright = await Playwright.CreateAsync();
        _browser = await InstalledChromium.LaunchAsync(_playwright, path);
    }

    /// <summary>Opens the page of a shop as a new visitor.</summary>
    public async Task<ShopPage> OpenAsync(RunningShop shop)
    {
        Assert.SkipUnless(_browser is not null, InstalledChromium.IsMissing);
        var context = await _browser.NewContextAsync(new BrowserNewContextOptions { ViewportSize = new ViewportSize { Width = 1100, Height = 640 } });
        context.SetDefaultTimeout((float)Eventually.Deadline.TotalMilliseconds);
        var page = new ShopPage(context, await context.NewPageAsync());
        await page.GoToAsync(shop.Address);
        return page;
    }

    public async ValueTask DisposeAsync()
    {
        if (_browser is not null)
            await _browser.DisposeAsync();
        _playwright?.Dispose();
    }
}
