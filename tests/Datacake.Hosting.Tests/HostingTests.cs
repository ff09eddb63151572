using Datacake.Data;
using Datacake.Node;
using Datacake.Storage;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;

namespace Datacake.Hosting.Tests;

public sealed class Visit
{
    public string Id { get; set; } = "";

    [Counter]
    public long Count { get; set; }
}

public sealed partial class VisitContext(DatacakeNode node) : DatacakeContext(node)
{
    public partial Keyspace<Visit> Visits { get; }
}

public sealed class HostingTests
{
    static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    [Fact]
    public async Task The_node_starts_with_the_host_and_every_scope_has_a_context_over_it()
    {
        using var host = Build();
        await host.StartAsync(Cancelled);
        await using (var scope = host.Services.CreateAsyncScope())
        {
            var db = scope.ServiceProvider.GetRequiredService<VisitContext>();
            db.Visits.Add(new Visit { Id = "home", Count = 3 });
            await db.SaveChangesAsync(Cancelled);
        }
        await using (var scope = host.Services.CreateAsyncScope())
        {
            var home = await scope.ServiceProvider.GetRequiredService<VisitContext>().Visits.FindAsync(["home"], Cancelled);
            Assert.Equal(3, home?.Count);
        }
        var node = host.Services.GetRequiredService<DatacakeNode>();
        await host.StopAsync(Cancelled);
        await Assert.ThrowsAsync<ObjectDisposedException>(() => node.WaitForNodesAsync(2, TimeSpan.FromSeconds(10), Cancelled));
    }

    [Fact]
    public void Before_the_host_has_started_the_error_says_when_the_node_is_there()
    {
        using var host = Build();
        var early = Assert.Throws<InvalidOperationException>(() => host.Services.GetRequiredService<DatacakeNode>());
        Assert.Contains("starts with the host", early.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_second_node_is_refused()
    {
        var services = new ServiceCollection().AddDatacake(options => options.WithNodeId(1));
        Assert.Throws<InvalidOperationException>(() => services.AddDatacake(options => options.WithNodeId(2)));
    }

    static IHost Build()
    {
        var builder = Host.CreateEmptyApplicationBuilder(new HostApplicationBuilderSettings());
        builder.Services.AddDatacake(options => options.WithNodeId(1).ListenOn("127.0.0.1:0").UseMemory());
        builder.Services.AddDatacakeContext(node => new VisitContext(node));
        return builder.Build();
    }
}
