using System.Net;
using Datacake.AspNetCore.Tests.Fixtures;
using Datacake.EventualConsistency;
using Datacake.Extensions.Caching;
using Datacake.Testing;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.DataProtection;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;

namespace Datacake.AspNetCore.Tests;

/// <summary>The session state of ASP.NET Core over the distributed cache and the keys of a cluster.</summary>
public sealed class SessionStateTests : IAsyncLifetime
{
    TestCluster _cluster = null!;
    WebNode _first = null!, _second = null!;

    static CancellationToken Canceled => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
    {
        _cluster = await TestCluster.StartAsync(2, cancellationToken: Canceled);
        _first = await StartAsync(0);
        _second = await StartAsync(1);
    }

    public async ValueTask DisposeAsync()
    {
        await _first.DisposeAsync();
        await _second.DisposeAsync();
        await _cluster.DisposeAsync();
    }

    [Fact]
    public async Task Session_that_was_begun_on_one_node_is_read_and_changed_on_the_other()
    {
        string cookie = await BeginAsync(_first, "carrot");
        await Eventually.WaitUntilAsync(async () => await ReadAsync(_second, cookie) == "carrot", "the other node has the session");

        await SendAsync(_second, "/set?cake=apple", cookie);

        await Eventually.WaitUntilAsync(async () => await ReadAsync(_first, cookie) == "apple", "the first node has the change");
    }

    [Fact]
    public async Task Session_that_is_used_on_any_node_lives_on_and_expires_afterwards()
    {
        string cookie = await BeginAsync(_first, "carrot");
        await Eventually.WaitUntilAsync(async () => await ReadAsync(_second, cookie) == "carrot", "the other node has the session");
        for (int visit = 0; visit < 6; visit++)
        {
            Pass(TimeSpan.FromMinutes(15));
            var used = visit % 2 == 0 ? _second : _first;
            Assert.Equal("carrot", await ReadAsync(used, cookie));
            // The renewal is made in the background, and replicated.
            var expires = _cluster[0].Clock.GetUtcNow().AddMinutes(20);
            await Eventually.WaitUntilAsync(async () => await ExpiryAsync(0) > expires && await ExpiryAsync(1) > expires, "the session is renewed on both nodes");
        }

        Pass(TimeSpan.FromMinutes(26));

        Assert.Equal("", await ReadAsync(_first, cookie));
        Assert.Equal("", await ReadAsync(_second, cookie));
    }

    [Fact]
    public async Task Session_survives_the_loss_of_the_node_that_began_it()
    {
        await using var first = await StartAsync(0, Consistency.Quorum);
        await using var second = await StartAsync(1, Consistency.Quorum);
        string cookie = await BeginAsync(first, "carrot");

        await _cluster.StopAbruptlyAsync(0);

        Assert.Equal("carrot", await ReadAsync(second, cookie));
    }

    [Fact]
    public async Task Session_that_cannot_be_stored_keeps_its_last_state_and_the_error_is_logged()
    {
        await using var first = await StartAsync(0, Consistency.Quorum);
        string cookie = await BeginAsync(first, "carrot");
        await _cluster.StopAsync(1);
        await Eventually.WaitUntilAsync(() => _cluster[0].Store.Members.Count(static member => member.IsUp) == 1, "the other node is down");

        await SendAsync(first, "/set?cake=apple", cookie);

        await Eventually.WaitUntilAsync(() => first.Log.Exceptions.Any(static logged => logged.Exception is NotEnoughNodesException), "the error is logged");
        Assert.True(first.Log.Contains("Error closing the session."));
        Assert.Equal("carrot", await ReadAsync(first, cookie));
        Assert.Equal("not stored", await SendAsync(first, "/commit?cake=apple", cookie));
    }

    void Pass(TimeSpan time)
    {
        for (int node = 0; node < 2; node++)
            _cluster[node].Clock.Offset += time;
    }

    async Task<DateTimeOffset> ExpiryAsync(int node)
    {
        await foreach (var entry in _cluster[node].Store.Keyspace("cache").ReadAllAsync(Canceled))
            return entry.Document.Expires.Time;
        return default;
    }

    static async Task<string> BeginAsync(WebNode node, string cake)
    {
        using var response = await node.Client.GetAsync($"/set?cake={cake}", Canceled);
        return Assert.Single(response.Headers.GetValues("Set-Cookie")).Split(';')[0];
    }

    static Task<string> ReadAsync(WebNode node, string cookie) => SendAsync(node, "/get", cookie);

    static async Task<string> SendAsync(WebNode node, string path, string cookie)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, path) { Headers = { { "Cookie", cookie } } };
        using var response = await node.Client.SendAsync(request, Canceled);
        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
        return await response.Content.ReadAsStringAsync(Canceled);
    }

    Task<WebNode> StartAsync(int node, Consistency consistency = Consistency.None) => WebNode.StartAsync(
        _cluster[node].Node,
        services =>
        {
            services.AddDataProtection().SetApplicationName("shop").PersistKeysToDatacake();
            services.AddDistributedDatacakeCache(options => options.Consistency = consistency);
            services.AddSession(static options => options.IdleTimeout = TimeSpan.FromMinutes(20));
        },
        static app =>
        {
            app.UseSession();
            app.MapGet("/set", static (string cake, HttpContext context) => context.Session.SetString("cake", cake));
            app.MapGet("/commit", static async (string cake, HttpContext context) =>
            {
                context.Session.SetString("cake", cake);
                try
                {
                    await context.Session.CommitAsync();
                    return "stored";
                }
                catch (NotEnoughNodesException)
                {
                    return "not stored";
                }
            });
            app.MapGet("/get", static (HttpContext context) => context.Session.GetString("cake") ?? "");
        });
}
