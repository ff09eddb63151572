using System.Net;
using System.Text.Json;
using Datacake.Dashboard.Tests.Fixtures;
using Datacake.EventualConsistency;
using Datacake.Rpc;
using Datacake.Storage;
using Datacake.Testing;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace Datacake.Dashboard.Tests;

/// <summary>The content of the pages, as the server renders it.</summary>
public class PageTests
{
    static CancellationToken Canceled => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Keyspace_is_shown_in_pages_from_the_first_key_to_the_last()
    {
        await using var node = await TestNode.StartAsync(cancellationToken: Canceled);
        await using var host = await DashboardHost.StartAsync(node.Node);
        await AddCustomersAsync(node, 120);
        var keys = new List<string>();

        string page = await host.GetAsync("/data/keyspace?name=Customers");
        while (true)
        {
            var found = Between(page, "<a class=\"key\"", "</a>").Select(static link => WebUtility.HtmlDecode(link[(link.LastIndexOf('>') + 1)..])).ToArray();
            Assert.InRange(found.Length, 0, 50);
            keys.AddRange(found);
            if (Between(page, "rel=\"next\" href=\"/datacake", "\"").FirstOrDefault() is not { } next)
                break;
            page = await host.GetAsync(WebUtility.HtmlDecode(next));
        }

        Assert.Equal(Enumerable.Range(0, 120).Select(static id => $"\"customer-{id:000}\""), keys);
    }

    [Fact]
    public async Task Search_reads_a_bounded_number_of_documents_and_continues_where_it_stopped()
    {
        await using var node = await TestNode.StartAsync(cancellationToken: Canceled);
        await using var host = await DashboardHost.StartAsync(node.Node, configure: static options => options.MaxSearchedDocuments = 100);
        await AddCustomersAsync(node, 250);

        string page = await host.GetAsync("/data/keyspace?name=Customers&where=Name%20%3D%20%27Customer%20230%27");
        Assert.Contains("0 found among 100 documents that were read, up to the key &quot;customer-099&quot;", page, StringComparison.Ordinal);
        for (int part = 0; part < 2; part++)
            page = await host.GetAsync(WebUtility.HtmlDecode(Between(page, "rel=\"next\" href=\"/datacake", "\"").Single()));

        Assert.Contains("1 found among 50 documents that were read, up to the end", page, StringComparison.Ordinal);
        Assert.Contains("customer-230", page, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Stores_can_be_chosen_and_every_page_stays_in_the_store()
    {
        await using var node = await TestNode.StartAsync(cancellationToken: Canceled);
        await using var host = await DashboardHost.StartAsync(node.Node);
        await AddCustomersAsync(node, 3);
        await node.Node.OpenStoreAsync("shop/3", static store => store.UseMemory(), Canceled);
        await using (var db = new BranchContext(node.Node, "shop/3"))
        {
            for (int id = 0; id < 60; id++)
                db.Customers.Add(new Customer { Id = $"branch-{id:00}", Name = "Branch", City = "Graz" });
            await db.SaveChangesAsync(Consistency.None, Canceled);
        }
        const string Query = "store=shop%2F3";

        string cluster = await host.GetAsync("/"), data = await host.GetAsync("/data"), own = await host.GetAsync("/data/keyspace?name=Customers");
        string storeCluster = await host.GetAsync($"/?{Query}"), storeData = await host.GetAsync($"/data?{Query}");
        string keyspace = await host.GetAsync($"/data/keyspace?name=Customers&{Query}"), tail = await host.GetAsync($"/tail?{Query}");
        string document = await host.GetAsync($"/data/document?keyspace=Customers&key=branch-07&{Query}");

        Assert.Contains("data-store=\"shop/3\"", cluster, StringComparison.Ordinal);
        Assert.Contains($"href=\"/datacake/?{Query}\"", cluster, StringComparison.Ordinal);
        Assert.Contains("<option value=\"shop/3\">shop/3</option>", data, StringComparison.Ordinal);
        Assert.DoesNotContain("branch-07", own, StringComparison.Ordinal);
        Assert.Contains("store shop/3", storeCluster, StringComparison.Ordinal);
        Assert.Contains($"href=\"/datacake/data/keyspace?name=Customers&amp;{Query}\"", storeData, StringComparison.Ordinal);
        Assert.Contains("branch-07", keyspace, StringComparison.Ordinal);
        Assert.Contains("<input type=\"hidden\" name=\"store\" value=\"shop/3\"", keyspace, StringComparison.Ordinal);
        Assert.Contains(Query, Between(keyspace, "rel=\"next\" href=\"", "\"").Single(), StringComparison.Ordinal);
        Assert.Contains($"data-stream=\"/datacake/tail/stream?{Query}\"", tail, StringComparison.Ordinal);
        Assert.Contains("Branch", document, StringComparison.Ordinal);
        Assert.All(Between(document, "<nav aria-label=\"Pages\">", "</nav>"), navigation => Assert.Equal(5, Between(navigation, "href=\"", "\"").Count(link => link.EndsWith(Query, StringComparison.Ordinal))));
    }

    [Fact]
    public async Task Store_that_is_not_open_is_named_with_the_status_404()
    {
        await using var node = await TestNode.StartAsync(cancellationToken: Canceled);
        await using var host = await DashboardHost.StartAsync(node.Node);

        foreach (string page in new[] { "/", "/data", "/tail", "/data/keyspace?name=Customers" })
        {
            var response = await host.SendAsync($"{page}{(page.Contains('?', StringComparison.Ordinal) ? '&' : '?')}store=nothing");
            Assert.Equal(HttpStatusCode.NotFound, response.StatusCode);
            Assert.Contains("has no open store 'nothing'", WebUtility.HtmlDecode(await response.Content.ReadAsStringAsync(Canceled)), StringComparison.Ordinal);
        }
    }

    [Theory]
    [InlineData("/data/keyspace?name=Customers&where=Name%20~%201", "'~' at position 6")]
    [InlineData("/data/keyspace?name=Customers&after=%7B", "is not JSON")]
    [InlineData("/data/keyspace?name=Customers&after=%7B%22a%22%3A1%7D", "Use a number, a string")]
    public async Task Wrong_input_is_explained_on_the_page(string path, string expected)
    {
        await using var node = await TestNode.StartAsync(cancellationToken: Canceled);
        await using var host = await DashboardHost.StartAsync(node.Node);
        await AddCustomersAsync(node, 3);

        Assert.Contains(expected, WebUtility.HtmlDecode(await host.GetAsync(path)), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("/data/keyspace?name=Nothing", "no keyspace 'Nothing'")]
    [InlineData("/data/keyspace", "no keyspace ''")]
    [InlineData("/tail?keyspace=Nothing", "no keyspace 'Nothing'")]
    [InlineData("/data/document?keyspace=Nothing&key=1", "no document with this key")]
    [InlineData("/data/document?keyspace=Customers&key=4711", "no document with this key")]
    [InlineData("/data/document?keyspace=Customers&key=%7B%22%24unknown%22%3A1%7D", "$unknown is not the type of a key")]
    public async Task Missing_thing_is_named_with_the_status_404(string path, string expected)
    {
        await using var node = await TestNode.StartAsync(cancellationToken: Canceled);
        await using var host = await DashboardHost.StartAsync(node.Node);
        await AddCustomersAsync(node, 1);

        using var response = await host.SendAsync(path);

        Assert.Equal(HttpStatusCode.NotFound, response.StatusCode);
        Assert.Contains(expected, WebUtility.HtmlDecode(await response.Content.ReadAsStringAsync(Canceled)), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("customer-000")]
    [InlineData("\"customer-000\"")]
    [InlineData(" customer-000 ")]
    public async Task Document_is_found_by_a_text_key_with_or_without_quotes(string key)
    {
        await using var node = await TestNode.StartAsync(cancellationToken: Canceled);
        await using var host = await DashboardHost.StartAsync(node.Node);
        await AddCustomersAsync(node, 1);

        Assert.Contains("&quot;Customer 0&quot;", await host.GetAsync($"/data/document?keyspace=Customers&key={Uri.EscapeDataString(key)}"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Document_is_found_by_a_number_and_by_a_guid()
    {
        await using var node = await TestNode.StartAsync(cancellationToken: Canceled);
        await using var host = await DashboardHost.StartAsync(node.Node);
        var id = Guid.NewGuid();
        await using (var db = new ShopContext(node.Node))
        {
            db.Products.Add(ShopCluster.ProductOf(7));
            db.Visits.Add(new Visit { Id = id, Page = "/pies" });
            await db.SaveChangesAsync(Canceled);
        }

        Assert.Contains("&quot;Florentine&quot;", await host.GetAsync("/data/document?keyspace=Products&key=7"), StringComparison.Ordinal);
        Assert.Contains("&quot;/pies&quot;", await host.GetAsync($"/data/document?keyspace=Visits&key={id}"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Document_of_many_cells_and_long_values_is_cut()
    {
        await using var node = await TestNode.StartAsync(cancellationToken: Canceled);
        await using var host = await DashboardHost.StartAsync(node.Node);
        await using (var db = new ShopContext(node.Node))
        {
            var product = ShopCluster.ProductOf(1);
            product.Note = new string('x', 500_000);
            product.Tags = [.. Enumerable.Range(0, 2_000).Select(static tag => $"tag {tag}")];
            db.Products.Add(product);
            await db.SaveChangesAsync(Canceled);
        }

        string document = await host.GetAsync("/data/document?keyspace=Products&key=1");
        string list = await host.GetAsync("/data/keyspace?name=Products");

        Assert.Contains("The first 500 of 2,005", document, StringComparison.Ordinal);
        Assert.InRange(document.Length, 100_000, 700_000);
        Assert.InRange(list.Length, 0, 20_000);
    }

    [Fact]
    public async Task Member_that_does_not_answer_is_shown_as_such()
    {
        await using var nodes = await TestCluster.StartAsync(3, cancellationToken: Canceled);
        nodes[1].Node.Server.AddService(new SilentAdministration());
        await using var host = await DashboardHost.StartAsync(nodes[0].Node, configure: static options => options.PeerTimeout = TimeSpan.FromSeconds(1.5));

        string page = WebUtility.HtmlDecode(await host.GetAsync(""));

        Assert.Contains("did not answer within 1.5 s", page, StringComparison.Ordinal);
        Assert.Contains("its administration is not open", page, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Queries_show_shape_plan_and_index_but_no_values()
    {
        await using var node = await TestNode.StartAsync(cancellationToken: Canceled);
        await using var host = await DashboardHost.StartAsync(node.Node);
        await AddCustomersAsync(node, 200);
        await using var db = new ShopContext(node.Node);
        string secret = "a secret name";

        await db.Customers.Where(customer => customer.Name == secret).TagWith("sign-in").ToListAsync(Canceled);
        await db.Customers.FindAsync(["customer-000"], Canceled);
        string page = WebUtility.HtmlDecode(await host.GetAsync("/queries?sort=read"));

        Assert.Contains("Customers where customer.Name == ?", page, StringComparison.Ordinal);
        Assert.Contains("full scan", page, StringComparison.Ordinal);
        Assert.Contains("Declare on Customer: [Index(\"Name\")].", page, StringComparison.Ordinal);
        Assert.Contains("sign-in", page, StringComparison.Ordinal);
        Assert.DoesNotContain(secret, page, StringComparison.Ordinal);
        Assert.True(page.IndexOf("full scan", StringComparison.Ordinal) < page.IndexOf("find by key", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Content_alone_is_returned_for_the_script()
    {
        await using var node = await TestNode.StartAsync(cancellationToken: Canceled);
        await using var host = await DashboardHost.StartAsync(node.Node);

        using var response = await host.SendAsync("", ("Datacake-Fragment", "1"));
        string html = await response.Content.ReadAsStringAsync(Canceled);

        Assert.Contains("<h1>Cluster</h1>", html, StringComparison.Ordinal);
        Assert.DoesNotContain("<html", html, StringComparison.Ordinal);
        Assert.Contains("Datacake-Fragment", response.Headers.Vary);
    }

    [Fact]
    public async Task Node_that_has_stopped_is_a_page_with_the_reason()
    {
        var node = await TestNode.StartAsync(cancellationToken: Canceled);
        await using var host = await DashboardHost.StartAsync(node.Node);
        await node.DisposeAsync();

        using var response = await host.SendAsync("/data");

        Assert.Equal(HttpStatusCode.ServiceUnavailable, response.StatusCode);
        Assert.Contains("role=\"alert\"", await response.Content.ReadAsStringAsync(Canceled), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Links_have_the_path_of_the_group_and_of_the_application()
    {
        await using var node = await TestNode.StartAsync(cancellationToken: Canceled);
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseUrls("http://127.0.0.1:0");
        builder.Services.AddSingleton(node.Node).AddDatacakeDashboard();
        await using var application = builder.Build();
        application.UsePathBase("/shop");
        application.UseRouting();
        application.MapGroup("/operations").MapDatacakeDashboard("/cluster view");
        await Administration.DatacakeNodeAdministrationExtensions.OpenAdministrationAsync(node.Node, Canceled);
        await application.StartAsync(Canceled);
        string address = application.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.Single();
        using var client = new HttpClient();

        foreach (string page in (string[])["", "/", "/data", "/data/"])
        {
            string html = await client.GetStringAsync($"{address}/shop/operations/cluster%20view{page}", Canceled);
            string[] links = [.. Between(html, " href=\"", "\"").Where(static link => link[0] != '#')];

            Assert.All(links, static link => Assert.StartsWith("/shop/operations/cluster%20view/", link, StringComparison.Ordinal));
            using var queries = await client.GetAsync(new Uri(address + links.Single(static link => link.EndsWith("/queries", StringComparison.Ordinal))), Canceled);
            Assert.Equal(HttpStatusCode.OK, queries.StatusCode);
        }
    }

    [Fact]
    public async Task Tails_beyond_the_limit_are_refused()
    {
        await using var node = await TestNode.StartAsync(cancellationToken: Canceled);
        await using var host = await DashboardHost.StartAsync(node.Node, configure: static options => options.MaxTails = 1);
        await AddCustomersAsync(node, 1);

        using (var first = await host.Client.GetAsync(new Uri("/datacake/tail/stream", UriKind.Relative), HttpCompletionOption.ResponseHeadersRead, Canceled))
        {
            using var second = await host.SendAsync("/tail/stream");

            Assert.Equal((HttpStatusCode.OK, HttpStatusCode.ServiceUnavailable), (first.StatusCode, second.StatusCode));
        }
        // The first one is closed, which the server notices.
        await Eventually.WaitUntilAsync(async () =>
        {
            using var third = await host.Client.GetAsync(new Uri("/datacake/tail/stream", UriKind.Relative), HttpCompletionOption.ResponseHeadersRead, Canceled);
            return third.StatusCode == HttpStatusCode.OK;
        }, "a tail can be opened");
    }

    [Fact]
    public async Task Tail_sends_changes_as_they_are_committed_and_counts_those_beyond_its_rate()
    {
        await using var node = await TestNode.StartAsync(cancellationToken: Canceled);
        await using var host = await DashboardHost.StartAsync(node.Node);
        await AddCustomersAsync(node, 1);
        using var response = await host.Client.GetAsync(new Uri("/datacake/tail/stream?keyspace=Customers", UriKind.Relative), HttpCompletionOption.ResponseHeadersRead, Canceled);
        using var lines = new StreamReader(await response.Content.ReadAsStreamAsync(Canceled));
        while (await lines.ReadLineAsync(Canceled) != "event: ready")
        {
        }

        await AddCustomersAsync(node, 1, first: 1);
        var change = await NextAsync("customer-001");
        await AddCustomersAsync(node, 2_000, first: 2);
        var gap = await NextAsync("further changes are not shown");

        Assert.Equal(("added", 1, "Customers"), (change.GetProperty("kind").GetString(), change.GetProperty("node").GetInt32(), change.GetProperty("keyspace").GetString()));
        Assert.Equal("gap", gap.GetProperty("kind").GetString());

        async Task<JsonElement> NextAsync(string part)
        {
            while (true)
            {
                string line = (await lines.ReadLineAsync(Canceled))!;
                if (line.StartsWith("data: ", StringComparison.Ordinal) && line.Contains(part, StringComparison.Ordinal))
                    return JsonElement.Parse(line[6..]);
            }
        }
    }

    static async Task AddCustomersAsync(TestNode node, int count, int first = 0)
    {
        await using var db = new ShopContext(node.Node);
        for (int id = first; id < first + count; id++)
            db.Customers.Add(new Customer { Id = $"customer-{id:000}", Name = $"Customer {id}", City = "Graz" });
        await db.SaveChangesAsync(Consistency.All, Canceled);
    }

    /// <summary>An administration that never answers.</summary>
    sealed class SilentAdministration : RpcService
    {
        public override string Name => "datacake.administration";

        protected override void Register(RpcHandlers handlers) => handlers.HandleBytes("status", static async (_, ended) =>
        {
            await Task.Delay(Timeout.Infinite, ended);
            return default;
        });
    }

    static IEnumerable<string> Between(string text, string start, string end) => text.Split(start).Skip(1).Select(part => part.Split(end)[0]);
}
