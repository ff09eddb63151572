using Datacake.Hosting;
using Datacake.Sqlite;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Diagnostics.HealthChecks;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Storefront;
using Storefront.Entities;
using Storefront.Services;

var builder = WebApplication.CreateBuilder(args);
builder.Services.AddDatacake(options => options.AddSqlite().FromConfiguration(builder.Configuration.GetSection("Datacake")));
builder.Services.AddDatacakeContext<StorefrontContext>();
builder.Services.AddScoped<CatalogService>();
builder.Services.AddHealthChecks().AddDatacake(tags: ["ready"]);

var app = builder.Build();
app.MapGet("/catalog", (CatalogService catalog, int? page, CancellationToken token) => catalog.GetPageAsync(page ?? 0, 20, null, null, token));
app.MapPost("/catalog", async (CatalogService catalog, NewItem item, CancellationToken token) =>
    await catalog.AddAsync(new CatalogItem(1, 1, item.Name, item.Name, item.Price, ""), token) ? Results.Created() : Results.Conflict());

// Alive if the process answers: a restart does not help a node that waits for its cluster. Ready if the node can read and write.
app.MapHealthChecks("/health/live", new HealthCheckOptions { Predicate = static _ => false });
app.MapHealthChecks("/health/ready", new HealthCheckOptions { Predicate = static check => check.Tags.Contains("ready") });
app.Run();

/// <summary>An item to add to the catalog.</summary>
sealed record NewItem(string Name, decimal Price);
