using Datacake.Dashboard.Access;
using Datacake.Dashboard.Cluster;
using Datacake.Dashboard.Tail;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;

namespace Datacake.Dashboard;

/// <summary>Extension methods that register the services of a dashboard.</summary>
public static class DatacakeDashboardServiceCollectionExtensions
{
    /// <summary>
    /// Registers what a dashboard needs, and collects metrics and query shapes from the start of the host on. Call it after <c>AddDatacake</c>, which
    /// starts the node, and map the pages with <see cref="DatacakeDashboardEndpointRouteBuilderExtensions.MapDatacakeDashboard"/>.
    /// </summary>
    /// <exception cref="ArgumentException">A setting is out of its range.</exception>
    public static IServiceCollection AddDatacakeDashboard(this IServiceCollection services, Action<DashboardOptions>? configure = null)
    {
        ArgumentNullException.ThrowIfNull(services);
        var options = new DashboardOptions();
        configure?.Invoke(options);
        options.Validate();
        if (services.Any(static service => service.ServiceType == typeof(DashboardCollector)))
            throw new InvalidOperationException("AddDatacakeDashboard was called twice. An application has one dashboard; remove one of the calls.");
        services.AddRazorComponents();
        services.AddSingleton(options).AddSingleton<DashboardNode>().AddSingleton<ClusterReports>().AddSingleton<TailLimit>().AddSingleton<DashboardCollector>();
        services.AddSingleton<IHostedService>(static provider => provider.GetRequiredService<DashboardCollector>());
        services.AddHostedService<AccessWarning>();
        return services;
    }
}
