using Microsoft.Playwright;

[assembly: AssemblyFixture(typeof(Datacake.Dashboard.Tests.Fixtures.Chromium))]

namespace Datacake.Dashboard.Tests.Fixtures;

/// <summary>The Chromium of this machine, one for all tests. Without one, the tests are skipped.</summary>
public sealed class Chromium : IAsyncLifetime
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

    /// <summary>Opens a window in which an error of a script, a refused resource, or an error in the console fails the test when it is closed.</summary>
    public async Task<Window> OpenAsync(bool isDark = false, int width = 1280, int height = 900, bool hasScript = true, params (string Name, string Value)[] headers)
    {
        Assert.SkipUnless(_browser is not null, InstalledChromium.IsMissing);
        var context = await _browser.NewContextAsync(new BrowserNewContextOptions
        {
            ColorScheme = isDark ? ColorScheme.Dark : ColorScheme.Light,
            ViewportSize = new ViewportSize { Width = width, Height = height },
            JavaScriptEnabled = hasScript,
            ExtraHTTPHeaders = headers.Select(static header => KeyValuePair.Create(header.Name, header.Value)),
        });
        context.SetDefaultTimeout((float)Eventually.Deadline.TotalMilliseconds);
        return new Window(context, await context.NewPageAsync());
    }

    public async ValueTask DisposeAsync()
    {
        if (_browser is not null)
            await _browser.DisposeAsync();
        _playwright?.Dispose();
    }
}
