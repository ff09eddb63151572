using System.Net;
using Datacake.Administration;
using Datacake.Dashboard.Metrics;
using Datacake.Node;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace Datacake.Dashboard.Tests.Fixtures;

/// <summary>An application with a dashboard, on Kestrel at loopback.</summary>
sealed class DashboardHost : IAsyncDisposable
{
    readonly WebApplication _application;

    DashboardHost(WebApplication application)
    {
        _application = application;
        Address = application.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.Single();
        Client = new HttpClient(new HttpClientHandler { AllowAutoRedirect = false }) { BaseAddress = new Uri(Address) };
    }

    public string Address { get; }

    public HttpClient Client { get; }

    public IServiceProvider Services => _application.Services;

    public MetricHistory Metrics => Services.GetRequiredService<DashboardCollector>().Metrics!;

    /// <summary>Starts an application for a node.</summary>
    /// <param name="node">The node.</param>
    /// <param name="protect">Decides who may use the dashboard; null for everyone.</param>
    /// <param name="configure">Changes the settings of the dashboard.</param>
    /// <param name="services">Adds services.</param>
    /// <param name="remote">The address from which all requests seem to come; null for the true one.</param>
    /// <param name="environment">The name of the environment.</param>
    /// <param name="log">The log.</param>
    /// <param name="address">The address to listen at.</param>
    public static async Task<DashboardHost> StartAsync(
        DatacakeNode node, Action<IEndpointConventionBuilder>? protect = null, Action<DashboardOptions>? configure = null, Action<IServiceCollection>? services = null,
        IPAddress? remote = null, string environment = "Production", CollectingLog? log = null, string address = "http://127.0.0.1:0")
    {
        var builder = WebApplication.CreateSlimBuilder(new WebApplicationOptions { EnvironmentName = environment });
        builder.Logging.ClearProviders();
        if (log is not null)
            builder.Services.AddSingleton<ILoggerFactory>(log);
        builder.WebHost.UseUrls(address);
        builder.Services.AddSingleton(node);
        builder.Services.AddDatacakeDashboard(configure);
        builder.Services.Configure<HostOptions>(static host => host.ShutdownTimeout = TimeSpan.FromSeconds(5));
        services?.Invoke(builder.Services);
        var application = builder.Build();
        if (remote is not null)
        {
            application.Use(next => context =>
            {
                context.Connection.RemoteIpAddress = remote;
                return next(context);
            });
        }
        (protect ?? (static dashboard => dashboard.AllowAnonymous()))(application.MapDatacakeDashboard("/datacake"));
        await node.OpenAdministrationAsync(TestContext.Current.CancellationToken);
        await application.StartAsync(TestContext.Current.CancellationToken);
        return new DashboardHost(application);
    }

    /// <summary>Returns the text of a page.</summary>
    public Task<string> GetAsync(string page) => Client.GetStringAsync($"/datacake{page}", TestContext.Current.CancellationToken);

    public Task<HttpResponseMessage> SendAsync(string page, params (string Name, string Value)[] headers)
    {
        var request = new HttpRequestMessage(HttpMethod.Get, $"/datacake{page}");
        foreach (var (name, value) in headers)
            request.Headers.TryAddWithoutValidation(name, value);
        return Client.SendAsync(request, TestContext.Current.CancellationToken);
    }

    public async ValueTask DisposeAsync()
    {
        Client.Dispose();
        await _application.StopAsync(TestContext.Current.CancellationToken);
        await _application.DisposeAsync();
    }
}
