using System.Diagnostics;
using System.Net;
using Datacake.Dashboard;
using Datacake.Hosting;
using Datacake.Node;
using Datacake.Sqlite;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;

static class Serving
{
    public static async Task RunAsync()
    {
        await using var second = await Samples.StartNodeAsync(2, Samples.Secured);
        await using var third = await Samples.StartNodeAsync(3, Samples.Secured);
        using var built = new BuiltHost();
        var running = Task.Run(() => Run("--urls", "http://127.0.0.1:0", "--ShopSecret", Samples.Secret));
        var app = await built.Host;
        var lifetime = app.Services.GetRequiredService<IHostApplicationLifetime>();
        var started = new TaskCompletionSource();
        using var registration = lifetime.ApplicationStarted.Register(started.SetResult);
        await await Task.WhenAny(started.Task, running);
        using var client = new HttpClient(new HttpClientHandler { AllowAutoRedirect = false })
        {
            BaseAddress = new Uri(app.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.Single()),
        };
        // A user who has not signed in is sent to the page for that.
        using var response = await client.GetAsync("/datacake");
        Assert.Equal(HttpStatusCode.Redirect, response.StatusCode);
        Assert.StartsWith("/Account/Login", response.Headers.Location!.PathAndQuery);
        lifetime.StopApplication();
        await running;
        Samples.Reach(1);
    }

    static void Run(params string[] args)
    {
        // sample 1
    }
}

/// <summary>The host that a program builds, for which .NET writes an event.</summary>
sealed class BuiltHost : IObserver<DiagnosticListener>, IObserver<KeyValuePair<string, object?>>, IDisposable
{
    readonly TaskCompletionSource<IHost> _host = new();
    readonly List<IDisposable> _subscriptions = [];

    public BuiltHost() => _subscriptions.Add(DiagnosticListener.AllListeners.Subscribe(this));

    public Task<IHost> Host => _host.Task.WaitAsync(TimeSpan.FromMinutes(1));

    public void OnNext(DiagnosticListener value)
    {
        if (value.Name == "Microsoft.Extensions.Hosting")
            _subscriptions.Add(value.Subscribe(this));
    }

    public void OnNext(KeyValuePair<string, object?> value)
    {
        if (value is { Key: "HostBuilt", Value: IHost host })
            _host.TrySetResult(host);
    }

    public void OnCompleted()
    {
    }

    public void OnError(Exception error) => _host.TrySetException(error);

    public void Dispose() => _subscriptions.ForEach(static subscription => subscription.Dispose());
}
