using Datacake.Hosting;
using Datacake.Node;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;

namespace Datacake.Aspire;

/// <summary>Extension methods that run a node in an application of Aspire.</summary>
public static class DatacakeHostApplicationBuilderExtensions
{
    const string Everything = "Datacake.*";

    /// <summary>
    /// Runs a node with the settings of the configuration, which <c>WithDatacakeNode</c> in the app host sets, and adds its health check,
    /// its metrics and its traces. Where they are sent is up to the application, as with its other telemetry.
    /// </summary>
    /// <param name="builder">The application.</param>
    /// <param name="configure">A function that chooses the storage, and can make further settings.</param>
    /// <param name="section">The section of the configuration with the settings.</param>
    /// <exception cref="InvalidOperationException">The configuration has no such section.</exception>
    public static IHostApplicationBuilder AddDatacakeNode(
        this IHostApplicationBuilder builder, Action<DatacakeNodeOptions> configure, string section = "Datacake")
    {
        ArgumentNullException.ThrowIfNull(builder);
        ArgumentNullException.ThrowIfNull(configure);
        ArgumentException.ThrowIfNullOrEmpty(section);
        var settings = builder.Configuration.GetSection(section);
        if (!settings.Exists())
        {
            throw new InvalidOperationException(
                $"The configuration has no section '{section}' with the settings of the node. Call WithDatacakeNode on the resource in the app host, or add the section.");
        }
        builder.Services.AddDatacake(options =>
        {
            configure(options);
            options.FromConfiguration(settings);
        });
        builder.Services.AddHealthChecks().AddDatacake();
        builder.Services.AddOpenTelemetry()
            .WithMetrics(static metrics => metrics.AddMeter(Everything))
            .WithTracing(static traces => traces.AddSource(Everything));
        return builder;
    }
}
