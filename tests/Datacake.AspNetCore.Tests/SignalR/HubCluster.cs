using Datacake.AspNetCore.Tests.Fixtures;
using Datacake.Testing;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.SignalR;
using Microsoft.Extensions.DependencyInjection;

namespace Datacake.AspNetCore.Tests.SignalR;

/// <summary>Web applications with hubs, on the nodes of a cluster.</summary>
sealed class HubCluster : IAsyncDisposable
{
    readonly Action<DatacakeBackplaneOptions> _configure;
    readonly List<WebNode> _webs = [];

    HubCluster(TestCluster nodes, Action<DatacakeBackplaneOptions> configure) => (Nodes, _configure) = (nodes, configure);

    public TestCluster Nodes { get; }

    public WebNode this[int node] => _webs[node];

    /// <summary>Starts nodes, and applications on the first ones.</summary>
    public static async Task<HubCluster> StartAsync(int nodes, int? applications = null, Action<DatacakeBackplaneOptions>? configure = null)
    {
        var cluster = new HubCluster(await TestCluster.StartAsync(nodes, cancellationToken: TestContext.Current.CancellationToken), configure ?? (static _ => { }));
        for (int node = 0; node < (applications ?? nodes); node++)
            await cluster.AddAsync();
        return cluster;
    }

    /// <summary>Starts an application on the next node.</summary>
    public async Task<WebNode> AddAsync()
    {
        var web = await StartAsync(Nodes[_webs.Count], _configure);
        _webs.Add(web);
        return web;
    }

    public static Task<WebNode> StartAsync(TestNode node, Action<DatacakeBackplaneOptions> configure) => WebNode.StartAsync(
        node.Node,
        services => services.AddSingleton<IUserIdProvider, UserOfAddress>().AddSignalR().AddMessagePackProtocol().AddDatacakeBackplane(configure),
        static app =>
        {
            app.MapHub<ChatHub>("/chat");
            app.MapHub<ChatHub>("/counted", static options => options.AllowStatefulReconnects = true);
            app.MapHub<NewsHub>("/news");
            app.MapHub<BusyHub>("/busy");
        });

    public IHubContext<ChatHub> Chat(int node) => this[node].Services.GetRequiredService<IHubContext<ChatHub>>();

    public IHubContext<BusyHub> Busy(int node) => this[node].Services.GetRequiredService<IHubContext<BusyHub>>();

    /// <summary>Stops a node as in a crash, with its application.</summary>
    public async Task CrashAsync(int node)
    {
        await Nodes.StopAbruptlyAsync(node);
        await this[node].DisposeAsync();
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var web in _webs)
            await web.DisposeAsync();
        await Nodes.DisposeAsync();
    }
}
