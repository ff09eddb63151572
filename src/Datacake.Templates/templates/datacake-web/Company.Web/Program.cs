using Company.Web;
using Datacake.Dashboard;
using Datacake.Hosting;
using Datacake.Sqlite;
using OpenTelemetry;
using OpenTelemetry.Metrics;
using OpenTelemetry.Trace;

var builder = WebApplication.CreateBuilder(args);

// The settings of the node: what all nodes share is in appsettings.json, and what differs is in the launch profile or the environment.
builder.Services.AddDatacake(options => options.AddSqlite().FromConfiguration(builder.Configuration.GetSection("Datacake")));
builder.Services.AddDatacakeContext<ShopContext>();
builder.Services.AddDatacakeDashboard();
builder.Services.AddHealthChecks().AddDatacake();

// Set OTEL_EXPORTER_OTLP_ENDPOINT to export metrics and traces.
var telemetry = builder.Services.AddOpenTelemetry()
    .WithMetrics(metrics => metrics.AddMeter("Datacake.*").AddAspNetCoreInstrumentation())
    .WithTracing(traces => traces.AddSource("Datacake.*").AddAspNetCoreInstrumentation());
if (builder.Configuration["OTEL_EXPORTER_OTLP_ENDPOINT"] is { Length: > 0 })
    telemetry.UseOtlpExporter();

var app = builder.Build();
app.MapHealthChecks("/health");
// Outside of the environment Development, only the machine itself may open it until the application says who else: .RequireAuthorization("operators").
app.MapDatacakeDashboard("/datacake");
app.MapProducts();
app.Run();
