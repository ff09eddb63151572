using System.Security.Cryptography;
using System.Text;
using Datacake.Crdt;
using Datacake.EventualConsistency;
using Datacake.Node;
using Datacake.Sqlite;
using Datacake.Storage;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;

static class Storing
{
    public static async Task RunAsync()
    {
        const string secret = Samples.Secret;
        await using var second = await Samples.StartNodeAsync(2, Samples.Secured);
        await using var third = await Samples.StartNodeAsync(3, Samples.Secured);
        // sample 1
        foreach (var cell in document!.Cells)
            Assert.Equal("Hello, world!"u8, cell.Value);
        Samples.Reach(1);
    }
}

static class FormingWithAllSeeds
{
    public static async Task RunAsync()
    {
        await using var first = await Samples.StartNodeAsync(1, Configure);
        await using var second = await Samples.StartNodeAsync(2, Configure);
        await using var third = await Samples.StartNodeAsync(3, Configure);
        await (await first.OpenStoreAsync()).WaitForMembersAsync(3, TimeSpan.FromMinutes(1));
        Samples.Reach(2);
    }

    static void Configure(DatacakeNodeOptions options)
    {
        options.UseMemory();
        // sample 2
    }
}

static class FormingWithOneName
{
    public static async Task RunAsync()
    {
        await using var first = await Samples.StartNodeAsync(1, Configure);
        await using var second = await Samples.StartNodeAsync(2, Configure);
        await using var third = await Samples.StartNodeAsync(3, Configure);
        await (await first.OpenStoreAsync()).WaitForMembersAsync(3, TimeSpan.FromMinutes(1));
        Samples.Reach(3);
    }

    static void Configure(DatacakeNodeOptions options)
    {
        options.UseMemory();
        // sample 3
    }
}

static class FormingAlone
{
    public static async Task RunAsync()
    {
        await using var first = await Samples.StartNodeAsync(1, Configure);
        await (await first.OpenStoreAsync()).Keyspace("cakes").PutAsync(1, "Madeira"u8.ToArray());
        Samples.Reach(4);
    }

    static void Configure(DatacakeNodeOptions options)
    {
        options.UseMemory();
        // sample 4
    }
}

static class Joining
{
    public static async Task RunAsync()
    {
        await using var first = await Samples.StartNodeAsync(1, static options => options.UseMemory());
        await (await first.OpenStoreAsync()).Keyspace("cakes").PutAsync(1, "Madeira"u8.ToArray());
        await using var second = await Samples.StartNodeAsync(2, static options => options.WithSeeds(Samples.AddressOf(1)).UseMemory());
        var store = await second.OpenStoreAsync();
        // sample 5
        Assert.Matches("^(.* of about .* documents, from node .*\n)+$", Samples.TakeOutput());
        Assert.NotNull(await store.Keyspace("cakes").GetAsync(1));
        Samples.Reach(5);
    }
}

static class ShowingMembers
{
    public static async Task RunAsync()
    {
        await using var node = await Samples.StartNodeAsync(1, static options => options.UseMemory());
        var store = await node.OpenStoreAsync();
        await store.WaitForMembersAsync(1, TimeSpan.FromMinutes(1));
        // sample 6
        Assert.StartsWith($"node 1 at {Samples.AddressOf(1)}: Local", Samples.TakeOutput(), StringComparison.Ordinal);
        Samples.Reach(6);
    }
}

static class RecoveringSerial
{
    public static async Task RunAsync()
    {
        const string secret = Samples.Secret;
        await using (var first = await Samples.StartNodeAsync(1, static options => Configure(options).UseSqlite("kv.db")))
        await using (var second = await Samples.StartNodeAsync(2, static options => Configure(options).UseMemory()))
        await using (var third = await Samples.StartNodeAsync(3, static options => Configure(options).UseMemory()))
        {
            var before = await first.OpenStoreAsync();
            await Samples.WaitUntilAsync(() => before.SerialStatus is { VoterCount: 3, Sequencer: not null }, "all nodes vote");
            await using var lease = await first.Leases.AcquireAsync("nightly report", TimeSpan.FromDays(1));
        }
        // sample 7
        await Samples.WaitUntilAsync(() => store.SerialStatus is { VoterCount: 1, Sequencer: 1 }, "node 1 is the only voter");
        await using var next = await node.Leases.AcquireAsync("nightly report", TimeSpan.FromDays(1));
        await store.Keyspace("cakes").PutAsync(1, "Madeira"u8.ToArray(), Consistency.Quorum);
        Samples.Reach(7);
    }

    static DatacakeNodeOptions Configure(DatacakeNodeOptions options) =>
        options.WithSeeds(Samples.AddressOf(1), Samples.AddressOf(2), Samples.AddressOf(3)).WithClusterSecret(Samples.Secret).WithStore(static store => store.ExpectedNodes = 3);
}

static class Leasing
{
    public static async Task RunAsync()
    {
        await using var node = await Samples.StartNodeAsync(1, Configure);
        long written = 0;
        // sample 8
        Assert.Equal(1, written);
        await using var next = await node.Leases.TryAcquireAsync("nightly report", TimeSpan.FromSeconds(10));
        Assert.Equal(2, next?.FencingToken);
        Samples.Reach(8);

        Task WriteReportAsync(long token, CancellationToken lost)
        {
            Assert.False(lost.IsCancellationRequested);
            written = token;
            return Task.CompletedTask;
        }
    }

    static void Configure(DatacakeNodeOptions options) => options.UseMemory();
}

static class Selling
{
    public static async Task RunAsync()
    {
        await using var node = await Samples.StartNodeAsync(1, static options => options.UseMemory());
        var store = await node.OpenStoreAsync();
        // sample 9
        Assert.Equal("", Samples.TakeOutput());
        Samples.Reach(9);
    }
}

static class Expiring
{
    public static async Task RunAsync()
    {
        await using var node = await Samples.StartNodeAsync(1, static options => options.UseMemory());
        var store = await node.OpenStoreAsync();
        var cakes = store.Keyspace("cakes");
        // sample 10
        Assert.Equal("fresh"u8.ToArray(), (await cakes.GetAsync(7))!.Value!.Value.ToArray());
        Assert.False((await store.Keyspace("reservations").GetAsync(7))!.Expires.IsNone);
        Samples.Reach(10);
    }
}

static class RetiringWithAKey
{
    public static async Task RunAsync()
    {
        using var created = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        File.WriteAllText("operator.pem", created.ExportECPrivateKeyPem());
        File.WriteAllText("operator.pub.pem", created.ExportSubjectPublicKeyInfoPem());
        await using var first = await Samples.StartNodeAsync(1, options => Configure(options, "1.db"));
        var store = await first.OpenStoreAsync();
        await using (var third = await Samples.StartNodeAsync(3, options => Configure(options, "3.db")))
            await store.WaitForMembersAsync(2, TimeSpan.FromMinutes(1));
        await Assert.ThrowsAnyAsync<InvalidOperationException>(async () => await store.RetireAsync(3));
        // sample 12
        Assert.DoesNotContain(store.Members, static member => member.NodeId == 3);
        Samples.Reach(11);
        Samples.Reach(12);
    }

    static void Configure(DatacakeNodeOptions options, string file)
    {
        options.WithSeeds(Samples.AddressOf(1)).UseSqlite(file);
        // sample 11
    }
}

static class Salvaging
{
    public static async Task RunAsync()
    {
        await using var first = await Samples.StartNodeAsync(1, static options => options.WithSeeds(Samples.AddressOf(1)).UseSqlite("shop.db"));
        var store = await first.OpenStoreAsync();
        Directory.CreateDirectory("old");
        await using (var third = await Samples.StartNodeAsync(3, static options => options.WithSeeds(Samples.AddressOf(1)).UseSqlite("old/shop.db")))
            await store.WaitForMembersAsync(2, TimeSpan.FromMinutes(1));
        // Alone, the third node writes what no other node has.
        var (network, cut) = Samples.CreateNetwork();
        await cut();
        await using (var third = await Samples.StartNodeAsync(3, options => options.WithTransport(network).UseSqlite("old/shop.db")))
            await (await third.OpenStoreAsync()).Keyspace("cakes").PutAsync(1, "Madeira"u8.ToArray(), Consistency.None);
        await store.RetireAsync(3);
        // sample 13
        Assert.Equal(0, trial.Written);
        Assert.Equal(1, result.Written);
        Assert.NotNull(await store.Keyspace("cakes").GetAsync(1));
        Samples.Reach(13);
    }
}

static class Verifying
{
    public static async Task RunAsync()
    {
        ILogger logger = NullLogger.Instance;
        await using var node = await Samples.StartNodeAsync(1, static options => options.UseSqlite("shop.db"));
        var store = await node.OpenStoreAsync();
        await store.Keyspace("cakes").PutAsync(1, "Madeira"u8.ToArray());
        // sample 14
        Assert.True(found.IsSound);
        Assert.Equal(1, found.Documents);
        Samples.Reach(14);
    }
}

static class Caching
{
    public static async Task RunAsync()
    {
        await using var node = await Samples.StartNodeAsync(1, static options =>
        {
            // sample 15
        });
        var cakes = (await node.OpenStoreAsync()).Keyspace("cakes");
        await cakes.PutAsync(1, "Madeira"u8.ToArray());
        Assert.NotNull(await cakes.GetAsync(1));
        Assert.True(File.Exists("shop.db"));
        Samples.Reach(15);
    }
}

static class NamedStores
{
    public static async Task RunAsync()
    {
        HashSet<string> tenants = ["tenant/17"];
        // sample 16
        Assert.NotNull(await tenant.Keyspace("orders").GetAsync(1));
        Assert.Equal(["", "catalog", "tenant/17"], node.OpenStores.Select(static store => store.Name));
        Assert.Equal("catalog", catalog.Name);
        Assert.NotNull(branch);
        Samples.Reach(16);
    }
}

static class Followers
{
    public static async Task RunAsync()
    {
        const string secret = "a secret of at least 32 bytes, for the sample";
        await using var member = await Samples.StartNodeAsync(1, static options => options.WithClusterId("bakery").WithClusterSecret(secret).UseMemory());
        var cakes = (await member.OpenStoreAsync()).Keyspace("cakes");
        await cakes.PutAsync(1, "Madeira"u8.ToArray());
        // sample 17
        Assert.NotNull(cake);
        Assert.NotNull(await cakes.GetAsync(2));
        Samples.Reach(17);
    }
}
