using System.Diagnostics.Metrics;
using Microsoft.AspNetCore.SignalR;
using Microsoft.AspNetCore.SignalR.Client;

namespace Datacake.AspNetCore.Tests.SignalR;

public class SlowPeerTests
{
    static readonly string Text = new('x', 10_000);

    static CancellationToken Canceled => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Sender_waits_for_a_slow_peer_and_nothing_is_lost()
    {
        var (cluster, peer) = await StartAsync(Configure(TimeSpan.FromHours(1)));
        await using var _ = cluster;
        Task[] sent = Fill(cluster);
        Assert.Contains(sent, static task => !task.IsCompleted);

        peer.Release();

        await Task.WhenAll(sent).WaitAsync(Eventually.Deadline, Canceled);
        await Eventually.WaitUntilAsync(() => peer.Messages == sent.Length, () => $"{sent.Length} messages arrive, but {peer.Messages}");
        Assert.False(cluster[0].Log.Contains("dropped"));
    }

    [Fact]
    public async Task Messages_that_a_slow_peer_does_not_take_in_time_are_counted_and_logged()
    {
        using var dropped = new DroppedMessages();
        var (cluster, peer) = await StartAsync(Configure(TimeSpan.FromMilliseconds(100)));
        await using var _ = cluster;
        await using var here = await HubClient.ConnectAsync(cluster[0], "busy");
        Task[] sent = Fill(cluster);
        await Task.WhenAll(sent).WaitAsync(Eventually.Deadline, Canceled);
        await cluster[0].Log.WaitUntilAsync("Node 1 is too slow for the messages of the hub", "are dropped");
        long slow = dropped.Of("slow");
        Assert.NotEqual(0, slow);

        peer.Release();

        await Eventually.WaitUntilAsync(() => peer.Messages + slow == sent.Length, () => $"{sent.Length} messages are accounted for, but {peer.Messages} and {slow}");
        await cluster[0].Log.WaitUntilAsync("Node 1 receives the messages of the hub", "were dropped because it was slow");
        // The connections of the sender's own node get everything.
        await Eventually.WaitUntilAsync(() => here.Received.Count == sent.Length, "the own connections get all messages");
        Assert.Equal(slow, dropped.Of("slow"));
    }

    [Fact]
    public async Task Request_that_a_slow_peer_does_not_take_fails_with_its_name()
    {
        var (cluster, _) = await StartAsync(options =>
        {
            Configure(TimeSpan.FromMilliseconds(100))(options);
            options.AcknowledgmentTimeout = TimeSpan.FromMinutes(30);
        });
        await using var cluster1 = cluster;
        await Task.WhenAll(Fill(cluster)).WaitAsync(Eventually.Deadline, Canceled);

        var error = await Assert.ThrowsAsync<IOException>(() => cluster.Busy(0).Groups.AddToGroupAsync("somewhere", "cakes", Canceled));

        Assert.Contains("Node 1 did not take the request in time", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Request_that_a_peer_does_not_answer_in_time_fails_with_its_name()
    {
        var (cluster, _) = await StartAsync(static options => options.AcknowledgmentTimeout = TimeSpan.FromMilliseconds(100));
        await using var cluster1 = cluster;

        var error = await Assert.ThrowsAsync<TimeoutException>(() => cluster.Busy(0).Groups.AddToGroupAsync("somewhere", "cakes", Canceled));
        var ofInvocation = await Assert.ThrowsAsync<TimeoutException>(() => cluster.Busy(0).Clients.Client("somewhere").InvokeAsync<int>("double", 21, Canceled));

        Assert.Contains("node 1", error.Message, StringComparison.Ordinal);
        Assert.Contains("AcknowledgmentTimeout", error.Message, StringComparison.Ordinal);
        Assert.Contains("node 1", ofInvocation.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Messages_for_a_peer_that_goes_away_are_counted_and_logged()
    {
        using var dropped = new DroppedMessages();
        var (cluster, _) = await StartAsync(Configure(TimeSpan.FromHours(1)));
        await using var cluster1 = cluster;
        Task[] sent = Fill(cluster);
        Assert.Contains(sent, static task => !task.IsCompleted);

        await cluster.Nodes.StopAsync(1);

        await Task.WhenAll(sent).WaitAsync(Eventually.Deadline, Canceled);
        await cluster[0].Log.WaitUntilAsync("messages of the hub", "to node 1 were dropped, because it left the cluster");
        Assert.NotEqual(0, dropped.Of("gone"));
    }

    /// <summary>Starts an application beside a slow peer.</summary>
    static async Task<(HubCluster Cluster, SlowPeer Peer)> StartAsync(Action<DatacakeBackplaneOptions> configure)
    {
        var cluster = await HubCluster.StartAsync(2, applications: 1, configure);
        var peer = new SlowPeer();
        cluster.Nodes[1].Node.Server.AddService(peer);
        return (cluster, peer);
    }

    /// <summary>Sends more than the queue and all buffers on the way hold.</summary>
    static Task[] Fill(HubCluster cluster) => [.. Enumerable.Range(0, 400).Select(_ => cluster.Busy(0).Clients.All.SendAsync("receive", Text, Canceled))];

    static Action<DatacakeBackplaneOptions> Configure(TimeSpan sendTimeout) => options => (options.MaxQueuedBytes, options.SendTimeout) = (64 * 1024, sendTimeout);

    /// <summary>Counts the messages to the busy hub that are dropped, which no other test uses.</summary>
    sealed class DroppedMessages : IDisposable
    {
        readonly MeterListener _listener = new();
        readonly Dictionary<string, long> _counts = [];

        public DroppedMessages()
        {
            _listener.InstrumentPublished = static (instrument, listener) =>
            {
                if (instrument.Name == "datacake.signalr.dropped")
                    listener.EnableMeasurementEvents(instrument);
            };
            _listener.SetMeasurementEventCallback<long>((_, count, tags, _) =>
            {
                var found = tags.ToArray().ToDictionary(static tag => tag.Key, static tag => tag.Value);
                if (!typeof(BusyHub).ToString().Equals(found["hub"]) || !"0".Equals(found["node"]))
                    return;
                lock (_counts)
                    _counts[(string)found["reason"]!] = _counts.GetValueOrDefault((string)found["reason"]!) + count;
            });
            _listener.Start();
        }

        public long Of(string reason)
        {
            lock (_counts)
                return _counts.GetValueOrDefault(reason);
        }

        public void Dispose() => _listener.Dispose();
    }
}
