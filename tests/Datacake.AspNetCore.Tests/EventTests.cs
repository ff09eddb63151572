using System.Net;
using System.Net.ServerSentEvents;
using System.Text.Json;
using Datacake.AspNetCore.Tests.Fixtures;
using Datacake.Data;
using Datacake.EventualConsistency;
using Datacake.Hosting;
using Datacake.Node;
using Datacake.Testing;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.DependencyInjection;

namespace Datacake.AspNetCore.Tests;

public class EventTests
{
    static CancellationToken Canceled => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Stream_begins_with_the_results_and_continues_with_the_changes_of_all_nodes()
    {
        await using var cluster = await TestCluster.StartAsync(2, cancellationToken: Canceled);
        await SaveAsync(cluster[0].Node, 1, stock: 3);
        await using var web = await StartAsync(cluster[0].Node);
        await using var client = await EventClient.OpenAsync(web);

        Assert.Equal(["reset", "added 1:3", "ready"], await client.TakeAsync(3));
        await SaveAsync(cluster[1].Node, 2, stock: 5);
        Assert.Equal(["added 2:5"], await client.TakeAsync(1));
        await SaveAsync(cluster[0].Node, 2, stock: 6);
        Assert.Equal(["changed 2:6"], await client.TakeAsync(1));
        await SaveAsync(cluster[0].Node, 3, stock: 100);         // no result
        await SaveAsync(cluster[0].Node, 2, stock: 100);         // no longer a result
        Assert.Equal(["removed"], await client.TakeAsync(1));
    }

    [Fact]
    public async Task Client_that_connects_again_at_another_node_misses_nothing()
    {
        // The third node is away, so that the others keep what the client has not seen.
        await using var cluster = await TestCluster.StartAsync(3, cancellationToken: Canceled);
        await cluster.StopAsync(2);
        await using var first = await StartAsync(cluster[0].Node);
        await using var second = await StartAsync(cluster[1].Node);
        string? position;
        await using (var client = await EventClient.OpenAsync(first))
        {
            Assert.Equal(["reset", "ready"], await client.TakeAsync(2));
            await SaveAsync(cluster[0].Node, 1, stock: 1);
            Assert.Equal(["added 1:1"], await client.TakeAsync(1));
            position = client.LastEventId;
        }
        await SaveAsync(cluster[0].Node, 2, stock: 2);
        await SaveAsync(cluster[1].Node, 3, stock: 3);

        await using var again = await EventClient.OpenAsync(second, position);

        string[] missed = await again.TakeAsync(2);
        Assert.Equal(["changed 2:2", "changed 3:3"], missed.Order());
    }

    [Fact]
    public async Task Client_whose_position_is_too_old_begins_anew()
    {
        await using var cluster = await TestCluster.StartAsync(2, cancellationToken: Canceled);
        await using var web = await StartAsync(cluster[0].Node);
        string? position;
        await using (var client = await EventClient.OpenAsync(web))
        {
            Assert.Equal(["reset", "ready"], await client.TakeAsync(2));
            position = client.LastEventId;
        }
        int stock = 0;

        // The nodes discard the changes once both have them.
        await Eventually.WaitUntilAsync(
            async () =>
            {
                await SaveAsync(cluster[0].Node, 1, ++stock % 50);
                await using var again = await EventClient.OpenAsync(web, position);
                return (await again.TakeAsync(1))[0] == "reset" && await again.TakeAsync(2) is [var added, "ready"] && added == $"added 1:{stock % 50}";
            },
            "the client is told to begin anew");
    }

    [Theory]
    [InlineData("x")]
    [InlineData("now")]
    [InlineData("not a position")]
    public async Task Client_whose_position_is_malformed_begins_anew(string position)
    {
        await using var test = await TestNode.StartAsync(cancellationToken: Canceled);
        await using var web = await StartAsync(test.Node);
        await using var client = await EventClient.OpenAsync(web, position);

        Assert.Equal(["reset", "ready"], await client.TakeAsync(2));
    }

    [Fact]
    public async Task Position_that_is_too_long_begins_anew()
    {
        await using var test = await TestNode.StartAsync(cancellationToken: Canceled);
        await using var web = await StartAsync(test.Node);
        await using var client = await EventClient.OpenAsync(web, new string('A', 9000));

        Assert.Equal(["reset", "ready"], await client.TakeAsync(2));
    }

    [Fact]
    public async Task Changes_of_one_save_have_their_position_at_the_last_event()
    {
        await using var test = await TestNode.StartAsync(cancellationToken: Canceled);
        await using var web = await StartAsync(test.Node);
        await using var client = await EventClient.OpenAsync(web);
        await client.TakeAsync(2);
        string? before = client.LastEventId;
        await using (var db = new CakeContext(test.Node))
        {
            db.Cakes.Add(new Cake { Id = 1 });
            db.Cakes.Add(new Cake { Id = 2 });
            await db.SaveChangesAsync(Consistency.None, Canceled);
        }

        await client.TakeAsync(1);
        Assert.Equal(before, client.LastEventId);
        await client.TakeAsync(1);
        Assert.NotEqual(before, client.LastEventId);
    }

    [Fact]
    public async Task Stream_without_results_has_only_changes()
    {
        await using var test = await TestNode.StartAsync(cancellationToken: Canceled);
        await SaveAsync(test.Node, 1, stock: 1);
        await using var web = await StartAsync(test.Node, static options => options.SendResults = false);
        await using var client = await EventClient.OpenAsync(web);

        Assert.Equal(["reset"], await client.TakeAsync(1));
        await SaveAsync(test.Node, 2, stock: 2);
        Assert.Equal(["added 2:2"], await client.TakeAsync(1));
    }

    [Fact]
    public async Task Silence_is_broken_by_heartbeats()
    {
        await using var test = await TestNode.StartAsync(cancellationToken: Canceled);
        await using var web = await StartAsync(test.Node, static options => options.HeartbeatInterval = TimeSpan.FromMilliseconds(20));
        await using var client = await EventClient.OpenAsync(web, skipsHeartbeats: false);

        await Eventually.WaitUntilAsync(async () => (await client.TakeAsync(1))[0] == "heartbeat", "a heartbeat arrives");
        await SaveAsync(test.Node, 1, stock: 1);
        await Eventually.WaitUntilAsync(async () => (await client.TakeAsync(1))[0] == "added 1:1", "the change arrives");
    }

    [Fact]
    public async Task Streams_end_when_the_host_stops()
    {
        await using var test = await TestNode.StartAsync(cancellationToken: Canceled);
        await using var web = await StartAsync(test.Node);
        await using var client = await EventClient.OpenAsync(web);
        await client.TakeAsync(2);

        var stopping = web.App.StopAsync(Canceled);

        Assert.True(await client.IsAtEndAsync());
        await stopping;
    }

    [Fact]
    public async Task Clients_beyond_the_limit_are_refused_until_others_have_gone()
    {
        await using var test = await TestNode.StartAsync(cancellationToken: Canceled);
        await using var web = await StartAsync(test.Node, static options => (options.MaxClients, options.HeartbeatInterval) = (1, TimeSpan.FromMilliseconds(20)));
        await using (var client = await EventClient.OpenAsync(web))
        {
            await client.TakeAsync(2);
            using var refused = await web.Client.GetAsync("/events", Canceled);
            Assert.Equal(HttpStatusCode.ServiceUnavailable, refused.StatusCode);
        }

        await Eventually.WaitUntilAsync(
            async () =>
            {
                using var response = await web.Client.GetAsync("/events", HttpCompletionOption.ResponseHeadersRead, Canceled);
                return response.StatusCode == HttpStatusCode.OK;
            },
            "the place is free");
    }

    [Fact]
    public async Task Settings_out_of_range_are_refused_by_name()
    {
        await using var app = WebApplication.CreateSlimBuilder().Build();

        Assert.Equal("HeartbeatInterval", Refused(static options => options.HeartbeatInterval = TimeSpan.Zero));
        Assert.Equal("ReconnectDelay", Refused(static options => options.ReconnectDelay = TimeSpan.FromDays(2)));
        Assert.Equal("MaxClients", Refused(static options => options.MaxClients = 0));

        string? Refused(Action<DatacakeEventsOptions> configure) =>
            Assert.Throws<ArgumentException>(() => app.MapDatacakeEvents<CakeContext, Cake>("/events", static (db, _) => db.Cakes, configure)).ParamName;
    }

    static Task<WebNode> StartAsync(DatacakeNode node) => StartAsync(node, static _ => { });

    static Task<WebNode> StartAsync(DatacakeNode node, Action<DatacakeEventsOptions> configure) => WebNode.StartAsync(
        node,
        static services => services.AddDatacakeContext<CakeContext>(),
        app => app.MapDatacakeEvents<CakeContext, Cake>("/events", static (db, _) => db.Cakes.Where(static cake => cake.Stock < 50), configure));

    static async Task SaveAsync(DatacakeNode node, int id, int stock)
    {
        await using var db = new CakeContext(node);
        if (await db.Cakes.FindAsync(id) is { } cake)
            cake.Stock = stock;
        else
            db.Cakes.Add(new Cake { Id = id, Stock = stock });
        await db.SaveChangesAsync(Consistency.None, Canceled);
    }

    /// <summary>A client of a stream of events.</summary>
    sealed class EventClient : IAsyncDisposable
    {
        readonly HttpResponseMessage _response;
        readonly SseParser<string> _parser;
        readonly IAsyncEnumerator<SseItem<string>> _events;
        readonly bool _skipsHeartbeats;

        EventClient(HttpResponseMessage response, Stream stream, bool skipsHeartbeats)
        {
            _response = response;
            _parser = SseParser.Create(stream);
            _events = _parser.EnumerateAsync(Canceled).GetAsyncEnumerator(Canceled);
            _skipsHeartbeats = skipsHeartbeats;
        }

        public string? LastEventId => _parser.LastEventId;

        public static async Task<EventClient> OpenAsync(WebNode web, string? lastEventId = null, bool skipsHeartbeats = true)
        {
            using var request = new HttpRequestMessage(HttpMethod.Get, "/events");
            if (lastEventId is not null)
                request.Headers.TryAddWithoutValidation("Last-Event-ID", lastEventId);
            var response = await web.Client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, Canceled);
            Assert.Equal("text/event-stream", response.Content.Headers.ContentType?.MediaType);
            return new EventClient(response, await response.Content.ReadAsStreamAsync(Canceled), skipsHeartbeats);
        }

        /// <summary>Returns the next events: their kinds, and the keys and stocks of cakes.</summary>
        public async Task<string[]> TakeAsync(int count)
        {
            var taken = new List<string>();
            while (taken.Count < count)
            {
                Assert.True(await _events.MoveNextAsync().AsTask().WaitAsync(Eventually.Deadline, Canceled), "The stream has ended.");
                var item = _events.Current;
                if (item.EventType == "heartbeat" && _skipsHeartbeats)
                    continue;
                if (item.Data.Length == 0)
                {
                    taken.Add(item.EventType);
                    continue;
                }
                using var json = JsonDocument.Parse(item.Data);
                Assert.NotEmpty(json.RootElement.GetProperty("key").GetString()!);
                taken.Add(json.RootElement.TryGetProperty("entity", out var cake) ? $"{item.EventType} {cake.GetProperty("id")}:{cake.GetProperty("stock")}" : item.EventType);
            }
            return [.. taken];
        }

        public async Task<bool> IsAtEndAsync() => !await _events.MoveNextAsync().AsTask().WaitAsync(Eventually.Deadline, Canceled);

        public async ValueTask DisposeAsync()
        {
            _response.Dispose();
            try
            {
                await _events.DisposeAsync();
            }
            catch (Exception e) when (e is IOException or ObjectDisposedException)
            {
                // The connection was closed.
            }
        }
    }
}
