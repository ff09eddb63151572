using Company.Worker;
using Datacake.Hosting;
using Datacake.Sqlite;
using OpenTelemetry;
using OpenTelemetry.Metrics;
using OpenTelemetry.Trace;

var builder = Host.CreateApplicationBuilder(args);

// The settings of the node: what all nodes share is in appsettings.json, and what differs is in the launch profile or the environment.
builder.Services.AddDatacake(options => options.AddSqlite().FromConfiguration(builder.Configuration.GetSection("Datacake")));
builder.Services.AddDatacakeContext<PostContext>();

// Runs on one node at a time, and moves to another one within seconds if that node fails.
builder.Services.AddDatacakeSingleton<Mailer>(options => options.LeaseName = "mailer");

// Set OTEL_EXPORTER_OTLP_ENDPOINT to export metrics and traces.
var telemetry = builder.Services.AddOpenTelemetry()
    .WithMetrics(metrics => metrics.AddMeter("Datacake.*"))
    .WithTracing(traces => traces.AddSource("Datacake.*"));
if (builder.Configuration["OTEL_EXPORTER_OTLP_ENDPOINT"] is { Length: > 0 })
    telemetry.UseOtlpExporter();

builder.Build().Run();
