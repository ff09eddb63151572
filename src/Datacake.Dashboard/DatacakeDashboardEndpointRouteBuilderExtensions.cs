using System.Diagnostics.CodeAnalysis;
using Datacake.Dashboard.Access;
using Datacake.Dashboard.Assets;
using Datacake.Dashboard.Pages;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;

namespace Datacake.Dashboard;

/// <summary>Extension methods that map a dashboard to a path of an application.</summary>
public static class DatacakeDashboardEndpointRouteBuilderExtensions
{
    // A page has no scripts, styles or images but its own, and is not shown within others.
    const string ContentSecurityPolicy =
        "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'";

    /// <summary>
    /// Maps the pages of the dashboard below a path: <c>app.MapDatacakeDashboard("/datacake").RequireAuthorization("operators")</c>. Everyone who may
    /// use the dashboard can read all data. Without <c>RequireAuthorization</c> or <c>AllowAnonymous</c>, it answers only requests from its own
    /// machine, except in the environment Development.
    /// </summary>
    /// <param name="endpoints">The application.</param>
    /// <param name="path">The path of the dashboard.</param>
    /// <returns>The builder of all endpoints of the dashboard.</returns>
    /// <exception cref="InvalidOperationException"><c>AddDatacakeDashboard</c> was not called.</exception>
    public static IEndpointConventionBuilder MapDatacakeDashboard(this IEndpointRouteBuilder endpoints, [StringSyntax("Route")] string path = "/datacake")
    {
        ArgumentNullException.ThrowIfNull(endpoints);
        ArgumentNullException.ThrowIfNull(path);
        if (path.Contains('{', StringComparison.Ordinal))
            throw new ArgumentException($"The path of the dashboard is {path}. Use a path without parameters, such as /datacake.", nameof(path));
        if (endpoints.ServiceProvider.GetService<IServiceProviderIsService>()?.IsService(typeof(DashboardCollector)) != true)
            throw new InvalidOperationException("The services of the dashboard are missing. Call services.AddDatacakeDashboard(), too.");
        var pages = new DashboardPages(endpoints.ServiceProvider);
        var group = endpoints.MapGroup(path);
        Map("/", pages.ClusterAsync);
        Map(PageAddresses.ThroughputPage, pages.ThroughputAsync);
        Map(PageAddresses.DataPage, pages.DataAsync);
        Map(PageAddresses.KeyspacePage, pages.KeyspaceAsync);
        Map(PageAddresses.DocumentPage, pages.DocumentAsync);
        Map(PageAddresses.QueriesPage, pages.QueriesAsync);
        Map(PageAddresses.TailPage, pages.TailAsync);
        Map(PageAddresses.TailStream, pages.StreamAsync);
        foreach (var file in AssetFile.All)
            Map(file.Path, file.WriteAsync);
        return group.WithMetadata(DashboardMarker.Instance).WithMetadata(new ExcludeFromDescriptionAttribute());

        void Map(string page, RequestDelegate handler) => group.MapGet(page, async context =>
        {
            var headers = context.Response.Headers;
            headers.ContentSecurityPolicy = ContentSecurityPolicy;
            headers.XContentTypeOptions = "nosniff";
            headers["Referrer-Policy"] = "no-referrer";     // addresses of documents have their keys
            headers.CacheControl = "no-store";
            if (!await AccessGuard.RefusesAsync(context).ConfigureAwait(false))
                await handler(context).ConfigureAwait(false);
        });
    }
}
