using Datacake.Node;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace Datacake.AspNetCore.Tests.Fixtures;

/// <summary>A web application on loopback, on one node of a cluster.</summary>
sealed class WebNode : IAsyncDisposable
{
    WebNode(WebApplication app, CollectingLog log)
    {
        App = app;
        Log = log;
        Client = new HttpClient(new SocketsHttpHandler { UseCookies = false, AllowAutoRedirect = false }) { BaseAddress = new Uri(app.Urls.Single()), Timeout = Eventually.Deadline };
    }

    public WebApplication App { get; }

    public IServiceProvider Services => App.Services;

    /// <summary>Gets a client without a memory for cookies.</summary>
    public HttpClient Client { get; }

    public CollectingLog Log { get; }

    /// <summary>Starts an application on a node that runs.</summary>
    public static Task<WebNode> StartAsync(DatacakeNode node, Action<IServiceCollection> configure, Action<WebApplication> map) =>
        StartAsync(services => configure(services.AddSingleton(node)), map);

    public static async Task<WebNode> StartAsync(Action<IServiceCollection> configure, Action<WebApplication> map)
    {
        var log = new CollectingLog();
        var builder = WebApplication.CreateSlimBuilder();
        builder.WebHost.UseUrls("http://127.0.0.1:0");
        builder.Services.AddSingleton<ILoggerFactory>(log);
        configure(builder.Services);
        var app = builder.Build();
        map(app);
        await app.StartAsync(TestContext.Current.CancellationToken);
        return new WebNode(app, log);
    }

    public async ValueTask DisposeAsync()
    {
        Client.Dispose();
        await App.DisposeAsync();
    }
}
