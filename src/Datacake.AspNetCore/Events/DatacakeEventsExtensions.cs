using Datacake.AspNetCore.Events;
using Datacake.Data;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;

namespace Datacake.AspNetCore;

/// <summary>Extension methods that show the results of queries to clients while they change.</summary>
public static class DatacakeEventsExtensions
{
    /// <summary>
    /// Maps an endpoint with the results of a query and their changes, by saves on any node, as server-sent events..
    /// A client that connects again, to any node, continues after the last event that it has received, or is told by a <c>reset</c> to begin anew.
    /// </summary>
    /// <param name="endpoints">The endpoints of the application.</param>
    /// <param name="pattern">The pattern of the route.</param>
    /// <param name="query">
    /// Returns the query of a request, on the context of its scope. It cannot be a projection, and needs no tracking.
    /// </param>
    public static IEndpointConventionBuilder MapDatacakeEvents<TContext, T>(this IEndpointRouteBuilder endpoints, string pattern, Func<TContext, HttpContext, Query<T>> query)
        where TContext : DatacakeContext
        where T : class => endpoints.MapDatacakeEvents(pattern, query, static _ => { });

    /// <summary>Maps an endpoint with the results of a query, like the method without settings, with other settings than the defaults.</summary>
    /// <param name="endpoints">The endpoints of the application.</param>
    /// <param name="pattern">The pattern of the route.</param>
    /// <param name="query">Returns the query of a request, on the context of its scope.</param>
    /// <param name="configure">Changes the settings.</param>
    /// <exception cref="ArgumentException">A setting is out of its range.</exception>
    public static IEndpointConventionBuilder MapDatacakeEvents<TContext, T>(
        this IEndpointRouteBuilder endpoints, string pattern, Func<TContext, HttpContext, Query<T>> query, Action<DatacakeEventsOptions> configure)
        where TContext : DatacakeContext
        where T : class
    {
        ArgumentNullException.ThrowIfNull(endpoints);
        ArgumentNullException.ThrowIfNull(query);
        ArgumentNullException.ThrowIfNull(configure);
        var options = new DatacakeEventsOptions();
        configure(options);
        options.Validate();
        return endpoints.MapGet(pattern, new EventStream<TContext, T>(query, options).ServeAsync);
    }
}
