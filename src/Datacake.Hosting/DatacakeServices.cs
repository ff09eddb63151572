using System.Diagnostics.CodeAnalysis;
using Datacake.Data;
using Datacake.Node;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Diagnostics.HealthChecks;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace Datacake.Hosting;

/// <summary>Registers a node, and contexts over it, with an application's services.</summary>
public static class DatacakeServices
{
    /// <summary>
    /// Runs a node with the host: <see cref="DatacakeNode"/> is a singleton from the start of the host on. It logs to the application's loggers and
    /// runs on its <see cref="TimeProvider"/>, if one is registered.
    /// </summary>
    /// <exception cref="InvalidOperationException">A node is registered already.</exception>
    public static IServiceCollection AddDatacake(this IServiceCollection services, Action<DatacakeNodeOptions> configure)
    {
        ArgumentNullException.ThrowIfNull(configure);
        return services.AddDatacake((_, options) => configure(options));
    }

    /// <summary>As <see cref="AddDatacake(IServiceCollection, Action{DatacakeNodeOptions})"/>, with the application's services to configure from.</summary>
    /// <exception cref="InvalidOperationException">A node is registered already.</exception>
    public static IServiceCollection AddDatacake(this IServiceCollection services, Action<IServiceProvider, DatacakeNodeOptions> configure)
    {
        ArgumentNullException.ThrowIfNull(services);
        ArgumentNullException.ThrowIfNull(configure);
        if (services.Any(service => service.ServiceType == typeof(DatacakeHostedService)))
            throw new InvalidOperationException("AddDatacake was called twice: an application runs one node.");
        services.AddSingleton(provider => new DatacakeHostedService(options =>
        {
            if (provider.GetService<ILoggerFactory>() is { } loggers)
                options.WithLoggerFactory(loggers);
            if (provider.GetService<TimeProvider>() is { } time)
                options.WithTimeProvider(time);
            configure(provider, options);
            // The store has to know the indexes before it takes anything from other nodes.
            foreach (var model in provider.GetServices<ContextModel>())
                model.Declare(options);
        }));
        services.AddSingleton<IHostedService>(provider => provider.GetRequiredService<DatacakeHostedService>());
        services.AddSingleton(provider => provider.GetRequiredService<DatacakeHostedService>().Node);
        return services;
    }

    /// <summary>
    /// Reports whether the node serves: unhealthy while it cannot write, degraded while something is missing, such as members or a majority.
    /// <c>services.AddHealthChecks().AddDatacake()</c>
    /// </summary>
    public static IHealthChecksBuilder AddDatacake(this IHealthChecksBuilder builder, string name = "datacake", params IEnumerable<string> tags) =>
        builder.AddDatacake(Consistency.Quorum, name, tags);

    /// <summary>Reports whether the node serves; degraded while the members that are up cannot give the level.</summary>
    public static IHealthChecksBuilder AddDatacake(this IHealthChecksBuilder builder, Consistency level, string name = "datacake", params IEnumerable<string> tags)
    {
        ArgumentNullException.ThrowIfNull(builder);
        return builder.Add(new HealthCheckRegistration(
            name, provider => new DatacakeHealthCheck(
                provider.GetService<DatacakeHostedService>() ?? throw new InvalidOperationException(
                    $"No node is registered for the health check '{name}' to look at. Call services.AddDatacake(options => …) beside AddHealthChecks().AddDatacake()."),
                level), failureStatus: null, tags));
    }

    /// <summary>
    /// Makes a context for each scope, as <c>AddDbContext</c> does, and registers an <see cref="IDatacakeContextFactory{TContext}"/> for where there is none:
    /// <c>AddDatacakeContext(node =&gt; new ShopContext(node))</c>.
    /// </summary>
    public static IServiceCollection AddDatacakeContext<
        [DynamicallyAccessedMembers(DynamicallyAccessedMemberTypes.PublicConstructors | DynamicallyAccessedMemberTypes.NonPublicConstructors)] TContext>(
        this IServiceCollection services, Func<DatacakeNode, TContext> create)
        where TContext : DatacakeContext
    {
        ArgumentNullException.ThrowIfNull(create);
        return services.AddDatacakeContext((_, node) => create(node));
    }

    /// <summary>
    /// As <see cref="AddDatacakeContext{TContext}(IServiceCollection, Func{DatacakeNode, TContext})"/>, with the scope's services, for what the context needs beside the node:
    /// <c>AddDatacakeContext((services, node) =&gt; new ShopContext(node, services.GetRequiredService&lt;ICurrentUser&gt;()))</c>. The factory has no scope: it gives the services of the
    /// application.
    /// </summary>
    /// <param name="services">The application's services.</param>
    /// <param name="create">Makes a context.</param>
    /// <param name="configure">Is called with each new context, to add interceptors or set its level: <c>(services, db) =&gt; db.Interceptors.Add(new Audit())</c>.</param>
    public static IServiceCollection AddDatacakeContext<
        [DynamicallyAccessedMembers(DynamicallyAccessedMemberTypes.PublicConstructors | DynamicallyAccessedMemberTypes.NonPublicConstructors)] TContext>(
        this IServiceCollection services, Func<IServiceProvider, DatacakeNode, TContext> create, Action<IServiceProvider, TContext>? configure = null)
        where TContext : DatacakeContext
    {
        ArgumentNullException.ThrowIfNull(services);
        ArgumentNullException.ThrowIfNull(create);
        services.AddSingleton(new ContextModel(options => options.WithModel<TContext>()));
        services.AddSingleton<IDatacakeContextFactory<TContext>>(provider => new DatacakeContextFactory<TContext>(provider, Create));
        return services.AddScoped(Create);

        TContext Create(IServiceProvider provider)
        {
            var node = provider.GetService<DatacakeNode>() ?? throw new InvalidOperationException(
                $"No node is registered for {typeof(TContext).Name} to work on. Call services.AddDatacake(options => …) beside AddDatacakeContext.");
            var context = create(provider, node);
            configure?.Invoke(provider, context);
            return context;
        }
    }
}
