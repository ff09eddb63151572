using Datacake.DistributedLock;
using Datacake.EventualConsistency;
using Datacake.Hosting;
using Datacake.Node;
using Datacake.Sqlite;
using Datacake.Storage;
using Medallion.Threading;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;

// types of sample 1

public sealed class ReportWriter
{
    public int Count { get; private set; }

    public Task WriteAsync(CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        Count++;
        return Task.CompletedTask;
    }
}

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
        var reports = host.Services.GetRequiredService<Reports>();
        var writer = host.Services.GetRequiredService<ReportWriter>();
        await using (await new DatacakeDistributedLockProvider(second).CreateLock("nightly report").AcquireAsync())
        {
            await reports.WriteAsync(CancellationToken.None);
            Assert.Equal(0, writer.Count);
        }
        await reports.WriteAsync(CancellationToken.None);
        Assert.Equal(1, writer.Count);
        await using (var handle = await host.Services.GetRequiredService<IDistributedLockProvider>().AcquireLockAsync("nightly report"))
            Assert.Equal(3, ((DatacakeDistributedLockHandle)handle).FencingToken);
        await host.StopAsync();
        Samples.Reach(1);
    }
}

static class Alone
{
    public static async Task RunAsync()
    {
        await using var node = await Samples.StartNodeAsync(1, static options => options.UseMemory());
        long written = 0;
        // sample 2
        Assert.Equal(1, written);
        Samples.Reach(2);

        Task WriteReportAsync(long token, CancellationToken lost)
        {
            Assert.False(lost.IsCancellationRequested);
            written = token;
            return Task.CompletedTask;
        }
    }
}
