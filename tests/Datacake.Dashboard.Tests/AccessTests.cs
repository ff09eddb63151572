using System.Net;
using Datacake.Dashboard.Tests.Fixtures;
using Datacake.Testing;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace Datacake.Dashboard.Tests;

/// <summary>A dashboard is open only to those for whom the application has opened it.</summary>
public class AccessTests
{
    static readonly IPAddress Remote = IPAddress.Parse("203.0.113.7");

    static readonly string[] Paths = ["", "/throughput", "/data", "/data/keyspace?name=Products", "/data/document?keyspace=Products&key=1", "/queries", "/tail", "/tail/stream"];

    [Fact]
    public async Task Dashboard_without_a_decision_refuses_other_machines_and_says_how_to_open_it()
    {
        await using var node = await TestNode.StartAsync(cancellationToken: TestContext.Current.CancellationToken);
        var log = new CollectingLog();
        await using var host = await DashboardHost.StartAsync(node.Node, static _ => { }, remote: Remote, log: log);

        foreach (string path in Paths)
        {
            using var response = await host.SendAsync(path);

            Assert.Equal(HttpStatusCode.Forbidden, response.StatusCode);
            Assert.Contains(".RequireAuthorization(…)", await response.Content.ReadAsStringAsync(TestContext.Current.CancellationToken), StringComparison.Ordinal);
        }
        Assert.Equal(1, log.Count("The dashboard at /datacake/ has no authorization"));
    }

    [Theory]
    [InlineData("X-Forwarded-For", "203.0.113.7")]
    [InlineData("Forwarded", "for=203.0.113.7")]
    [InlineData("Host", "attacker.example")]
    public async Task Dashboard_without_a_decision_answers_its_own_machine_but_no_proxy_and_no_other_site(string header, string value)
    {
        await using var node = await TestNode.StartAsync(cancellationToken: TestContext.Current.CancellationToken);
        await using var host = await DashboardHost.StartAsync(node.Node, static _ => { });

        using var own = await host.SendAsync("");
        using var refused = await host.SendAsync("", (header, value));

        Assert.Equal((HttpStatusCode.OK, HttpStatusCode.Forbidden), (own.StatusCode, refused.StatusCode));
    }

    [Fact]
    public async Task Dashboard_without_a_decision_is_open_in_development()
    {
        await using var node = await TestNode.StartAsync(cancellationToken: TestContext.Current.CancellationToken);
        await using var host = await DashboardHost.StartAsync(node.Node, static _ => { }, remote: Remote, environment: "Development");

        using var response = await host.SendAsync("");

        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
    }

    [Fact]
    public async Task Policy_decides_about_every_page_and_nothing_is_warned_of()
    {
        await using var node = await TestNode.StartAsync(cancellationToken: TestContext.Current.CancellationToken);
        var log = new CollectingLog();
        await using var host = await DashboardHost.StartAsync(
            node.Node, static dashboard => dashboard.RequireAuthorization("operators"), services: OperatorAuthentication.Add, remote: Remote, log: log);

        foreach (string path in Paths)
        {
            using var unknown = await host.SendAsync(path);
            using var wrong = await host.SendAsync(path, (OperatorAuthentication.Header, "viewer"));

            Assert.Equal((HttpStatusCode.Unauthorized, HttpStatusCode.Forbidden), (unknown.StatusCode, wrong.StatusCode));
        }
        using var right = await host.SendAsync("/queries", (OperatorAuthentication.Header, "operator"));
        Assert.Equal(HttpStatusCode.OK, right.StatusCode);
        Assert.False(log.Contains("has no authorization"));
    }

    [Fact]
    public async Task Dashboard_that_allows_everyone_answers_other_machines()
    {
        await using var node = await TestNode.StartAsync(cancellationToken: TestContext.Current.CancellationToken);
        await using var host = await DashboardHost.StartAsync(node.Node, static dashboard => dashboard.AllowAnonymous(), remote: Remote);

        using var response = await host.SendAsync("");

        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
    }

    [Fact]
    public async Task Pages_run_no_foreign_code_and_are_not_kept_but_assets_are()
    {
        await using var node = await TestNode.StartAsync(cancellationToken: TestContext.Current.CancellationToken);
        await using var host = await DashboardHost.StartAsync(node.Node);

        using var page = await host.SendAsync("");
        string html = await page.Content.ReadAsStringAsync(TestContext.Current.CancellationToken);
        string script = html.Split("<script src=\"/datacake")[1].Split('"')[0];
        using var asset = await host.SendAsync(script);
        using var stale = await host.SendAsync("/assets/0000000000000000/dashboard.js");

        string policy = page.Headers.GetValues("Content-Security-Policy").Single();
        Assert.Contains("default-src 'none'", policy, StringComparison.Ordinal);
        Assert.DoesNotContain("unsafe", policy, StringComparison.Ordinal);
        Assert.Equal("no-store", page.Headers.CacheControl!.ToString());
        Assert.Equal("no-referrer", page.Headers.GetValues("Referrer-Policy").Single());
        Assert.Equal("nosniff", page.Headers.GetValues("X-Content-Type-Options").Single());
        Assert.DoesNotContain("style=\"", html, StringComparison.Ordinal);
        Assert.Equal((HttpStatusCode.OK, "text/javascript"), (asset.StatusCode, asset.Content.Headers.ContentType!.MediaType));
        Assert.Contains("immutable", asset.Headers.CacheControl!.ToString(), StringComparison.Ordinal);
        Assert.Equal(HttpStatusCode.NotFound, stale.StatusCode);
    }

    [Fact]
    public void Missing_services_are_named()
    {
        var application = WebApplication.CreateSlimBuilder().Build();

        var missing = Assert.Throws<InvalidOperationException>(() => application.MapDatacakeDashboard());

        Assert.Contains("AddDatacakeDashboard", missing.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Second_registration_and_path_with_a_parameter_are_refused()
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Services.AddDatacakeDashboard();

        var twice = Assert.Throws<InvalidOperationException>(() => builder.Services.AddDatacakeDashboard());
        var path = Assert.Throws<ArgumentException>(() => builder.Build().MapDatacakeDashboard("/{tenant}/datacake"));

        Assert.Contains("twice", twice.Message, StringComparison.Ordinal);
        Assert.Contains("/{tenant}/datacake", path.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Application_without_a_node_does_not_start_and_says_what_is_missing()
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.Services.AddDatacakeDashboard();
        await using var application = builder.Build();

        var missing = await Assert.ThrowsAsync<InvalidOperationException>(() => application.StartAsync(TestContext.Current.CancellationToken));

        Assert.Contains("AddDatacake(options => …)", missing.Message, StringComparison.Ordinal);
    }

    public static TheoryData<string, Action<DashboardOptions>> WrongOptions => new()
    {
        { "Title", static options => options.Title = " " },
        { "RefreshInterval", static options => options.RefreshInterval = TimeSpan.Zero },
        { "PeerTimeout", static options => options.PeerTimeout = TimeSpan.FromMinutes(1) },
        { "MaxQueryShapes", static options => options.MaxQueryShapes = 0 },
        { "MaxSearchedDocuments", static options => options.MaxSearchedDocuments = 99 },
        { "MaxTails", static options => options.MaxTails = -1 },
    };

    [Theory]
    [MemberData(nameof(WrongOptions))]
    public void Option_out_of_its_range_is_named(string name, Action<DashboardOptions> configure) =>
        Assert.Contains($"DashboardOptions.{name} is", Assert.Throws<ArgumentException>(() => new ServiceCollection().AddDatacakeDashboard(configure)).Message, StringComparison.Ordinal);
}
