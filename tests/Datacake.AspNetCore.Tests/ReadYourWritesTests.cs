using System.Net;
using Datacake.AspNetCore.ReadYourWrites;
using Datacake.AspNetCore.Tests.Fixtures;
using Datacake.Crdt;
using Datacake.Data;
using Datacake.EventualConsistency;
using Datacake.EventualConsistency.Tests.Fixtures;
using Datacake.Hosting;
using Datacake.Testing;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;

namespace Datacake.AspNetCore.Tests;

public class ReadYourWritesTests
{
    const string Name = ".Datacake.Saves";

    static CancellationToken Canceled => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Request_waits_for_the_save_that_the_client_has_made_on_another_node()
    {
        await using var cluster = await TestCluster.StartAsync(2, cancellationToken: Canceled);
        await using var web = await WebCluster.StartAsync(cluster, static options => options.Timeout = Eventually.Deadline);
        cluster.Cut(0);
        string cookie = await web.SaveAsync(0, 1);

        var reading = web.SendAsync(1, "/count", cookie);
        using var other = await web.SendAsync(1, "/count", cookie: null);
        Assert.Equal("0", await other.Content.ReadAsStringAsync(Canceled));
        Assert.False(reading.IsCompleted);
        cluster.Heal();

        using var response = await reading;
        Assert.Equal("1", await response.Content.ReadAsStringAsync(Canceled));
        Assert.False(response.Headers.Contains("Datacake-Stale"));
        // The cookie did not change, so it is not written, and the response can be cached.
        Assert.False(response.Headers.Contains("Set-Cookie"));
    }

    [Fact]
    public async Task Tokens_of_several_nodes_are_merged_to_one_for_each()
    {
        await using var cluster = await TestCluster.StartAsync(3, cancellationToken: Canceled);
        await using var web = await WebCluster.StartAsync(cluster, static options => options.Timeout = Eventually.Deadline);
        string? cookie = null;
        for (int save = 0; save < 12; save++)
            cookie = await web.SaveAsync(save % 3, save + 1, cookie);

        Assert.True(TokenSet.TryParse(cookie![(Name.Length + 1)..], out var tokens));
        Assert.Equal([0, 1, 2], tokens.Stamps.Select(static stamp => (int)stamp.Node));
        using var response = await web.SendAsync(1, "/count", cookie);
        Assert.Equal("12", await response.Content.ReadAsStringAsync(Canceled));
    }

    [Fact]
    public async Task Request_whose_save_does_not_arrive_is_served_with_a_header()
    {
        await using var cluster = await TestCluster.StartAsync(2, cancellationToken: Canceled);
        await using var web = await WebCluster.StartAsync(cluster, static options => options.Timeout = TimeSpan.FromMilliseconds(50));
        cluster.Cut(0);
        string cookie = await web.SaveAsync(0, 1);

        using var response = await web.SendAsync(1, "/count", cookie);

        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
        Assert.Equal("0", await response.Content.ReadAsStringAsync(Canceled));
        Assert.Equal("true", Assert.Single(response.Headers.GetValues("Datacake-Stale")));
    }

    [Fact]
    public async Task Request_whose_save_does_not_arrive_is_rejected_if_that_is_wanted()
    {
        await using var cluster = await TestCluster.StartAsync(2, cancellationToken: Canceled);
        await using var web = await WebCluster.StartAsync(
            cluster, static options => (options.Timeout, options.OnTimeout) = (TimeSpan.FromMilliseconds(50), DatacakeReadYourWritesTimeout.Reject));
        cluster.Cut(0);
        string cookie = await web.SaveAsync(0, 1);

        using var response = await web.SendAsync(1, "/count", cookie);

        Assert.Equal(HttpStatusCode.ServiceUnavailable, response.StatusCode);
        Assert.Equal(TimeSpan.FromSeconds(1), response.Headers.RetryAfter?.Delta);
        Assert.Equal("", await response.Content.ReadAsStringAsync(Canceled));
    }

    [Fact]
    public async Task Save_that_is_not_acknowledged_counts_because_it_was_made()
    {
        var slow = new GatedStorage();
        await using var cluster = await TestCluster.StartAsync(
            2,
            (node, options) =>
            {
                options.WithStore(static store => store.AcknowledgmentTimeout = TimeSpan.FromMilliseconds(100));
                if (node == 1)
                    options.UseStorage(() => slow);
            },
            Canceled);
        await using var web = await WebCluster.StartAsync(cluster, static options => options.Timeout = Eventually.Deadline);
        slow.Close();

        using var response = await web.SendAsync(0, "/save-everywhere", cookie: null);

        Assert.Equal("not acknowledged", await response.Content.ReadAsStringAsync(Canceled));
        slow.Open();
        using var other = await web.SendAsync(1, "/count", CookieOf(response));
        Assert.Equal("1", await other.Content.ReadAsStringAsync(Canceled));
    }

    [Fact]
    public async Task Tokens_of_writes_without_a_context_are_added_by_hand()
    {
        await using var cluster = await TestCluster.StartAsync(2, cancellationToken: Canceled);
        await using var web = await WebCluster.StartAsync(cluster, static options => options.Timeout = Eventually.Deadline);
        string saved = await web.SaveAsync(0, 1);
        using var updated = await web.SendAsync(0, "/update", saved);

        using var response = await web.SendAsync(1, "/stock", CookieOf(updated));

        Assert.Equal("7", await response.Content.ReadAsStringAsync(Canceled));
    }

    [Fact]
    public async Task Header_carries_the_tokens_for_clients_without_cookies()
    {
        await using var cluster = await TestCluster.StartAsync(2, cancellationToken: Canceled);
        await using var web = await WebCluster.StartAsync(
            cluster, static options => (options.HeaderName, options.Cookie, options.Timeout) = ("Datacake-Saves", null, Eventually.Deadline));
        using var saved = await web.SendAsync(0, "/save?id=1", cookie: null);
        string tokens = Assert.Single(saved.Headers.GetValues("Datacake-Saves"));
        Assert.False(saved.Headers.Contains("Set-Cookie"));

        using var request = new HttpRequestMessage(HttpMethod.Get, "/count") { Headers = { { "Datacake-Saves", tokens } } };
        using var response = await web[1].Client.SendAsync(request, Canceled);

        Assert.Equal("1", await response.Content.ReadAsStringAsync(Canceled));
        Assert.Equal(tokens, Assert.Single(response.Headers.GetValues("Datacake-Saves")));
    }

    [Theory]
    [InlineData("x")]
    [InlineData("not base 64!")]
    [InlineData("AAAAAAAAAA")]
    [InlineData("now")]
    public async Task Malformed_tokens_are_ignored_and_deleted(string text)
    {
        await using var cluster = await TestCluster.StartAsync(1, cancellationToken: Canceled);
        await using var web = await WebCluster.StartAsync(cluster, static options => options.OnTimeout = DatacakeReadYourWritesTimeout.Reject);

        using var response = await web.SendAsync(0, "/count", $"{Name}={Uri.EscapeDataString(text)}");

        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
        Assert.Contains("1970", Assert.Single(response.Headers.GetValues("Set-Cookie")), StringComparison.Ordinal);
        await web[0].Log.WaitUntilAsync("malformed");
    }

    [Fact]
    public async Task Huge_tokens_are_ignored()
    {
        await using var cluster = await TestCluster.StartAsync(1, cancellationToken: Canceled);
        await using var web = await WebCluster.StartAsync(cluster, static options => options.OnTimeout = DatacakeReadYourWritesTimeout.Reject);

        using var response = await web.SendAsync(0, "/count", $"{Name}={new string('A', 16_000)}");

        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
        await web[0].Log.WaitUntilAsync("malformed");
    }

    [Fact]
    public async Task Forged_token_makes_its_own_request_wait_and_nothing_else()
    {
        await using var cluster = await TestCluster.StartAsync(1, cancellationToken: Canceled);
        await using var web = await WebCluster.StartAsync(cluster, static options => (options.Timeout, options.MaxWaiting) = (Eventually.Deadline, 1));
        var now = HlcTimestamp.AtStartOf(cluster[0].Clock.GetUtcNow());
        string forged = TextOf(new HlcTimestamp(now.Seconds, 0, 0, 200));
        Task<HttpResponseMessage>[] requests = [web.SendAsync(0, "/count", forged), web.SendAsync(0, "/count", forged)];

        // One of them exceeds the limit of requests that wait.
        var refused = await Task.WhenAny(requests);
        using var stale = await refused;
        using var response = await web.SendAsync(0, "/count", cookie: null);

        Assert.True(stale.Headers.Contains("Datacake-Stale"));
        Assert.False(response.Headers.Contains("Datacake-Stale"));
        Assert.Equal("0", await response.Content.ReadAsStringAsync(Canceled));
        var waiting = Assert.Single(requests, request => request != refused);
        Assert.False(waiting.IsCompleted);
        web[0].Client.CancelPendingRequests();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => waiting);
    }

    [Fact]
    public async Task Token_from_the_future_is_ignored_and_deleted()
    {
        await using var cluster = await TestCluster.StartAsync(1, cancellationToken: Canceled);
        await using var web = await WebCluster.StartAsync(cluster, static options => options.Timeout = Eventually.Deadline);

        using var response = await web.SendAsync(0, "/count", TextOf(new HlcTimestamp(uint.MaxValue, 0, 0, 1)));

        Assert.Equal("0", await response.Content.ReadAsStringAsync(Canceled));
        Assert.Contains("1970", Assert.Single(response.Headers.GetValues("Set-Cookie")), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Old_save_is_forgotten_and_the_response_says_if_it_is_missing()
    {
        await using var cluster = await TestCluster.StartAsync(2, cancellationToken: Canceled);
        await using var web = await WebCluster.StartAsync(cluster, static options => options.Timeout = Eventually.Deadline);
        cluster.Cut(0);
        string cookie = await web.SaveAsync(0, 1);
        for (int node = 0; node < 2; node++)
            cluster[node].Clock.Offset += TimeSpan.FromMinutes(6);

        using var here = await web.SendAsync(0, "/count", cookie);
        using var there = await web.SendAsync(1, "/count", cookie);

        Assert.False(here.Headers.Contains("Datacake-Stale"));
        Assert.Contains("1970", Assert.Single(here.Headers.GetValues("Set-Cookie")), StringComparison.Ordinal);
        Assert.True(there.Headers.Contains("Datacake-Stale"));
    }

    [Fact]
    public async Task Save_after_the_start_of_the_response_is_logged()
    {
        await using var cluster = await TestCluster.StartAsync(1, cancellationToken: Canceled);
        await using var web = await WebCluster.StartAsync(cluster);

        using var response = await web.SendAsync(0, "/late", cookie: null);

        Assert.Equal("begun, saved", await response.Content.ReadAsStringAsync(Canceled));
        Assert.False(response.Headers.Contains("Set-Cookie"));
        await web[0].Log.WaitUntilAsync("/late", "after its response had started");
    }

    [Fact]
    public void Tokens_of_all_possible_nodes_fit_into_a_cookie()
    {
        var tokens = new TokenSet();
        for (int node = 1; node <= 255; node++)
        {
            for (ushort counter = 0; counter < 3; counter++)
                tokens.Add(new HlcTimestamp(1, 0, counter, (byte)node));
        }

        string text = tokens.ToString();

        Assert.Equal(TokenSet.MaxTextLength, text.Length);
        Assert.True(TokenSet.TryParse(text, out var parsed));
        Assert.Equal(tokens.Stamps, parsed.Stamps);
        Assert.All(parsed.Stamps, static stamp => Assert.Equal(2, stamp.Counter));
    }

    [Fact]
    public void Settings_out_of_range_are_refused_by_name()
    {
        Assert.Equal("Cookie", Refused(static options => options.Cookie = null));
        Assert.Equal("Timeout", Refused(static options => options.Timeout = TimeSpan.Zero));
        Assert.Equal("MaxAge", Refused(static options => options.MaxAge = TimeSpan.FromDays(2)));
        Assert.Equal("OnTimeout", Refused(static options => options.OnTimeout = (DatacakeReadYourWritesTimeout)7));
        Assert.Equal("MaxWaiting", Refused(static options => options.MaxWaiting = 0));
        Assert.Equal("StaleHeaderName", Refused(static options => options.StaleHeaderName = ""));

        static string? Refused(Action<DatacakeReadYourWritesOptions> configure) =>
            Assert.Throws<ArgumentException>(() => new ServiceCollection().AddDatacakeReadYourWrites(configure)).ParamName;
    }

    [Fact]
    public async Task Missing_registrations_are_reported_with_the_remedy()
    {
        using var services = new ServiceCollection().BuildServiceProvider();
        var error = Assert.Throws<InvalidOperationException>(() => new ApplicationBuilder(services).UseDatacakeReadYourWrites());
        Assert.Contains("AddDatacakeReadYourWrites", error.Message, StringComparison.Ordinal);

        error = Assert.Throws<InvalidOperationException>(() => new DefaultHttpContext().AddDatacakeToken(default));
        Assert.Contains("UseDatacakeReadYourWrites", error.Message, StringComparison.Ordinal);
        await Task.CompletedTask;
    }

    static string TextOf(HlcTimestamp stamp)
    {
        var tokens = new TokenSet();
        tokens.Add(stamp);
        return $"{Name}={tokens}";
    }

    static string CookieOf(HttpResponseMessage response) => Assert.Single(response.Headers.GetValues("Set-Cookie")).Split(';')[0];

    /// <summary>Web applications on all nodes of a cluster.</summary>
    sealed class WebCluster : IAsyncDisposable
    {
        readonly List<WebNode> _nodes = [];

        public WebNode this[int node] => _nodes[node];

        public static Task<WebCluster> StartAsync(TestCluster cluster) => StartAsync(cluster, static _ => { });

        public static async Task<WebCluster> StartAsync(TestCluster cluster, Action<DatacakeReadYourWritesOptions> configure)
        {
            var web = new WebCluster();
            for (int node = 0; node < cluster.Count; node++)
            {
                web._nodes.Add(await WebNode.StartAsync(
                    cluster[node].Node, services => services.AddDatacakeContext<CakeContext>(static (_, db) => db.DefaultConsistency = Consistency.None).AddDatacakeReadYourWrites(configure), Map));
            }
            return web;
        }

        /// <summary>Saves a cake, and returns the cookie of the client.</summary>
        public async Task<string> SaveAsync(int node, int id, string? cookie = null)
        {
            using var response = await SendAsync(node, $"/save?id={id}", cookie);
            Assert.Equal(HttpStatusCode.OK, response.StatusCode);
            return CookieOf(response);
        }

        public async Task<HttpResponseMessage> SendAsync(int node, string path, string? cookie)
        {
            using var request = new HttpRequestMessage(HttpMethod.Get, path);
            if (cookie is not null)
                request.Headers.Add("Cookie", cookie);
            return await _nodes[node].Client.SendAsync(request, Canceled);
        }

        public async ValueTask DisposeAsync()
        {
            foreach (var node in _nodes)
                await node.DisposeAsync();
        }

        static void Map(WebApplication app)
        {
            app.UseDatacakeReadYourWrites();
            app.MapGet("/save", static async (int id, CakeContext db) =>
            {
                db.Cakes.Add(new Cake { Id = id });
                await db.SaveChangesAsync();
            });
            app.MapGet("/save-everywhere", static async (CakeContext db) =>
            {
                db.Cakes.Add(new Cake { Id = 1 });
                try
                {
                    await db.SaveChangesAsync(Consistency.All);
                    return "acknowledged";
                }
                catch (ConsistencyException)
                {
                    return "not acknowledged";
                }
            });
            app.MapGet("/count", static async (CakeContext db) => (await db.Cakes.CountAsync()).ToString(System.Globalization.CultureInfo.InvariantCulture));
            app.MapGet("/stock", static async (CakeContext db) => (await db.Cakes.FindAsync(1))!.Stock.ToString(System.Globalization.CultureInfo.InvariantCulture));
            app.MapGet("/update", static async (CakeContext db, HttpContext context) =>
            {
                var result = await db.Cakes.ExecuteUpdateAsync(static set => set.SetProperty(static cake => cake.Stock, 7));
                Assert.True(context.AddDatacakeToken(result.Token));
            });
            app.MapGet("/late", static async (CakeContext db, HttpContext context) =>
            {
                await context.Response.WriteAsync("begun, ");
                db.Cakes.Add(new Cake { Id = 1 });
                await db.SaveChangesAsync();
                await context.Response.WriteAsync("saved");
            });
        }
    }
}
