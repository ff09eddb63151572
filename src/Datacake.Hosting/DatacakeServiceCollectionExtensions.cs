using System.Diagnostics.CodeAnalysis;
using Datacake.Data;
using Datacake.EventualConsistency;
using Datacake.Node;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Diagnostics.HealthChecks;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace Datacake.Hosting;

/// <summary>Extension methods that register a node, and contexts on it, with an application's services.</summary>
public static class DatacakeServiceCollectionExtensions
{
    /// <summary>
    /// Runs a node with the host. <see cref="DatacakeNode"/> is a singleton that exists once the host has started. It logs to the
    /// application's loggers and uses the application's <see cref="TimeProvider"/>, if one is registered.
    /// </summary>
    /// <remarks>
    /// An application runs one node. Further calls change its options, as <see cref="ConfigureDatacake(IServiceCollection, Action{DatacakeNodeOptions})"/>
    /// does. The options are checked when the host starts, before anything is opened. All errors are reported at once.
    /// </remarks>
    public static IServiceCollection AddDatacake(this IServiceCollection services, Action<DatacakeNodeOptions> configure)
    {
        ArgumentNullException.ThrowIfNull(configure);
        return services.AddDatacake((_, options) => configure(options));
    }

    /// <summary>
    /// Runs a node with the host, like <see cref="AddDatacake(IServiceCollection, Action{DatacakeNodeOptions})"/>, but gives the
    /// configuration the application's services.
    /// </summary>
    public static IServiceCollection AddDatacake(this IServiceCollection services, Action<IServiceProvider, DatacakeNodeOptions> configure)
    {
        services.ConfigureDatacake(configure);
        if (services.Any(service => service.ServiceType == typeof(DatacakeHostedService)))
            return services;
        services.AddSingleton<DatacakeHostedService>();
        services.AddSingleton<IHostedService>(provider => provider.GetRequiredService<DatacakeHostedService>());
        services.AddSingleton(provider => provider.GetRequiredService<DatacakeHostedService>().Node);
        return services;
    }

    /// <summary>
    /// Changes the options of the node that <c>AddDatacake</c> runs. Calls apply in their order, and each can replace what the previous ones
    /// have set: single options, the storage, labels by their names, and the list of seeds as a whole. A test host replaces the storage and
    /// the address:
    /// <c>services.ConfigureDatacake(options =&gt; options.UseMemory().ListenOn("127.0.0.1:0").WithSeeds())</c>.
    /// </summary>
    public static IServiceCollection ConfigureDatacake(this IServiceCollection services, Action<DatacakeNodeOptions> configure)
    {
        ArgumentNullException.ThrowIfNull(configure);
        return services.ConfigureDatacake((_, options) => configure(options));
    }

    /// <summary>
    /// Changes the options of the node, like <see cref="ConfigureDatacake(IServiceCollection, Action{DatacakeNodeOptions})"/>, but gives the
    /// configuration the application's services.
    /// </summary>
    public static IServiceCollection ConfigureDatacake(this IServiceCollection services, Action<IServiceProvider, DatacakeNodeOptions> configure)
    {
        ArgumentNullException.ThrowIfNull(services);
        ArgumentNullException.ThrowIfNull(configure);
        return services.AddSingleton(new NodeConfigurator(configure));
    }

    /// <summary>
    /// Runs a service, such as a <see cref="BackgroundService"/>, on one node of the cluster at a time: <c>services.AddDatacakeSingleton&lt;Mailer&gt;()</c>. All nodes register it. A node
    /// runs it while it holds the lease of the service, stops it when the lease is lost, and releases the lease when the host stops, so that another node takes over at once. A node
    /// that fails is succeeded after the duration of the lease, 5 s.
    /// </summary>
    /// <remarks>
    /// Each run creates an instance in a scope of its own, with the services of the scope, among them a <see cref="DatacakeSingletonTerm"/>. A background service that fails is
    /// logged and started again after a delay. One that completes is not started again until the node is restarted, even if the node loses the lease and acquires it again; another node that
    /// acquires the lease runs the service once more.
    /// </remarks>
    /// <exception cref="InvalidOperationException">No node is registered yet.</exception>
    public static IServiceCollection AddDatacakeSingleton<[DynamicallyAccessedMembers(DynamicallyAccessedMemberTypes.PublicConstructors)] TService>(this IServiceCollection services)
        where TService : class, IHostedService => services.AddDatacakeSingleton<TService>(static _ => { });

    /// <summary>
    /// Runs a service on one node of the cluster at a time, like <see cref="AddDatacakeSingleton{TService}(IServiceCollection)"/>, with other settings than the defaults.
    /// </summary>
    /// <exception cref="InvalidOperationException">No node is registered yet.</exception>
    public static IServiceCollection AddDatacakeSingleton<[DynamicallyAccessedMembers(DynamicallyAccessedMemberTypes.PublicConstructors)] TService>(
        this IServiceCollection services, Action<DatacakeSingletonOptions> configure)
        where TService : class, IHostedService
    {
        ArgumentNullException.ThrowIfNull(services);
        ArgumentNullException.ThrowIfNull(configure);
        // Hosted services stop in the reverse order, and the lease has to be released before the node stops.
        if (services.All(static service => service.ServiceType != typeof(DatacakeHostedService)))
        {
            throw new InvalidOperationException(
                $"The singleton {typeof(TService).Name} needs a node, but none is registered yet. Call services.AddDatacake(options => …) before AddDatacakeSingleton.");
        }
        var options = new DatacakeSingletonOptions(typeof(TService).FullName ?? typeof(TService).Name);
        configure(options);
        options.Validate(typeof(TService).Name);
        services.TryAddScoped(static _ => new DatacakeSingletonTerm());
        return services.AddSingleton<IHostedService>(
            provider => new DatacakeSingletonService<TService>(provider, provider.GetRequiredService<DatacakeHostedService>(), options));
    }

    /// <summary>
    /// Adds a health check of the node: unhealthy while the node cannot write, degraded while something is missing, such as members or a
    /// majority. <c>services.AddHealthChecks().AddDatacake()</c>
    /// </summary>
    public static IHealthChecksBuilder AddDatacake(this IHealthChecksBuilder builder, string name = "datacake", params IEnumerable<string> tags) =>
        builder.AddDatacake(Consistency.Quorum, name, tags);

    /// <summary>
    /// Adds a health check of the node: unhealthy while the node cannot write, degraded while something is missing, such as members, or while
    /// the members that are up cannot satisfy the consistency level.
    /// </summary>
    public static IHealthChecksBuilder AddDatacake(this IHealthChecksBuilder builder, Consistency level, string name = "datacake", params IEnumerable<string> tags)
    {
        ArgumentNullException.ThrowIfNull(builder);
        return builder.Add(new HealthCheckRegistration(
            name, provider => new DatacakeHealthCheck(
                provider.GetService<DatacakeHostedService>() ?? throw new InvalidOperationException(
                    $"The health check '{name}' needs a node, but none is registered. Call services.AddDatacake(options => …), too."),
                level), failureStatus: null, tags));
    }

    /// <summary>
    /// Registers a context that is created for each scope, as <c>AddDbContext</c> does, and an <see cref="IDatacakeContextFactory{TContext}"/>
    /// for code without a scope: <c>AddDatacakeContext&lt;ShopContext&gt;()</c>. The public constructor of the context receives the node and
    /// other services of the scope. The context factory has no scope and passes the services of the application.
    /// </summary>
    /// <param name="services">The application's services.</param>
    /// <param name="configure">
    /// Configures each new context, for example to add interceptors or to set its consistency level:
    /// <c>(services, db) =&gt; db.Interceptors.Add(new Audit())</c>.
    /// </param>
    /// <exception cref="InvalidOperationException">The context has no public constructor, or several.</exception>
    public static IServiceCollection AddDatacakeContext<
        [DynamicallyAccessedMembers(DynamicallyAccessedMemberTypes.PublicConstructors | DynamicallyAccessedMemberTypes.NonPublicConstructors)] TContext>(
        this IServiceCollection services, Action<IServiceProvider, TContext>? configure = null)
        where TContext : DatacakeContext
    {
        var create = ActivatorUtilities.CreateFactory<TContext>([typeof(DatacakeNode)]);
        return services.AddDatacakeContext((provider, node) => create(provider, [node]), configure);
    }

    /// <summary>
    /// Registers a context of a named store, which the node holds: <c>AddDatacakeContext&lt;CatalogContext&gt;("catalog")</c>. The public constructor of the
    /// context receives the node, the name of the store, and other services of the scope.
    /// </summary>
    /// <param name="services">The application's services.</param>
    /// <param name="store">The name of the store, whose storage <c>WithStore</c> chooses.</param>
    /// <param name="configure">Configures each new context.</param>
    /// <exception cref="InvalidOperationException">The context has no public constructor, or several.</exception>
    public static IServiceCollection AddDatacakeContext<
        [DynamicallyAccessedMembers(DynamicallyAccessedMemberTypes.PublicConstructors | DynamicallyAccessedMemberTypes.NonPublicConstructors)] TContext>(
        this IServiceCollection services, string store, Action<IServiceProvider, TContext>? configure = null)
        where TContext : DatacakeContext
    {
        DatacakeNode.CheckStoreName(store);
        return services.AddDatacakeContext(_ => store, options => options.WithStore(store, static named => named.WithModel<TContext>()), configure);
    }

    /// <summary>
    /// Registers a context whose store a function chooses for each scope, such as that of a request's tenant:
    /// <c>AddDatacakeContext&lt;ShopContext&gt;(services =&gt; services.GetRequiredService&lt;Tenant&gt;().Store)</c>. <c>WithStores</c> configures such stores when they are first used.
    /// </summary>
    /// <param name="services">The application's services.</param>
    /// <param name="store">Returns the name of the store for a scope. The context factory has no scope and passes the services of the application.</param>
    /// <param name="configure">Configures each new context.</param>
    /// <remarks>
    /// Declare the model with each store, <c>store.UseSqlite(path).WithModel&lt;ShopContext&gt;()</c>, so that the store knows the indexes before it receives anything from other nodes.
    /// </remarks>
    /// <exception cref="InvalidOperationException">The context has no public constructor, or several.</exception>
    public static IServiceCollection AddDatacakeContext<
        [DynamicallyAccessedMembers(DynamicallyAccessedMemberTypes.PublicConstructors | DynamicallyAccessedMemberTypes.NonPublicConstructors)] TContext>(
        this IServiceCollection services, Func<IServiceProvider, string> store, Action<IServiceProvider, TContext>? configure = null)
        where TContext : DatacakeContext
    {
        ArgumentNullException.ThrowIfNull(store);
        return services.AddDatacakeContext(store, static _ => { }, configure);
    }

    /// <summary>
    /// Registers a context, like <see cref="AddDatacakeContext{TContext}(IServiceCollection, Action{IServiceProvider, TContext}?)"/>, that a
    /// function creates: <c>AddDatacakeContext(node =&gt; new ShopContext(node))</c>.
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
    /// Registers a context, like <see cref="AddDatacakeContext{TContext}(IServiceCollection, Func{DatacakeNode, TContext})"/>, that needs
    /// other services of its scope:
    /// <c>AddDatacakeContext((services, node) =&gt; new ShopContext(node, services.GetRequiredService&lt;ICurrentUser&gt;()))</c>. The context
    /// factory has no scope and passes the services of the application.
    /// </summary>
    /// <param name="services">The application's services.</param>
    /// <param name="create">Creates a context.</param>
    /// <param name="configure">
    /// Configures each new context, for example to add interceptors or to set its consistency level:
    /// <c>(services, db) =&gt; db.Interceptors.Add(new Audit())</c>.
    /// </param>
    public static IServiceCollection AddDatacakeContext<
        [DynamicallyAccessedMembers(DynamicallyAccessedMemberTypes.PublicConstructors | DynamicallyAccessedMemberTypes.NonPublicConstructors)] TContext>(
        this IServiceCollection services, Func<IServiceProvider, DatacakeNode, TContext> create, Action<IServiceProvider, TContext>? configure = null)
        where TContext : DatacakeContext
    {
        ArgumentNullException.ThrowIfNull(create);
        return services.AddDatacakeContext(create, static options => options.WithModel<TContext>(), configure);
    }

    static IServiceCollection AddDatacakeContext<[DynamicallyAccessedMembers(DynamicallyAccessedMemberTypes.PublicConstructors)] TContext>(
        this IServiceCollection services, Func<IServiceProvider, string> store, Action<DatacakeNodeOptions> declare, Action<IServiceProvider, TContext>? configure)
        where TContext : DatacakeContext
    {
        var create = ActivatorUtilities.CreateFactory<TContext>([typeof(DatacakeNode), typeof(string)]);
        return services.AddDatacakeContext((provider, node) => create(provider, [node, store(provider)]), declare, configure);
    }

    static IServiceCollection AddDatacakeContext<TContext>(
        this IServiceCollection services, Func<IServiceProvider, DatacakeNode, TContext> create, Action<DatacakeNodeOptions> declare, Action<IServiceProvider, TContext>? configure)
        where TContext : DatacakeContext
    {
        ArgumentNullException.ThrowIfNull(services);
        services.AddSingleton(new ContextModel(declare));
        services.AddSingleton<IDatacakeContextFactory<TContext>>(provider => new DatacakeContextFactory<TContext>(provider, Create));
        return services.AddScoped(Create);

        TContext Create(IServiceProvider provider)
        {
            var node = provider.GetService<DatacakeNode>() ?? throw new InvalidOperationException(
                $"{typeof(TContext).Name} needs a node, but none is registered. Call services.AddDatacake(options => …), too.");
            var context = create(provider, node);
            foreach (var registered in provider.GetServices<ContextInterceptor>())
                context.Interceptors.Add(registered.Interceptor);
            configure?.Invoke(provider, context);
            return context;
        }
    }
}
