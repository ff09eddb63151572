using Datacake.AspNetCore.Tests.Fixtures;
using Datacake.Testing;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.SignalR;
using Microsoft.AspNetCore.SignalR.Client;
using Microsoft.Extensions.DependencyInjection;

namespace Datacake.AspNetCore.Tests.SignalR;

public class BackplaneTests
{
    static CancellationToken Canceled => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Message_to_all_reaches_every_connection_of_all_nodes_once()
    {
        await using var cluster = await HubCluster.StartAsync(3);
        await using var a = await HubClient.ConnectAsync(cluster[0]);
        await using var b = await HubClient.ConnectAsync(cluster[1]);
        await using var c = await HubClient.ConnectAsync(cluster[2]);
        await using var other = await HubClient.ConnectAsync(cluster[2]);

        await cluster.Chat(1).Clients.All.SendAsync("receive", "hello", Canceled);

        Assert.Equal(["hello", "hello", "hello", "hello"], await HubClient.ReceivedAsync(cluster, 1, a, b, c, other));
    }

    [Fact]
    public async Task Excluded_connections_get_nothing_whatever_node_has_them()
    {
        await using var cluster = await HubCluster.StartAsync(2);
        await using var a = await HubClient.ConnectAsync(cluster[0]);
        await using var b = await HubClient.ConnectAsync(cluster[1]);
        await using var c = await HubClient.ConnectAsync(cluster[1]);

        await cluster.Chat(0).Clients.AllExcept(b.Id).SendAsync("receive", "one", Canceled);
        await cluster.Chat(0).Clients.AllExcept([a.Id, c.Id, .. Enumerable.Range(0, 20).Select(static i => $"unknown {i}")]).SendAsync("receive", "two", Canceled);

        Assert.Equal(["one", "two", "one"], await HubClient.ReceivedAsync(cluster, 0, a, b, c));
    }

    [Fact]
    public async Task Message_to_others_does_not_come_back_to_its_sender()
    {
        await using var cluster = await HubCluster.StartAsync(2);
        await using var a = await HubClient.ConnectAsync(cluster[0]);
        await using var b = await HubClient.ConnectAsync(cluster[1]);

        await a.Connection.InvokeAsync("ToOthers", "hello", Canceled);

        Assert.Equal(["", "hello"], await HubClient.ReceivedAsync(cluster, 0, a, b));
    }

    [Fact]
    public async Task Message_to_a_group_reaches_its_members_on_all_nodes()
    {
        await using var cluster = await HubCluster.StartAsync(2);
        await using var a = await HubClient.ConnectAsync(cluster[0]);
        await using var b = await HubClient.ConnectAsync(cluster[1]);
        await using var c = await HubClient.ConnectAsync(cluster[1]);
        await a.Connection.InvokeAsync("Join", "cakes", Canceled);
        await b.Connection.InvokeAsync("Join", "cakes", Canceled);

        await cluster.Chat(0).Clients.Group("cakes").SendAsync("receive", "group", Canceled);
        await cluster.Chat(0).Clients.GroupExcept("cakes", a.Id).SendAsync("receive", "except", Canceled);
        await cluster.Chat(0).Clients.Group("bread").SendAsync("receive", "nobody", Canceled);

        Assert.Equal(["group", "group except", ""], await HubClient.ReceivedAsync(cluster, 0, a, b, c));
    }

    [Fact]
    public async Task Member_of_several_groups_gets_a_message_to_them_once()
    {
        await using var cluster = await HubCluster.StartAsync(2);
        await using var a = await HubClient.ConnectAsync(cluster[0]);
        await using var b = await HubClient.ConnectAsync(cluster[1]);
        foreach (var client in (HubClient[])[a, b])
        {
            await client.Connection.InvokeAsync("Join", "cakes", Canceled);
            await client.Connection.InvokeAsync("Join", "bread", Canceled);
        }

        await cluster.Chat(0).Clients.Groups("cakes", "bread", "cakes").SendAsync("receive", "hello", Canceled);

        Assert.Equal(["hello", "hello"], await HubClient.ReceivedAsync(cluster, 0, a, b));
    }

    [Fact]
    public async Task Message_to_a_user_reaches_all_connections_of_the_user()
    {
        await using var cluster = await HubCluster.StartAsync(2);
        await using var a = await HubClient.ConnectAsync(cluster[0], user: "anna");
        await using var b = await HubClient.ConnectAsync(cluster[1], user: "anna");
        await using var c = await HubClient.ConnectAsync(cluster[1], user: "bob");
        await using var stranger = await HubClient.ConnectAsync(cluster[1]);

        await cluster.Chat(0).Clients.User("anna").SendAsync("receive", "one", Canceled);
        await cluster.Chat(0).Clients.Users("anna", "bob", "anna").SendAsync("receive", "two", Canceled);

        Assert.Equal(["one two", "one two", "two", ""], await HubClient.ReceivedAsync(cluster, 0, a, b, c, stranger));
    }

    [Fact]
    public async Task Message_to_connections_reaches_those_of_other_nodes()
    {
        await using var cluster = await HubCluster.StartAsync(3);
        await using var a = await HubClient.ConnectAsync(cluster[0]);
        await using var b = await HubClient.ConnectAsync(cluster[1]);
        await using var c = await HubClient.ConnectAsync(cluster[2]);

        await cluster.Chat(0).Clients.Client(b.Id).SendAsync("receive", "one", Canceled);
        await cluster.Chat(0).Clients.Clients(a.Id, c.Id, c.Id).SendAsync("receive", "two", Canceled);
        await cluster.Chat(0).Clients.Client(a.Id).SendAsync("receive", "here", Canceled);

        Assert.Equal(["two here", "one", "two"], await HubClient.ReceivedAsync(cluster, 0, a, b, c));
    }

    [Fact]
    public async Task Connection_of_another_node_is_in_a_group_when_the_call_returns()
    {
        await using var cluster = await HubCluster.StartAsync(3);
        await using var b = await HubClient.ConnectAsync(cluster[1]);

        await cluster.Chat(0).Groups.AddToGroupAsync(b.Id, "cakes", Canceled);
        await cluster.Chat(2).Clients.Group("cakes").SendAsync("receive", "in", Canceled);
        await b.WaitForAsync("in");
        await cluster.Chat(0).Groups.RemoveFromGroupAsync(b.Id, "cakes", Canceled);
        await cluster.Chat(2).Clients.Group("cakes").SendAsync("receive", "out", Canceled);

        Assert.Equal(["in"], await HubClient.ReceivedAsync(cluster, 2, b));
    }

    [Fact]
    public async Task Message_before_the_removal_from_a_group_arrives()
    {
        await using var cluster = await HubCluster.StartAsync(2);
        await using var b = await HubClient.ConnectAsync(cluster[1]);
        var expected = new List<string>();

        for (int i = 0; i < 50; i++)
        {
            await cluster.Chat(0).Groups.AddToGroupAsync(b.Id, "cakes", Canceled);
            await cluster.Chat(0).Clients.Group("cakes").SendAsync("receive", $"in{i}", Canceled);
            await cluster.Chat(0).Groups.RemoveFromGroupAsync(b.Id, "cakes", Canceled);
            await cluster.Chat(0).Clients.Group("cakes").SendAsync("receive", $"out{i}", Canceled);
            expected.Add($"in{i}");
        }

        Assert.Equal([string.Join(' ', expected)], await HubClient.ReceivedAsync(cluster, 0, b));
    }

    [Fact]
    public async Task Connection_that_has_closed_leaves_its_groups_and_is_no_error()
    {
        await using var cluster = await HubCluster.StartAsync(2);
        var gone = await HubClient.ConnectAsync(cluster[1], user: "anna");
        await gone.Connection.InvokeAsync("Join", "cakes", Canceled);
        await gone.DisposeAsync();
        await using var b = await HubClient.ConnectAsync(cluster[1]);
        await b.Connection.InvokeAsync("Join", "cakes", Canceled);

        await cluster.Chat(0).Groups.AddToGroupAsync(gone.Id, "cakes", Canceled);
        await cluster.Chat(0).Groups.RemoveFromGroupAsync(gone.Id, "cakes", Canceled);
        await cluster.Chat(0).Clients.Client(gone.Id).SendAsync("receive", "nobody", Canceled);
        await cluster.Chat(0).Clients.User("anna").SendAsync("receive", "nobody", Canceled);
        await cluster.Chat(0).Clients.Group("cakes").SendAsync("receive", "hello", Canceled);

        Assert.Equal(["hello"], await HubClient.ReceivedAsync(cluster, 0, b));
        Assert.Empty(gone.Received);
    }

    [Fact]
    public async Task Hubs_do_not_see_the_messages_of_each_other()
    {
        await using var cluster = await HubCluster.StartAsync(2);
        await using var chat = await HubClient.ConnectAsync(cluster[1], user: "anna");
        await using var news = await HubClient.ConnectAsync(cluster[1], "news", "anna");
        var newsOfFirst = cluster[0].Services.GetRequiredService<IHubContext<NewsHub>>();

        await cluster.Chat(0).Clients.All.SendAsync("receive", "chat", Canceled);
        await newsOfFirst.Clients.User("anna").SendAsync("receive", "news", Canceled);
        await cluster.Chat(0).Clients.Client(news.Id).SendAsync("receive", "wrong", Canceled);
        await newsOfFirst.Clients.All.SendAsync("receive", "end", Canceled);

        Assert.Equal(["chat"], await HubClient.ReceivedAsync(cluster, 0, chat));
        await news.WaitForAsync("end");
        Assert.Equal(["news", "end"], news.Received);
    }

    [Fact]
    public async Task Clients_with_different_protocols_get_the_same_messages()
    {
        await using var cluster = await HubCluster.StartAsync(2);
        await using var json = await HubClient.ConnectAsync(cluster[1]);
        await using var pack = await HubClient.ConnectAsync(cluster[1], usesMessagePack: true);
        await using var here = await HubClient.ConnectAsync(cluster[0], usesMessagePack: true);

        await cluster.Chat(0).Clients.All.SendAsync("receive", "Müsli", Canceled);

        Assert.Equal(["Müsli", "Müsli", "Müsli"], await HubClient.ReceivedAsync(cluster, 0, json, pack, here));
    }

    [Fact]
    public async Task Messages_of_each_sender_arrive_once_and_in_order()
    {
        const int Count = 2_000;
        await using var cluster = await HubCluster.StartAsync(3);
        HubClient[] clients = [await HubClient.ConnectAsync(cluster[0]), await HubClient.ConnectAsync(cluster[1]), await HubClient.ConnectAsync(cluster[2])];
        foreach (var client in clients)
            await client.Connection.InvokeAsync("Join", "cakes", Canceled);

        await Task.WhenAll(clients.Select(static (client, i) => client.Connection.InvokeAsync("Burst", "cakes", $"{i}:", Count, Canceled)));

        foreach (var client in clients)
        {
            await Eventually.WaitUntilAsync(() => client.Received.Count >= 3 * Count, () => $"all messages arrive, but only {client.Received.Count}");
            for (int sender = 0; sender < 3; sender++)
                Assert.Equal(Enumerable.Range(0, Count).Select(i => $"{sender}:{i}"), client.Received.Where(text => text.StartsWith($"{sender}:", StringComparison.Ordinal)));
            Assert.Equal(3 * Count, client.Received.Count);
            await client.DisposeAsync();
        }
    }

    [Fact]
    public async Task Streams_to_clients_are_not_affected()
    {
        await using var cluster = await HubCluster.StartAsync(2);
        await using var a = await HubClient.ConnectAsync(cluster[0]);
        var items = new List<int>();

        await foreach (int item in a.Connection.StreamAsync<int>("Count", 100, Canceled))
            items.Add(item);

        Assert.Equal(Enumerable.Range(0, 100), items);
    }

    [Fact]
    public async Task Messages_larger_than_a_block_arrive()
    {
        await using var cluster = await HubCluster.StartAsync(2);
        await using var b = await HubClient.ConnectAsync(cluster[1]);
        string large = new('x', 200_000);

        await cluster.Chat(0).Clients.All.SendAsync("receive", "before", Canceled);
        await cluster.Chat(0).Clients.All.SendAsync("receive", large, Canceled);
        await cluster.Chat(0).Clients.All.SendAsync("receive", "after", Canceled);

        Assert.Equal([$"before {large} after"], await HubClient.ReceivedAsync(cluster, 0, b));
    }

    [Fact]
    public async Task Node_alone_serves_its_connections()
    {
        await using var cluster = await HubCluster.StartAsync(1);
        await using var a = await HubClient.ConnectAsync(cluster[0], user: "anna");
        await a.Connection.InvokeAsync("Join", "cakes", Canceled);

        await cluster.Chat(0).Clients.All.SendAsync("receive", "all", Canceled);
        await cluster.Chat(0).Clients.Group("cakes").SendAsync("receive", "group", Canceled);
        await cluster.Chat(0).Clients.User("anna").SendAsync("receive", "user", Canceled);
        await cluster.Chat(0).Groups.AddToGroupAsync("unknown", "cakes", Canceled);

        Assert.Equal(["all group user"], await HubClient.ReceivedAsync(cluster, 0, a));
    }

    [Fact]
    public async Task Connection_gets_the_messages_of_nodes_that_have_started_before_or_after_its_own()
    {
        await using var cluster = await HubCluster.StartAsync(3, applications: 1);
        await using var a = await HubClient.ConnectAsync(cluster[0]);
        // The other nodes have no hub yet.
        await cluster.Chat(0).Clients.All.SendAsync("receive", "alone", Canceled);

        await using var b = await HubClient.ConnectAsync(await cluster.AddAsync());
        await cluster.Chat(0).Clients.All.SendAsync("receive", "two", Canceled);
        await b.WaitForAsync("two");
        await using var c = await HubClient.ConnectAsync(await cluster.AddAsync());
        await cluster.Chat(1).Clients.All.SendAsync("receive", "three", Canceled);

        Assert.Equal(["alone two three", "two three", "three"], await HubClient.ReceivedAsync(cluster, 1, a, b, c));
    }

    [Fact]
    public async Task Messages_continue_after_a_cut_link_is_restored()
    {
        await using var cluster = await HubCluster.StartAsync(2);
        await using var b = await HubClient.ConnectAsync(cluster[1]);
        await cluster.Chat(0).Clients.All.SendAsync("receive", "before", Canceled);
        await b.WaitForAsync("before");

        cluster.Nodes.Cut(0, 1);
        await cluster[0].Log.WaitUntilAsync("The connection to node 1", "has ended");
        cluster.Nodes.Heal();
        await cluster.Nodes.WaitUntilConnectedAsync(cancellationToken: Canceled);

        // What is sent while the link is cut may be lost.
        await Eventually.WaitUntilAsync(
            async () =>
            {
                await cluster.Chat(0).Clients.All.SendAsync("receive", "after", Canceled);
                return b.Received.Contains("after");
            },
            "messages arrive again");
    }

    [Fact]
    public async Task Node_that_crashes_takes_its_connections_with_it_and_holds_up_nothing()
    {
        await using var cluster = await HubCluster.StartAsync(3, configure: static options => options.AcknowledgmentTimeout = TimeSpan.FromMinutes(30));
        await using var a = await HubClient.ConnectAsync(cluster[0]);
        await using var b = await HubClient.ConnectAsync(cluster[1]);
        var gone = await HubClient.ConnectAsync(cluster[2]);
        await cluster.Chat(0).Groups.AddToGroupAsync(gone.Id, "cakes", Canceled);

        await cluster.CrashAsync(2);

        // Until the crash is noticed, the request may fail. Afterwards, the connection counts as closed.
        await Eventually.WaitUntilAsync(
            async () =>
            {
                try
                {
                    await cluster.Chat(0).Groups.AddToGroupAsync(gone.Id, "cakes", Canceled);
                    return true;
                }
                catch (IOException e)
                {
                    Assert.Contains("Node 2", e.Message, StringComparison.Ordinal);
                    return false;
                }
            },
            "the connection counts as closed");
        await cluster.Chat(0).Clients.All.SendAsync("receive", "hello", Canceled);
        Assert.Equal(["hello", "hello"], await HubClient.ReceivedAsync(cluster, 0, a, b));
        await gone.DisposeAsync();
    }

    [Fact]
    public async Task Restarted_node_gets_messages_again()
    {
        await using var cluster = await HubCluster.StartAsync(2);
        await using (var b = await HubClient.ConnectAsync(cluster[1]))
        {
            await cluster.Chat(0).Clients.All.SendAsync("receive", "before", Canceled);
            await b.WaitForAsync("before");
        }
        await cluster.CrashAsync(1);
        await cluster.Nodes.StartAsync(1);

        await using var web = await HubCluster.StartAsync(cluster.Nodes[1], static _ => { });
        await using var again = await HubClient.ConnectAsync(web);
        await cluster.Chat(0).Clients.All.SendAsync("receive", "after", Canceled);

        Assert.Equal(["after"], await HubClient.ReceivedAsync(cluster, 0, again));
    }

    [Fact]
    public async Task Applications_with_different_prefixes_share_a_cluster_and_no_messages()
    {
        await using var nodes = await TestCluster.StartAsync(2, cancellationToken: Canceled);
        await using var shop = await HubCluster.StartAsync(nodes[0], static options => options.Prefix = "shop");
        await using var bakery = await HubCluster.StartAsync(nodes[0], static options => options.Prefix = "bakery");
        await using var shopOfSecond = await HubCluster.StartAsync(nodes[1], static options => options.Prefix = "shop");
        await using var a = await HubClient.ConnectAsync(shop);
        await using var b = await HubClient.ConnectAsync(bakery);

        await shopOfSecond.Services.GetRequiredService<IHubContext<ChatHub>>().Clients.All.SendAsync("receive", "shop", Canceled);
        await a.WaitForAsync("shop");
        await bakery.Services.GetRequiredService<IHubContext<ChatHub>>().Clients.All.SendAsync("receive", "bakery", Canceled);
        await b.WaitForAsync("bakery");

        Assert.Equal(["shop"], a.Received);
        Assert.Equal(["bakery"], b.Received);
    }

    [Fact]
    public async Task Second_host_with_the_same_hub_on_a_node_is_told_to_use_a_prefix()
    {
        await using var nodes = await TestCluster.StartAsync(1, cancellationToken: Canceled);
        await using var first = await HubCluster.StartAsync(nodes[0], static _ => { });
        await using var second = await HubCluster.StartAsync(nodes[0], static _ => { });
        await first.Services.GetRequiredService<IHubContext<ChatHub>>().Clients.All.SendAsync("receive", "hello", Canceled);

        var error = await Assert.ThrowsAsync<InvalidOperationException>(() => second.Services.GetRequiredService<IHubContext<ChatHub>>().Clients.All.SendAsync("receive", "hello", Canceled));

        Assert.Contains("ChatHub", error.Message, StringComparison.Ordinal);
        Assert.Contains("Prefix", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Missing_node_is_named_when_a_hub_is_used()
    {
        await using var web = await WebNode.StartAsync(static services => services.AddSignalR().AddDatacakeBackplane(), static app => app.MapHub<ChatHub>("/chat"));

        var error = await Assert.ThrowsAsync<InvalidOperationException>(() => web.Services.GetRequiredService<IHubContext<ChatHub>>().Clients.All.SendAsync("receive", "hello", Canceled));

        Assert.StartsWith("The SignalR backplane needs a Datacake node, but none is registered. Call services.AddDatacake", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Node_can_be_named()
    {
        await using var nodes = await TestCluster.StartAsync(1, cancellationToken: Canceled);
        var node = nodes[0].Node;
        await using var web = await WebNode.StartAsync(
            services => services.AddSignalR().AddDatacakeBackplane(options => options.UseNode(_ => node)), static app => app.MapHub<ChatHub>("/chat"));
        await using var a = await HubClient.ConnectAsync(web);

        await web.Services.GetRequiredService<IHubContext<ChatHub>>().Clients.All.SendAsync("receive", "hello", Canceled);

        await a.WaitForAsync("hello");
    }

    [Fact]
    public void Settings_out_of_range_are_refused_by_name()
    {
        Assert.Equal("Prefix", Refused(static options => options.Prefix = null!));
        Assert.Equal("Prefix", Refused(static options => options.Prefix = new string('x', 65)));
        Assert.Equal("AcknowledgmentTimeout", Refused(static options => options.AcknowledgmentTimeout = TimeSpan.Zero));
        Assert.Equal("MaxQueuedBytes", Refused(static options => options.MaxQueuedBytes = 65_535));
        Assert.Equal("SendTimeout", Refused(static options => options.SendTimeout = TimeSpan.FromHours(2)));

        static string? Refused(Action<DatacakeBackplaneOptions> configure) =>
            Assert.Throws<ArgumentException>(() => new ServiceCollection().AddSignalR().AddDatacakeBackplane(configure)).ParamName;
    }
}
