using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;
using Storefront;

var services = new ServiceCollection()
    .AddDbContextFactory<StorefrontContext>(options => options.UseSqlite($"Data Source={args[0]}"));

await using var provider = services.BuildServiceProvider();
var contexts = provider.GetRequiredService<IDbContextFactory<StorefrontContext>>();
await using (var db = contexts.CreateDbContext())
    await db.Database.EnsureCreatedAsync();
await Scenario.RunAsync(contexts.CreateDbContext, Console.Out, CancellationToken.None);
