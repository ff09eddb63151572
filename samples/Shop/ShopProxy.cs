using Yarp.ReverseProxy.Forwarder;

namespace Datacake.Shop;

/// <summary>The process that is started first: it starts the nodes, and sends each request to the next one that is up.</summary>
static class ShopProxy
{
    public static async Task RunAsync(string[] args)
    {
        var builder = WebApplication.CreateBuilder(args);
        builder.WebHost.UseUrls(builder.Configuration["urls"] ?? "http://127.0.0.1:5080");
        builder.Logging.SetMinimumLevel(LogLevel.Error);
        builder.Services.AddHttpForwarder();

        string folder = Directory.CreateTempSubdirectory("datacake-shop-").FullName;
        using var ports = new FreePorts();
        string[] addresses = [ports.Next(), ports.Next(), ports.Next()];
        var nodes = Enumerable.Range(1, 3).Select(id => new NodeProcess(id, $"http://{ports.Next()}", folder, addresses)).ToArray();
        using var client = new HttpMessageInvoker(new SocketsHttpHandler { AllowAutoRedirect = false, UseCookies = false, UseProxy = false });
        uint turn = 0;
        try
        {
            await using var app = builder.Build();
            app.Map("/{**path}", async (HttpContext context, IHttpForwarder forwarder) =>
            {
                // A proxy of other machines needs health checks.
                NodeProcess[] up = [.. nodes.Where(static node => node.IsUp)];
                if (up.Length == 0)
                    context.Response.StatusCode = StatusCodes.Status503ServiceUnavailable;
                else
                    await up[Interlocked.Increment(ref turn) % up.Length].ForwardAsync(context, forwarder, client);
            });
            app.MapGet("/nodes", () => nodes.Select(static node => new { node.Id, node.IsUp, node.Requests }));
            app.MapPost("/nodes/{id:range(1,3)}/kill", (int id) => nodes[id - 1].KillAsync());
            app.MapPost("/nodes/{id:range(1,3)}/start", (int id, CancellationToken token) => nodes[id - 1].StartAsync(token));

            await Task.WhenAll(nodes.Select(node => node.StartAsync(app.Lifetime.ApplicationStopping)));
            // The nodes end first, and with them their streams.
            app.Lifetime.ApplicationStopping.Register(() => Array.ForEach(nodes, static node => node.Stop()));
            await app.StartAsync();
            Console.WriteLine($"""
                Three nodes are up, with their files in {folder}.
                Open {app.Urls.First()} in two windows. Buy in one, and watch the stock in the other. Chat between them, change a price, and kill a node.
                Ctrl+C ends everything.
                """);
            await app.WaitForShutdownAsync();
        }
        finally
        {
            foreach (var node in nodes)
                await node.DisposeAsync();
            Directory.Delete(folder, recursive: true);
        }
    }
}
