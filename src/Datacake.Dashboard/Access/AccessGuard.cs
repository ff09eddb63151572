using System.Net;
using Microsoft.AspNetCore.Authorization;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;

namespace Datacake.Dashboard.Access;

/// <summary>
/// Keeps a dashboard from being open by accident: without a decision about its authorization, only requests from the machine itself are answered,
/// except in the environment Development.
/// </summary>
static class AccessGuard
{
    const string Refusal =
        "This dashboard has no authorization, so that only requests from its own machine are answered. "
        + "Call app.MapDatacakeDashboard(…).RequireAuthorization(…) with a policy for operators, or .AllowAnonymous() if everyone may read all data.";

    /// <summary>Headers that a proxy adds. Behind a proxy on the same machine, every request seems to come from that machine.</summary>
    static readonly string[] ProxyHeaders = ["Forwarded", "X-Forwarded-For", "X-Forwarded-Host", "X-Forwarded-Proto", "X-Real-IP", "Via"];

    /// <summary>True if the application has decided who may use the endpoint.</summary>
    public static bool IsDecided(Endpoint endpoint) =>
        endpoint.Metadata.GetMetadata<IAuthorizeData>() is not null || endpoint.Metadata.GetMetadata<AuthorizationPolicy>() is not null
            || endpoint.Metadata.GetMetadata<IAllowAnonymous>() is not null;

    /// <summary>Answers a request with 403 if nobody has decided about it and it may come from another machine. Returns true if it did.</summary>
    public static async ValueTask<bool> RefusesAsync(HttpContext context)
    {
        if (context.GetEndpoint() is not { } endpoint || IsDecided(endpoint) || context.RequestServices.GetService<IHostEnvironment>()?.IsDevelopment() == true || IsFromThisMachine(context))
            return false;
        context.Response.StatusCode = StatusCodes.Status403Forbidden;
        context.Response.ContentType = "text/plain; charset=utf-8";
        await context.Response.WriteAsync(Refusal, context.RequestAborted).ConfigureAwait(false);
        return true;
    }

    /// <summary>True for a request over loopback that names the machine itself: a page of another site, whose name resolves to loopback, names that site.</summary>
    static bool IsFromThisMachine(HttpContext context)
    {
        string host = context.Request.Host.Host;
        return context.Connection.RemoteIpAddress is { } remote && IPAddress.IsLoopback(remote)
            && (host.Equals("localhost", StringComparison.OrdinalIgnoreCase) || (IPAddress.TryParse(host.Trim('[', ']'), out var address) && IPAddress.IsLoopback(address)))
            && !ProxyHeaders.Any(context.Request.Headers.ContainsKey);
    }
}
