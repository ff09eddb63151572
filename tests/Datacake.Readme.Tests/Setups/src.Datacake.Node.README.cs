using System.Collections.Concurrent;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using Datacake.Node;
using Datacake.Rpc;

static class Watching
{
    public static async Task RunAsync()
    {
        using var stopping = new CancellationTokenSource();
        var cancellationToken = stopping.Token;
        var (network, cut) = Samples.CreateNetwork();
        await using var second = await Samples.StartNodeAsync(2, options => Configure(options).WithTransport(network), withStore: false);
        await using var third = await Samples.StartNodeAsync(3, options => Configure(options), withStore: false);
        var watching = WatchAsync();
        string expected = $"Down: node 2 (eu-west, {Samples.AddressOf(2)}, down)\n";
        string output = "";
        await Samples.WaitUntilAsync(() => (output += Samples.TakeOutput()).Contains($"Joined: node 2 (eu-west, {Samples.AddressOf(2)}, up)\n", StringComparison.Ordinal), "node 2 has joined");

        await cut();

        await Samples.WaitUntilAsync(() => (output += Samples.TakeOutput()).Contains(expected, StringComparison.Ordinal), "node 2 is reported as down");
        await stopping.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => watching);
        Samples.Reach(1);

        async Task WatchAsync()
        {
            // sample 1
        }
    }

    static DatacakeNodeOptions Configure(DatacakeNodeOptions options) =>
        options.WithSeeds(Samples.AddressOf(1), Samples.AddressOf(2), Samples.AddressOf(3)).InDataCenter("eu-west");
}

static class Securing
{
    public static async Task RunAsync()
    {
        const string password = "tiers", secret = Samples.Secret;
        Samples.WriteCertificates(password);
        await using var first = await Samples.StartNodeAsync(1, Configure, withStore: false);
        await using var second = await Samples.StartNodeAsync(2, Configure, withStore: false);
        await first.WaitForNodesAsync(2, TimeSpan.FromMinutes(1));
        Samples.Reach(2);

        void Configure(DatacakeNodeOptions options)
        {
            options.WithSeeds(Samples.AddressOf(1), Samples.AddressOf(2));
            // sample 2
        }
    }
}

// types of sample 3

static class Extending
{
    public static async Task RunAsync()
    {
        await using var node = await Samples.StartNodeAsync(1, Configure, withStore: false);
        await using var other = await Samples.StartNodeAsync(2, Configure, withStore: false);
        await node.WaitForNodesAsync(2, TimeSpan.FromMinutes(1));
        var elsewhere = await other.AddExtensionAsync(new CacheInvalidation());
        // sample 3
        Assert.Equal("old", elsewhere.GetOrAdd("price", static _ => "old"));
        await cache.InvalidateAsync("price");
        Assert.Equal("new", elsewhere.GetOrAdd("price", static _ => "new"));
        Samples.Reach(3);
    }

    static void Configure(DatacakeNodeOptions options) => options.WithSeeds(Samples.AddressOf(1), Samples.AddressOf(2));
}
