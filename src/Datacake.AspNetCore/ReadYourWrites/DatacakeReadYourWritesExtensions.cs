using Datacake.AspNetCore.ReadYourWrites;
using Datacake.EventualConsistency;
using Datacake.Hosting;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;

namespace Datacake.AspNetCore;

/// <summary>Extension methods with which clients read what they have saved, whatever node serves them.</summary>
public static class DatacakeReadYourWritesExtensions
{
    /// <summary>
    /// Registers what <see cref="UseDatacakeReadYourWrites"/> needs. The saves of all contexts of <c>AddDatacakeContext</c> count for the request in which they are made.
    /// </summary>
    public static IServiceCollection AddDatacakeReadYourWrites(this IServiceCollection services) => services.AddDatacakeReadYourWrites(static _ => { });

    /// <summary>Registers what the middleware needs, like <see cref="AddDatacakeReadYourWrites(IServiceCollection)"/>, with other settings than the defaults.</summary>
    /// <exception cref="ArgumentException">A setting is out of its range.</exception>
    public static IServiceCollection AddDatacakeReadYourWrites(this IServiceCollection services, Action<DatacakeReadYourWritesOptions> configure)
    {
        ArgumentNullException.ThrowIfNull(services);
        ArgumentNullException.ThrowIfNull(configure);
        var options = new DatacakeReadYourWritesOptions();
        configure(options);
        options.Validate();
        services.RemoveAll<DatacakeReadYourWritesOptions>();
        services.AddSingleton(options);
        if (services.Any(static service => service.ServiceType == typeof(SaveInterceptor)))
            return services;
        return services.AddHttpContextAccessor()
            .AddSingleton<SaveInterceptor>()
            .AddSingleton(static provider => new ContextInterceptor(provider.GetRequiredService<SaveInterceptor>()));
    }

    /// <summary>
    /// Makes requests wait until this node has what the same client has saved before, on any node, and tells the client the tokens of its new saves. Requests without tokens do not wait. Put it before
    /// what reads the data, and after what needs no data, such as static files.
    /// </summary>
    /// <exception cref="InvalidOperationException"><c>AddDatacakeReadYourWrites</c> was not called.</exception>
    public static IApplicationBuilder UseDatacakeReadYourWrites(this IApplicationBuilder app)
    {
        ArgumentNullException.ThrowIfNull(app);
        var options = app.ApplicationServices.GetService<DatacakeReadYourWritesOptions>()
            ?? throw new InvalidOperationException("UseDatacakeReadYourWrites needs services that are not registered. Call services.AddDatacakeReadYourWrites(), too.");
        return app.UseMiddleware<ReadYourWritesMiddleware>(options);
    }

    /// <summary>
    /// Adds the token of a write that was made without a context, or by <c>ExecuteUpdateAsync</c> or <c>ExecuteDeleteAsync</c>, to those that the client is told. Returns false if the response has
    /// started, so that the client cannot be told any longer; this is logged.
    /// </summary>
    /// <exception cref="InvalidOperationException">The request did not pass <see cref="UseDatacakeReadYourWrites"/>.</exception>
    public static bool AddDatacakeToken(this HttpContext context, SessionToken token)
    {
        ArgumentNullException.ThrowIfNull(context);
        var saves = context.Features.Get<RequestSaves>()
            ?? throw new InvalidOperationException("The request has not passed the middleware that tells clients the tokens of their saves. Call app.UseDatacakeReadYourWrites() before the endpoints.");
        return saves.Add(token);
    }
}
