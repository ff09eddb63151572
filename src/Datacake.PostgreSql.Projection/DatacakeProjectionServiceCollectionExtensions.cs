using Datacake.Data;
using Datacake.Node;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;

namespace Datacake.PostgreSql.Projection;

/// <summary>Extension methods that register projections with an application's services.</summary>
public static class DatacakeProjectionServiceCollectionExtensions
{
    /// <summary>
    /// Runs a projection with the host: <c>services.AddDatacakeProjection&lt;ShopContext&gt;(connectionString, p =&gt; p.Table(db =&gt; db.Orders))</c>. The <see cref="PostgreSqlProjection"/>, whose status
    /// shows errors and the lag, is a service once the host has started. Call it after <c>AddDatacake</c>, so that the projection ends before the node.
    /// </summary>
    /// <param name="services">The application's services.</param>
    /// <param name="connectionString">The connection string of Npgsql. The user needs the right to create tables in the schema.</param>
    /// <param name="configure">Chooses the keyspaces.</param>
    public static IServiceCollection AddDatacakeProjection<TContext>(this IServiceCollection services, string connectionString, Action<ProjectionBuilder<TContext>> configure)
        where TContext : DatacakeContext => services.Add(null, connectionString, configure);

    /// <summary>
    /// Runs a projection of a context that a function creates, such as one of a named store:
    /// <c>services.AddDatacakeProjection(node =&gt; new ShopContext(node, "tenant/17"), connectionString, p =&gt; p.Table(db =&gt; db.Orders, t =&gt; t.Name("orders_17")))</c>. Each store has tables of its own.
    /// </summary>
    /// <param name="services">The application's services.</param>
    /// <param name="create">Creates the context, which the projection keeps and disposes of.</param>
    /// <param name="connectionString">The connection string of Npgsql. The user needs the right to create tables in the schema.</param>
    /// <param name="configure">Chooses the keyspaces.</param>
    public static IServiceCollection AddDatacakeProjection<TContext>(
        this IServiceCollection services, Func<DatacakeNode, TContext> create, string connectionString, Action<ProjectionBuilder<TContext>> configure)
        where TContext : DatacakeContext
    {
        ArgumentNullException.ThrowIfNull(create);
        return services.Add(create, connectionString, configure);
    }

    static IServiceCollection Add<TContext>(
        this IServiceCollection services, Func<DatacakeNode, TContext>? create, string connectionString, Action<ProjectionBuilder<TContext>> configure)
        where TContext : DatacakeContext
    {
        ArgumentNullException.ThrowIfNull(services);
        ArgumentException.ThrowIfNullOrWhiteSpace(connectionString);
        ArgumentNullException.ThrowIfNull(configure);
        // Several projections of a context, of different stores or with different names, are services of their own.
        object key = new();
        services.AddKeyedSingleton(key, (provider, _) => new ProjectionHostedService<TContext>(provider, create, connectionString, configure));
        services.AddSingleton<IHostedService>(provider => provider.GetRequiredKeyedService<ProjectionHostedService<TContext>>(key));
        return services.AddSingleton(provider => provider.GetRequiredKeyedService<ProjectionHostedService<TContext>>(key).Projection);
    }
}
