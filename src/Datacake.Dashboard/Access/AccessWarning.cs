using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace Datacake.Dashboard.Access;

/// <summary>Logs a warning when the application has started with a dashboard about whose authorization nobody has decided.</summary>
sealed partial class AccessWarning(EndpointDataSource endpoints, IHostApplicationLifetime lifetime, ILogger<AccessWarning> logger) : IHostedService
{
    public Task StartAsync(CancellationToken cancellationToken)
    {
        // The endpoints are complete when the server has started.
        lifetime.ApplicationStarted.Register(Check);
        return Task.CompletedTask;
    }

    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    void Check()
    {
        if (endpoints.Endpoints.FirstOrDefault(static endpoint => endpoint.Metadata.GetMetadata<DashboardMarker>() is not null && !AccessGuard.IsDecided(endpoint)) is RouteEndpoint open)
            Open(logger, open.RoutePattern.RawText ?? "");
    }

    [LoggerMessage(6001, LogLevel.Warning,
        "The dashboard at {Path} has no authorization and answers only requests from its own machine, except in the environment Development. Call RequireAuthorization or AllowAnonymous on the result of MapDatacakeDashboard.")]
    static partial void Open(ILogger logger, string path);
}
