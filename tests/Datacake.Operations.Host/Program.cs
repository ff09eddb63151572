using Datacake.Hosting;
using Datacake.Operations.Host;
using Datacake.Sqlite;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

// A node as an application hosts it: its settings are environment variables, it logs to standard output, and it shows its health.
var builder = WebApplication.CreateBuilder(args);
builder.Logging.AddFilter("Microsoft", LogLevel.Warning);
if (builder.Configuration["CLOCK_OFFSET_FILE"] is { } file)
    builder.Services.AddSingleton<TimeProvider>(new WrongClock(file));
builder.Services.AddDatacake(options => options.AddSqlite().FromConfiguration(builder.Configuration.GetSection("Datacake")));
builder.Services.AddHealthChecks().AddDatacake();

var app = builder.Build();
app.MapHealthChecks("/health");
app.Run();
