using System.Diagnostics.CodeAnalysis;
using Microsoft.Playwright;
using Xunit;

namespace Datacake.Tests;

/// <summary>The Chromium of this machine, one for all tests of an assembly. Without one, the tests are skipped.</summary>
public abstract class BrowserFixture : IAsyncLifetime
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

    [SuppressMessage("Usage", "CA1816", Justification = "There is no finalizer.")]
    public async ValueTask DisposeAsync()
    {
        if (_browser is not null)
            await _browser.DisposeAsync();
        _playwright?.Dispose();
    }

    /// <summary>Opens a context with the deadline of the tests.</summary>
    protected async Task<IBrowserContext> NewContextAsync(BrowserNewContextOptions options)
    {
        Assert.SkipUnless(_browser is not null, InstalledChromium.IsMissing);
        var context = await _browser.NewContextAsync(options);
        context.SetDefaultTimeout((float)Eventually.Deadline.TotalMilliseconds);
        return context;
    }
}
