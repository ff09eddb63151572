using System.Diagnostics;
using System.Globalization;
using Datacake.Dashboard.Tests.Fixtures;
using Datacake.EventualConsistency;
using Datacake.Testing;
using Microsoft.Playwright;

namespace Datacake.Dashboard.Tests;

/// <summary>
/// The pages of a large keyspace in a real browser: 20,000 documents, or as many as DATACAKE_DASHBOARD_DOCUMENTS says. The times are in the output.
/// </summary>
public class LargeKeyspaceTests(Chromium chromium, ITestOutputHelper output)
{
    static readonly int Documents = int.Parse(Environment.GetEnvironmentVariable("DATACAKE_DASHBOARD_DOCUMENTS") ?? "20000", CultureInfo.InvariantCulture);

    static CancellationToken Canceled => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Pages_of_a_large_keyspace_read_only_what_they_show()
    {
        await using var node = await TestNode.StartAsync(cancellationToken: Canceled);
        await using var host = await DashboardHost.StartAsync(node.Node);
        await FillAsync(node);
        await using var window = await chromium.OpenAsync();
        var page = window.Page;

        await OpenAsync("the cluster", "/");
        await OpenAsync("the keyspaces", "/data");
        Assert.Contains(Documents.ToString("N0", CultureInfo.InvariantCulture), await page.Locator("tr", new PageLocatorOptions { HasText = "Customers" }).InnerTextAsync(), StringComparison.Ordinal);
        await OpenAsync("the first page", "/data/keyspace?name=Customers");
        Assert.Equal(50, await page.Locator(".documents li").CountAsync());
        await OpenAsync("a page in the middle", $"/data/keyspace?name=Customers&after={Uri.EscapeDataString($"\"{KeyOf(Documents / 2)}\"")}");
        Assert.Contains(KeyOf((Documents / 2) + 1), await page.Locator(".documents li").First.InnerTextAsync(), StringComparison.Ordinal);
        await OpenAsync("a search that finds nothing", "/data/keyspace?name=Customers&where=City%20%3D%20%27Atlantis%27");
        Assert.Contains("0 found among 10,000 documents that were read", await page.Locator(".pager").InnerTextAsync(), StringComparison.Ordinal);
        await OpenAsync("the next part of the search", new Uri(await page.GetByText("Continue").EvaluateAsync<string>("link => link.href")).PathAndQuery["/datacake".Length..]);
        await OpenAsync("a search that finds many", "/data/keyspace?name=Customers&where=City%20%3D%20%27Graz%27");
        Assert.Equal(50, await page.Locator(".documents li").CountAsync());
        await OpenAsync("the pending deletes", "/data/keyspace?name=Customers&show=deleted");
        await OpenAsync("the last document", $"/data/document?keyspace=Customers&key={KeyOf(Documents - 1)}");
        Assert.Equal(1, await page.Locator("section", new PageLocatorOptions { HasText = $"Customer {Documents - 1}" }).Filter(new LocatorFilterOptions { HasText = "who wrote them" }).CountAsync());
        Assert.Empty(window.Errors);

        async Task OpenAsync(string what, string path)
        {
            long start = Stopwatch.GetTimestamp();
            Assert.Equal(200, await window.GoToAsync($"{host.Address}/datacake{path}"));
            output.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{Documents:N0} documents, {what}: {Stopwatch.GetElapsedTime(start).TotalMilliseconds:0} ms"));
        }
    }

    async Task FillAsync(TestNode node)
    {
        const int batch = 5_000;
        long start = Stopwatch.GetTimestamp();
        for (int first = 0; first < Documents; first += batch)
        {
            await using var db = new ShopContext(node.Node);
            for (int id = first; id < Math.Min(first + batch, Documents); id++)
                db.Customers.Add(new Customer { Id = KeyOf(id), Name = $"Customer {id}", City = id % 3 == 0 ? "Graz" : "Bern" });
            await db.SaveChangesAsync(Consistency.All, Canceled);
        }
        output.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{Documents:N0} documents were saved in {Stopwatch.GetElapsedTime(start).TotalSeconds:0.0} s"));
    }

    static string KeyOf(int id) => string.Create(CultureInfo.InvariantCulture, $"customer-{id:0000000}");
}
