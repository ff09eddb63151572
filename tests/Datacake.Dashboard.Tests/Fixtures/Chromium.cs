using Microsoft.Playwright;

[assembly: AssemblyFixture(typeof(Datacake.Dashboard.Tests.Fixtures.Chromium))]

namespace Datacake.Dashboard.Tests.Fixtures;

/// <summary>The Chromium of this machine, one for all tests. Without one, the tests are skipped.</summary>
public sealed class Chromium : BrowserFixture
{
    /// <summary>Opens a window in which an error of a script, a refused resource, or an error in the console fails the test when it is closed.</summary>
    public async Task<Window> OpenAsync(bool isDark = false, int width = 1280, int height = 900, bool hasScript = true, params (string Name, string Value)[] headers)
    {
        var context = await NewContextAsync(new BrowserNewContextOptions
        {
            ColorScheme = isDark ? ColorScheme.Dark : ColorScheme.Light,
            ViewportSize = new ViewportSize { Width = width, Height = height },
            JavaScriptEnabled = hasScript,
            ExtraHTTPHeaders = headers.Select(static header => KeyValuePair.Create(header.Name, header.Value)),
        });
        return new Window(context, await context.NewPageAsync());
    }
}
