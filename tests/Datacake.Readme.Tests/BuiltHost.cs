using System.Diagnostics;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;

namespace Datacake.Readme.Tests;

/// <summary>The host that a program builds and runs, for which .NET writes an event.</summary>
public sealed class BuiltHost : IObserver<DiagnosticListener>, IObserver<KeyValuePair<string, object?>>, IDisposable
{
    readonly TaskCompletionSource<IHost> _host = new();
    readonly List<IDisposable> _subscriptions = [];

    public BuiltHost() => _subscriptions.Add(DiagnosticListener.AllListeners.Subscribe(this));

    /// <summary>Gets the address of the web server, once it has started.</summary>
    public Uri Address => new(Host.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.Single());

    IHost Host => _host.Task.Result;

    IHostApplicationLifetime Lifetime => Host.Services.GetRequiredService<IHostApplicationLifetime>();

    /// <summary>Waits until the host has started, or the program has failed.</summary>
    public async Task<IHost> StartedAsync(Task program)
    {
        ArgumentNullException.ThrowIfNull(program);
        await await Task.WhenAny(_host.Task.WaitAsync(TimeSpan.FromMinutes(1)), program);
        var started = new TaskCompletionSource();
        using var registration = Lifetime.ApplicationStarted.Register(started.SetResult);
        await await Task.WhenAny(started.Task, program);
        return Host;
    }

    /// <summary>Stops the host, which ends the program.</summary>
    public void Stop() => Lifetime.StopApplication();

    public void OnNext(DiagnosticListener value)
    {
        ArgumentNullException.ThrowIfNull(value);
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
