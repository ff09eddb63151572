using System.Collections.Concurrent;
using Deque.AxeCore.Commons;
using Deque.AxeCore.Playwright;
using Microsoft.Playwright;

namespace Datacake.Dashboard.Tests.Fixtures;

/// <summary>A window of the browser, and the errors in its console.</summary>
public sealed class Window : IAsyncDisposable
{
    readonly IBrowserContext _context;

    internal Window(IBrowserContext context, IPage page)
    {
        _context = context;
        Page = page;
        page.Console += (_, message) =>
        {
            if (message.Type == "error")
                Errors.Enqueue(message.Text);
        };
        page.PageError += (_, error) => Errors.Enqueue(error);
    }

    public IPage Page { get; }

    /// <summary>Gets the errors of scripts and the resources that were refused.</summary>
    public ConcurrentQueue<string> Errors { get; } = [];

    /// <summary>Opens a page, and returns the status of the response.</summary>
    public async Task<int> GoToAsync(string address) =>
        (await Page.GotoAsync(address, new PageGotoOptions { WaitUntil = WaitUntilState.DOMContentLoaded }))!.Status;

    /// <summary>Returns the rules of accessibility that the page breaks, with the elements.</summary>
    public async Task<IReadOnlyList<string>> FindAccessibilityProblemsAsync()
    {
        // The current mode opens another page for the results of frames, which these pages do not have, and takes three times as long.
#pragma warning disable CS0618
        var result = await Page.Locator("html").RunAxeLegacy(new AxeRunOptions { ResultTypes = [ResultType.Violations] });
#pragma warning restore CS0618
        return [.. result.Violations.Select(static rule => $"{rule.Id} ({rule.Help}): {string.Join(", ", rule.Nodes.Select(static node => node.Html))}")];
    }

    /// <summary>Returns how many pixels the page is wider than the window.</summary>
    public Task<int> OverflowAsync() => Page.EvaluateAsync<int>("document.documentElement.scrollWidth - document.documentElement.clientWidth");

    public async ValueTask DisposeAsync() => await _context.DisposeAsync();
}
