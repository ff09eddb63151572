using System.Text;
using Datacake.AspNetCore.SignalR;
using Microsoft.AspNetCore.SignalR;
using Microsoft.AspNetCore.SignalR.Client;
using Microsoft.Extensions.DependencyInjection;

namespace Datacake.AspNetCore.Tests.SignalR;

public class DeliveryQueueTests
{
    static CancellationToken Canceled => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Message_is_written_by_its_sender_if_nothing_waits()
    {
        await using var cluster = await ConnectedAsync();
        var written = new List<string>();
        var queue = new DeliveryQueue(delivery => Write(written, delivery));

        var writing = queue.WriteAsync(Message(cluster.Connections, "a"));

        Assert.True(writing.IsCompletedSuccessfully);
        Assert.Equal(["a"], written);
    }

    [Fact]
    public async Task Messages_for_the_same_connections_that_wait_are_written_together()
    {
        await using var cluster = await ConnectedAsync();
        LocalConnection[] others = [.. cluster.Connections];
        var written = new List<string>();
        var queue = new DeliveryQueue(delivery => Write(written, delivery));
        Task[] tasks =
        [
            queue.AddAsync(Message(cluster.Connections, "a")),
            queue.AddAsync(Message(cluster.Connections, "b")),
            queue.AddAsync(Message(others, "c")),
            queue.AddAsync(Message(cluster.Connections, "d") with { Excluded = ["somebody"] }),
            queue.AddAsync(Message(cluster.Connections, "e")),
            queue.AddAsync(Message(cluster.Connections, "f") with { MayLackProtocol = true }),
        ];
        Assert.Empty(written);

        queue.Run();

        Assert.Equal(["ab", "c", "d", "e", "f"], written);
        Assert.All(tasks, static task => Assert.True(task.IsCompletedSuccessfully));
    }

    [Fact]
    public async Task Messages_of_other_threads_wait_for_the_one_that_is_written()
    {
        await using var cluster = await ConnectedAsync();
        var written = new List<string>();
        DeliveryQueue queue = null!;
        var second = Task.CompletedTask;
        queue = new DeliveryQueue(delivery =>
        {
            if (written.Count == 0)
            {
                second = queue.WriteAsync(Message(cluster.Connections, "b"));
                Assert.False(second.IsCompleted);
            }
            return Write(written, delivery);
        });

        await queue.WriteAsync(Message(cluster.Connections, "a"));
        await second.WaitAsync(Eventually.Deadline, Canceled);

        Assert.Equal(["a", "b"], written);
    }

    [Fact]
    public async Task Failed_write_fails_its_message_and_no_other()
    {
        await using var cluster = await ConnectedAsync();
        var written = new List<string>();
        var queue = new DeliveryQueue(delivery => TextOf(delivery) == "a" ? throw new IOException("broken") : Write(written, delivery));

        await Assert.ThrowsAsync<IOException>(() => queue.WriteAsync(Message(cluster.Connections, "a")));
        var failed = queue.AddAsync(Message(cluster.Connections, "a"));
        var good = queue.AddAsync(Message([.. cluster.Connections], "b"));
        queue.Run();

        await Assert.ThrowsAsync<IOException>(() => failed);
        await good;
        Assert.Equal(["b"], written);
    }

    [Fact]
    public async Task Client_that_counts_messages_gets_each_by_itself()
    {
        await using var cluster = await HubCluster.StartAsync(2);
        await using var client = await HubClient.ConnectAsync(cluster[1], "counted", countsMessages: true);
        var manager = (DatacakeHubLifetimeManager<ChatHub>)cluster[1].Services.GetRequiredService<HubLifetimeManager<ChatHub>>();
        Assert.True(manager.Backplane.Find(client.Id)!.CountsMessages);

        await Task.WhenAll(Enumerable.Range(0, 500).Select(i => cluster.Chat(0).Clients.All.SendAsync("receive", $"{i}", Canceled)));

        Assert.Equal([string.Join(' ', Enumerable.Range(0, 500))], await HubClient.ReceivedAsync(cluster, 0, client));
    }

    static Delivery Message(IReadOnlyCollection<LocalConnection> connections, string text)
    {
        SerializedMessage[] forms = [new("json", Encoding.UTF8.GetBytes(text))];
        return new Delivery(connections, [], new SerializedHubMessage(forms), forms, CancellationToken.None);
    }

    static Task Write(List<string> written, Delivery delivery)
    {
        written.Add(TextOf(delivery));
        return Task.CompletedTask;
    }

    static string TextOf(Delivery delivery) => Encoding.UTF8.GetString(delivery.Forms![0].Serialized.Span);

    static async Task<Connected> ConnectedAsync()
    {
        var cluster = await HubCluster.StartAsync(1);
        var client = await HubClient.ConnectAsync(cluster[0]);
        var manager = (DatacakeHubLifetimeManager<ChatHub>)cluster[0].Services.GetRequiredService<HubLifetimeManager<ChatHub>>();
        return new Connected(cluster, client, [manager.Backplane.Find(client.Id)!]);
    }

    sealed record Connected(HubCluster Cluster, HubClient Client, LocalConnection[] Connections) : IAsyncDisposable
    {
        public async ValueTask DisposeAsync()
        {
            await Client.DisposeAsync();
            await Cluster.DisposeAsync();
        }
    }
}
