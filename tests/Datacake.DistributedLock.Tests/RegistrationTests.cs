using Datacake.Hosting;
using Datacake.Storage;
using Medallion.Threading;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;

namespace Datacake.DistributedLock.Tests;

public sealed class RegistrationTests
{
    static CancellationToken Canceled => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Provider_is_resolved_before_the_host_has_started_and_needs_the_node_when_a_lock_is_acquired()
    {
        var builder = Host.CreateEmptyApplicationBuilder(new HostApplicationBuilderSettings());
        builder.Services.AddDatacakeDistributedLocks().AddDatacake(options => options.WithNodeId(1).ListenOn("127.0.0.1:0").UseMemory());
        using var host = builder.Build();
        var locks = host.Services.GetRequiredService<IDistributedLockProvider>();
        Assert.Same(host.Services.GetRequiredService<DatacakeDistributedLockProvider>(), locks);
        var wanted = locks.CreateLock("report");
        var e = await Assert.ThrowsAsync<InvalidOperationException>(async () => await wanted.TryAcquireAsync(cancellationToken: Canceled));
        Assert.StartsWith("The Datacake node has not started yet.", e.Message, StringComparison.Ordinal);
        await host.StartAsync(Canceled);
        await using (await wanted.AcquireAsync(cancellationToken: Canceled))
            Assert.Null(await locks.TryAcquireLockAsync("report", cancellationToken: Canceled));
        await host.StopAsync(Canceled);
    }

    [Fact]
    public async Task Lock_without_a_registered_node_is_refused_naming_the_missing_call()
    {
        await using var services = new ServiceCollection().AddDatacakeDistributedLocks(static options => options.LeaseDuration = TimeSpan.FromSeconds(20)).BuildServiceProvider();
        var e = await Assert.ThrowsAsync<InvalidOperationException>(
            async () => await services.GetRequiredService<IDistributedLockProvider>().AcquireLockAsync("report", cancellationToken: Canceled));
        Assert.Equal("Distributed locks need a node, but none is registered. Call services.AddDatacake(options => …), too.", e.Message);
    }

    [Fact]
    public void Invalid_settings_are_refused_when_they_are_registered()
    {
        Assert.Throws<ArgumentException>(static () => new ServiceCollection().AddDatacakeDistributedLocks(static options => options.LeaseDuration = TimeSpan.Zero));
        Assert.Throws<ArgumentNullException>(static () => new ServiceCollection().AddDatacakeDistributedLocks(null!));
        Assert.Throws<ArgumentNullException>(static () => DatacakeDistributedLockServiceCollectionExtensions.AddDatacakeDistributedLocks(null!));
    }
}
