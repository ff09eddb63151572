using Datacake.Dashboard.Tests.Fixtures;
using Datacake.Data;
using Datacake.EventualConsistency;
using Datacake.Testing;
using Microsoft.AspNetCore.Builder;
using Microsoft.Playwright;

namespace Datacake.Dashboard.Tests;

/// <summary>Pages that stay open in a real browser while the cluster changes.</summary>
public class LivePageTests(Chromium chromium)
{
    static CancellationToken Canceled => TestContext.Current.CancellationToken;

    static Action<DashboardOptions> Fast => static options => options.RefreshInterval = TimeSpan.FromSeconds(0.5);

    [Fact]
    public async Task Node_that_dies_is_shown_on_the_open_page_with_its_pending_deletes()
    {
        await using var shop = await ShopCluster.StartAsync(Fast);
        await shop.FillAsync();
        await shop.ChangeProductAsync(7);
        await using var window = await chromium.OpenAsync();
        var page = window.Page;
        await window.GoToAsync($"{shop.Host.Address}/datacake/");
        await page.Locator("tr[data-node='2'][data-state=InSession]").WaitForAsync();
        await page.EvaluateAsync("window.isSamePage = true");

        await shop.Nodes.StopAbruptlyAsync(2);

        await page.Locator("tr[data-node='2'][data-state=Down]").WaitForAsync();
        await page.Locator("[data-code=member-down]").WaitForAsync();
        Assert.Equal("is down", await page.Locator(".matrix .silent").InnerTextAsync());
        Assert.True(await page.EvaluateAsync<bool>("window.isSamePage"));
        await SaveScreenshotAsync(page, "node-down");
        Assert.Empty(await window.FindAccessibilityProblemsAsync());

        await DeleteAndRemoveAsync(shop);
        await window.GoToAsync($"{shop.Host.Address}/datacake/data/keyspace?name=Products&show=deleted");
        await page.GetByRole(AriaRole.Link, new PageGetByRoleOptions { Name = "5", Exact = true }).ClickAsync();
        Assert.Contains("Pending delete", await page.Locator(".finding.warn").InnerTextAsync(), StringComparison.Ordinal);
        await window.GoToAsync($"{shop.Host.Address}/datacake/data/document?keyspace=Products&key=7");
        Assert.Contains("classic", await page.Locator("#scroll-removed").InnerTextAsync(), StringComparison.Ordinal);
        Assert.Contains("total 71", await page.Locator("section[aria-label='Counter Stock']").InnerTextAsync(), StringComparison.Ordinal);
        await page.EmulateMediaAsync(new PageEmulateMediaOptions { ColorScheme = ColorScheme.Dark });
        await SaveScreenshotAsync(page, "document-removed");
        Assert.Empty(await window.FindAccessibilityProblemsAsync());
        Assert.Empty(window.Errors);
    }

    [Fact]
    public async Task Serial_transactions_and_their_conflicts_appear_on_the_open_page()
    {
        await using var shop = await ShopCluster.StartAsync(Fast);
        var node = shop.Nodes[0].Node;
        var store = await node.OpenStoreAsync(Canceled);
        await Eventually.WaitUntilAsync(() => store.SerialStatus is { Sequencer: not null, VoterCount: 3 }, "all nodes vote");
        await using var window = await chromium.OpenAsync();
        var page = window.Page;
        await window.GoToAsync($"{shop.Host.Address}/datacake/");
        await page.Locator("#serial dd").Filter(new LocatorFilterOptions { HasText = "2 of 3 decide" }).WaitForAsync();
        Assert.Equal(0, await page.Locator("[data-conflicts]").CountAsync());

        await using var first = new VoucherContext(node);
        await using var second = new VoucherContext(node);
        var voucher = new Voucher { Id = "spring", Left = 10 };
        first.Vouchers.Add(voucher);
        await first.SaveChangesAsync(Canceled);
        var same = (await second.Vouchers.FindAsync(["spring"], Canceled))!;
        voucher.Left--;
        await first.SaveChangesAsync(Canceled);
        same.Left--;
        await Assert.ThrowsAsync<EntityConflictException>(() => second.SaveChangesAsync(Canceled));

        await page.Locator("tr[data-conflicts=Vouchers]").WaitForAsync();
        string serial = await page.Locator("#serial").InnerTextAsync();
        Assert.Contains($"node {store.SerialStatus.Sequencer}", serial, StringComparison.Ordinal);
        Assert.Contains("0, 1, 2", serial, StringComparison.Ordinal);
        Assert.Equal("1", await page.Locator("tr[data-conflicts=Vouchers] td").InnerTextAsync());
        await SaveScreenshotAsync(page, "serial");
        Assert.Empty(await window.FindAccessibilityProblemsAsync());
        Assert.Empty(window.Errors);
    }

    [Fact]
    public async Task Server_that_dies_is_announced_and_the_page_goes_on_when_it_is_back()
    {
        await using var node = await TestNode.StartAsync(cancellationToken: Canceled);
        var host = await DashboardHost.StartAsync(node.Node, configure: Fast);
        await using var window = await chromium.OpenAsync();
        await window.GoToAsync($"{host.Address}/datacake/");
        var status = window.Page.GetByRole(AriaRole.Status);
        Assert.Equal("", await status.InnerTextAsync());

        await host.DisposeAsync();

        await window.Page.GetByText("The server cannot be reached.").WaitForAsync();
        Assert.Equal("polite", await status.GetAttributeAsync("aria-live"));
        await SaveScreenshotAsync(window.Page, "server-down");
        await window.Page.EvaluateAsync("document.querySelector('#main h1').textContent = 'old'");
        await using var again = await DashboardHost.StartAsync(node.Node, configure: Fast, address: host.Address);
        await window.Page.GetByRole(AriaRole.Heading, new PageGetByRoleOptions { Name = "Cluster", Exact = true }).WaitForAsync();
        await Eventually.WaitUntilAsync(async () => await status.InnerTextAsync() == "", "the announcement is gone");
    }

    [Fact]
    public async Task Tail_shows_changes_of_all_nodes_and_says_when_the_server_is_gone()
    {
        await using var shop = await ShopCluster.StartAsync();
        await shop.FillAsync(9);
        await using var window = await chromium.OpenAsync();
        await window.GoToAsync($"{shop.Host.Address}/datacake/tail?keyspace=Products");
        await window.Page.Locator("#tail[data-state=open]").WaitForAsync(new LocatorWaitForOptions { State = WaitForSelectorState.Attached });

        await shop.ChangeProductAsync(3);

        await window.Page.Locator("#tail li").Filter(new LocatorFilterOptions { HasText = "by node 1" }).WaitForAsync();
        await window.Page.Locator("#tail li").Filter(new LocatorFilterOptions { HasText = "by node 2" }).WaitForAsync();
        Assert.Empty(window.Errors);
        await shop.Host.DisposeAsync();
        await window.Page.GetByText("The server cannot be reached.").WaitForAsync();
    }

    [Fact]
    public async Task Update_keeps_focus_open_details_and_scrolled_tables_and_can_be_paused()
    {
        await using var shop = await ShopCluster.StartAsync(Fast);
        await using var window = await chromium.OpenAsync(width: 390);
        var page = window.Page;
        await window.GoToAsync($"{shop.Host.Address}/datacake/throughput");
        await page.Locator("#values-bytes > summary").ClickAsync();
        await page.EvaluateAsync("document.querySelector('#scroll-bytes').scrollLeft = 40");

        await UpdatedAsync(page);

        Assert.True(await page.EvaluateAsync<bool>("document.querySelector('#values-bytes').open"));
        Assert.Equal(40, await page.EvaluateAsync<int>("document.querySelector('#scroll-bytes').scrollLeft"));
        Assert.Equal("Values", await page.EvaluateAsync<string>("document.activeElement.textContent"));
        Assert.Equal("values-bytes", await page.EvaluateAsync<string>("document.activeElement.parentElement.id"));

        await page.GetByRole(AriaRole.Button, new PageGetByRoleOptions { Name = "Pause updates" }).ClickAsync();
        int requests = 0;
        page.Request += (_, _) => Interlocked.Increment(ref requests);
        await page.GetByRole(AriaRole.Button, new PageGetByRoleOptions { Name = "Resume updates" }).ClickAsync();
        await UpdatedAsync(page);
        Assert.NotEqual(0, requests);
    }

    [Fact]
    public async Task Page_that_is_no_longer_allowed_says_so()
    {
        await using var node = await TestNode.StartAsync(cancellationToken: Canceled);
        await using var host = await DashboardHost.StartAsync(node.Node, static dashboard => dashboard.RequireAuthorization("operators"), Fast, OperatorAuthentication.Add);
        await using var window = await chromium.OpenAsync(headers: (OperatorAuthentication.Header, "operator"));
        Assert.Equal(200, await window.GoToAsync($"{host.Address}/datacake/"));

        await window.Page.Context.SetExtraHTTPHeadersAsync([KeyValuePair.Create(OperatorAuthentication.Header, "viewer")]);

        await window.Page.GetByText("You are no longer signed in").WaitForAsync();
    }

    [Fact]
    public async Task User_without_the_role_is_refused_and_sees_nothing()
    {
        await using var node = await TestNode.StartAsync(cancellationToken: Canceled);
        await using var host = await DashboardHost.StartAsync(node.Node, static dashboard => dashboard.RequireAuthorization("operators"), services: OperatorAuthentication.Add);
        await using var window = await chromium.OpenAsync(headers: (OperatorAuthentication.Header, "viewer"));

        var response = window.Page.WaitForResponseAsync(static _ => true);
        // The browser shows a page of its own for a refusal without a text.
        await Assert.ThrowsAsync<PlaywrightException>(() => window.GoToAsync($"{host.Address}/datacake/data"));

        Assert.Equal((403, "0"), ((await response).Status, await (await response).HeaderValueAsync("content-length")));
    }

    [Fact]
    public async Task Keyboard_reaches_the_content_first_and_the_current_page_is_marked()
    {
        await using var node = await TestNode.StartAsync(cancellationToken: Canceled);
        await using var host = await DashboardHost.StartAsync(node.Node);
        await using var window = await chromium.OpenAsync();
        var page = window.Page;
        await window.GoToAsync($"{host.Address}/datacake/queries");

        var order = new List<string>();
        for (int i = 0; i < 7; i++)
        {
            await page.Keyboard.PressAsync("Tab");
            order.Add(await page.EvaluateAsync<string>("document.activeElement.textContent.trim().replace(/\\s+/g, ' ')"));
        }
        Assert.Equal(["Skip to the content", "Datacake Node 1", "Cluster", "Throughput", "Data", "Queries", "Changes"], order);
        Assert.Equal("Queries", await page.Locator("nav [aria-current=page]").InnerTextAsync());

        await page.ReloadAsync();
        await page.Keyboard.PressAsync("Tab");
        Assert.True(await page.Locator(".skip").EvaluateAsync<bool>("link => link.getBoundingClientRect().top >= 0"));
        await page.Keyboard.PressAsync("Enter");
        Assert.Equal("main", await page.EvaluateAsync<string>("document.activeElement.id"));
        await page.Keyboard.PressAsync("Tab");
        Assert.Equal("Total time", await page.EvaluateAsync<string>("document.activeElement.textContent"));
    }

    [Fact]
    public async Task Pages_work_without_script()
    {
        await using var shop = await ShopCluster.StartAsync();
        await shop.FillAsync();
        await using var window = await chromium.OpenAsync(hasScript: false);
        var page = window.Page;
        await window.GoToAsync($"{shop.Host.Address}/datacake/");

        await page.GetByRole(AriaRole.Link, new PageGetByRoleOptions { Name = "Data", Exact = true }).ClickAsync();
        await page.GetByRole(AriaRole.Link, new PageGetByRoleOptions { Name = "Products" }).ClickAsync();
        await page.GetByRole(AriaRole.Link, new PageGetByRoleOptions { Name = "Next page" }).ClickAsync();
        Assert.Equal("51", await page.Locator(".documents a").First.InnerTextAsync());
        await page.GetByLabel("Condition").FillAsync("Name startswith 'Apple' and Price > 12");
        await page.Keyboard.PressAsync("Enter");
        await page.GetByText("among 120 documents that were read").WaitForAsync();
        await page.GetByLabel("Key").FillAsync("17");
        await page.GetByRole(AriaRole.Button, new PageGetByRoleOptions { Name = "Open" }).ClickAsync();
        await page.GetByRole(AriaRole.Heading, new PageGetByRoleOptions { Name = "Counter Stock" }).WaitForAsync();
        await page.GetByRole(AriaRole.Link, new PageGetByRoleOptions { Name = "Changes" }).ClickAsync();
        await page.GetByText("Live changes need JavaScript.").WaitForAsync();
    }

    [Fact]
    public async Task Content_of_documents_is_text_and_nothing_else()
    {
        const string Hostile = "\"'><script>document.title='owned'</script><img src=x onerror=\"document.title='owned'\">";
        await using var node = await TestNode.StartAsync(cancellationToken: Canceled);
        await using var host = await DashboardHost.StartAsync(node.Node);
        await using var db = new ShopContext(node.Node);
        await using var window = await chromium.OpenAsync(width: 390);
        var page = window.Page;
        db.Customers.Add(new Customer { Id = Hostile, Name = Hostile + new string('m', 100_000), City = Hostile });
        await db.SaveChangesAsync(Canceled);

        foreach (string path in (string[])["data/keyspace?name=Customers", $"data/keyspace?name=Customers&where={Uri.EscapeDataString(Hostile)}", $"data/document?keyspace=Customers&key={Uri.EscapeDataString(Hostile)}",
            $"data/document?keyspace={Uri.EscapeDataString(Hostile)}&key=1", $"tail?keyspace={Uri.EscapeDataString(Hostile)}", "tail"])
        {
            await window.GoToAsync($"{host.Address}/datacake/{path}");
            if (path == "tail")
            {
                await page.Locator("#tail[data-state=open]").WaitForAsync(new LocatorWaitForOptions { State = WaitForSelectorState.Attached });
                db.Customers.Add(new Customer { Id = Hostile + "2", Name = Hostile });
                await db.SaveChangesAsync(Canceled);
                await page.Locator("#tail li").First.WaitForAsync();
            }

            Assert.Contains("<script>document.title", await page.Locator("main").InnerTextAsync(), StringComparison.Ordinal);
            Assert.Equal((0, 0), (await page.Locator("main img").CountAsync(), await page.Locator("main script").CountAsync()));
            Assert.NotEqual("owned", await page.TitleAsync());
            Assert.Equal(0, await window.OverflowAsync());
        }
        Assert.DoesNotContain(window.Errors, static error => !error.Contains("404", StringComparison.Ordinal));
    }

    static async Task DeleteAndRemoveAsync(ShopCluster shop)
    {
        await using var db = new ShopContext(shop.Nodes[0].Node);
        db.Products.Remove((await db.Products.FindAsync([5L], Canceled))!);
        var product = (await db.Products.FindAsync([7L], Canceled))!;
        product.Tags.Remove("classic");
        product.Stock += 16;
        await db.SaveChangesAsync(Consistency.Quorum, Canceled);
    }

    /// <summary>Waits until the script has replaced the content.</summary>
    static async Task UpdatedAsync(IPage page)
    {
        await page.EvaluateAsync("document.querySelector('#main').firstElementChild.id = 'marked'");
        await page.Locator("#marked").WaitForAsync(new LocatorWaitForOptions { State = WaitForSelectorState.Detached });
    }

    static async Task SaveScreenshotAsync(IPage page, string name)
    {
        if (InstalledChromium.Screenshots is { } folder)
            await page.ScreenshotAsync(new PageScreenshotOptions { Path = Path.Combine(folder, $"{name}.png"), FullPage = true });
    }
}
