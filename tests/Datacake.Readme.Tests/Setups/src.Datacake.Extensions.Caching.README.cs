using Datacake.EventualConsistency;
using Datacake.Extensions.Caching;
using Datacake.Hosting;
using Datacake.Node;
using Datacake.Sqlite;
using Datacake.Storage;
using Microsoft.Extensions.Caching.Distributed;
using Microsoft.Extensions.Caching.Hybrid;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;

// types of sample 1

static class Hosting
{
    public static async Task RunAsync()
    {
        await using var second = await Samples.StartNodeAsync(2, Samples.Secured);
        await using var third = await Samples.StartNodeAsync(3, Samples.Secured);
        string[] args = ["--ShopSecret", Samples.Secret];
        // sample 1
        using var host = builder.Build();
        await host.StartAsync();
        await (await host.Services.GetRequiredService<DatacakeNode>().OpenStoreAsync()).WaitForMembersAsync(3, TimeSpan.FromMinutes(1));
        var shop = host.Services.GetRequiredService<Shop>();
        Assert.Equal(new Cake(1, "carrot"), await shop.FindAsync(1, CancellationToken.None));
        await shop.SignInAsync("session", [1]);

        await using var cache = new DatacakeHybridCache(second);
        await using var sessions = new DatacakeDistributedCache(second);
        await Samples.WaitUntilAsync(async () => await FindAsync() == new Cake(1, "carrot"), "the other node has the entry");
        await Samples.WaitUntilAsync(async () => await sessions.GetAsync("session") is [1], "the other node has the session");
        await shop.OnPricesChangedAsync();
        await Samples.WaitUntilAsync(async () => await FindAsync() is null, "the other node does not have the entry any more");
        await host.StopAsync();
        Samples.Reach(1);

        async Task<Cake?> FindAsync() => await cache.GetOrCreateAsync<Cake?>(
            "cake:1", static _ => ValueTask.FromResult<Cake?>(null), new HybridCacheEntryOptions { Flags = HybridCacheEntryFlags.DisableUnderlyingData });
    }
}

static class Alone
{
    public static async Task RunAsync()
    {
        await using var node = await Samples.StartNodeAsync(1, static options => options.UseMemory());
        // sample 2
        Assert.Equal(42, answer);
        Samples.Reach(2);
    }
}

static class Second
{
    public static async Task RunAsync()
    {
        string secret = Samples.Secret, cacheAddress = Samples.AddressOf(1);
        string[] cacheAddresses = [cacheAddress];
        var services = new ServiceCollection();
        // sample 3
        await using (cacheNode)
        {
            await using var provider = services.BuildServiceProvider();
            var cache = Assert.IsType<DatacakeHybridCache>(provider.GetRequiredService<HybridCache>());
            Assert.Equal(42, await cache.GetOrCreateAsync("answer", static _ => ValueTask.FromResult(42)));
        }
        Samples.Reach(3);
    }
}
