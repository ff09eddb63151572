using Datacake.AspNetCore.Nodes;
using Datacake.Hosting;
using Datacake.Node;
using Datacake.Storage;
using Microsoft.Extensions.DependencyInjection;

namespace Datacake.AspNetCore.Tests;

public class RegisteredNodeTests
{
    [Fact]
    public void Missing_node_is_reported_with_the_remedy()
    {
        using var services = new ServiceCollection().BuildServiceProvider();

        var error = Assert.Throws<InvalidOperationException>(() => RegisteredNode.Of(services, find: null, "The output cache"));

        Assert.StartsWith("The output cache needs a Datacake node, but none is registered.", error.Message, StringComparison.Ordinal);
        Assert.Contains("AddDatacake", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Node_that_has_not_started_is_reported()
    {
        await using var services = new ServiceCollection().AddDatacake(static options => options.WithNodeId(1).ListenOn("127.0.0.1:0").UseMemory()).BuildServiceProvider();

        var error = Assert.Throws<InvalidOperationException>(() => RegisteredNode.Of(services, find: null, "The output cache"));

        Assert.Contains("has not started yet", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Named_node_takes_the_place_of_the_registered_one()
    {
        await using var node = await DatacakeNode.StartAsync(static options => options.WithNodeId(1).ListenOn("127.0.0.1:0").UseMemory(), TestContext.Current.CancellationToken);
        using var services = new ServiceCollection().BuildServiceProvider();

        Assert.Same(node, RegisteredNode.Of(services, _ => node, "The output cache"));
    }
}
