using System.Globalization;
using Datacake.AspNetCore;
using Datacake.Node;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.SignalR;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace Datacake.Benchmarks.SignalR;

/// <summary>One server with the hub, as a process of its own. It ends with its standard input.</summary>
static class SignalRServer
{
    /// <summary>The first argument of the process, which no user writes.</summary>
    public const string Command = "signalr-server";

    /// <summary>The line that the process writes when clients may connect.</summary>
    public const string Ready = "ready";

    static readonly TimeSpan StartTimeout = TimeSpan.FromSeconds(60);

    /// <summary>Returns the arguments of a server with Datacake's backplane.</summary>
    public static string[] OnDatacake(string url, int node, IReadOnlyList<string> addresses) =>
        [Command, url, node.ToString(CultureInfo.InvariantCulture), .. addresses];

    /// <summary>Returns the arguments of a server with the backplane on Redis.</summary>
    public static string[] OnRedis(string url, string redis) => [Command, url, redis];

    public static async Task<int> RunAsync(string[] args)
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.WebHost.UseUrls(args[1]);
        builder.Logging.ClearProviders();
        builder.Services.AddSingleton<IUserIdProvider, UserOfAddress>();
        var signalR = builder.Services.AddSignalR();
        DatacakeNode? node = null;
        if (args is [_, _, var id, .. { Length: > 0 } addresses])
        {
            node = await DatacakeNode.StartAsync(options =>
            {
                options.WithNodeId(int.Parse(id, CultureInfo.InvariantCulture)).WithSeeds(addresses);
                options.ListenOn(addresses[int.Parse(id, CultureInfo.InvariantCulture)]);
            });
            builder.Services.AddSingleton(node);
            signalR.AddDatacakeBackplane();
            await node.WaitForNodesAsync(addresses.Length, StartTimeout);
        }
        else
        {
            signalR.AddStackExchangeRedis(args[2]);
        }
        await using var app = builder.Build();
        app.MapHub<BroadcastHub>(BroadcastHub.Path);
        await app.StartAsync();
        Console.WriteLine(Ready);
        await Console.In.ReadToEndAsync();
        await app.StopAsync();
        if (node is not null)
            await node.DisposeAsync();
        return 0;
    }
}
