using Microsoft.Playwright;

namespace Datacake.Tests;

/// <summary>The Chromium of this machine.</summary>
static class InstalledChromium
{
    /// <summary>The reason why a test that needs a browser is skipped.</summary>
    public const string IsMissing = "This machine has no Chromium. Install it (Debian: apt-get install chromium), or name it in DATACAKE_CHROMIUM.";

    static readonly string[] Names = ["chromium", "chromium-browser", "google-chrome", "chrome.exe", "msedge.exe"];

    /// <summary>Gets the folder in which screenshots are kept; null if nobody wants them.</summary>
    public static string? Screenshots => Environment.GetEnvironmentVariable("DATACAKE_SCREENSHOTS");

    /// <summary>Returns the path of the browser; null if there is none.</summary>
    public static string? Find() => Environment.GetEnvironmentVariable("DATACAKE_CHROMIUM") is { Length: > 0 } given
        ? given
        : (Environment.GetEnvironmentVariable("PATH") ?? "").Split(Path.PathSeparator).SelectMany(static folder => Names.Select(name => Path.Combine(folder, name))).FirstOrDefault(File.Exists);

    /// <summary>Starts the browser at a path.</summary>
    public static Task<IBrowser> LaunchAsync(IPlaywright playwright, string path) => playwright.Chromium.LaunchAsync(new BrowserTypeLaunchOptions
    {
        ExecutablePath = path,
        Args = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-dev-shm-usage"],
    });
}
