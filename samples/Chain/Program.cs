using System.Globalization;
using Datacake.Chain;
using Datacake.Data;
using Datacake.EventualConsistency;
using Datacake.Hosting;
using Datacake.Node;

var builder = WebApplication.CreateBuilder(new WebApplicationOptions { Args = [.. args.Where(static arg => arg.Contains('=', StringComparison.Ordinal))], ContentRootPath = AppContext.BaseDirectory });
var chain = builder.Configuration.GetRequiredSection("Chain").Get<ChainSettings>()!;

// One program, three roles.
Place place;
Action<IEndpointRouteBuilder> map;
switch (args)
{
    case ["office", ..]:
        (place, map) = (chain.Office, HeadOffice.MapHeadOffice);
        builder.Services.AddHeadOffice(chain);
        break;
    case ["shop", var number, ..] when int.TryParse(number, CultureInfo.InvariantCulture, out int shop) && shop >= 1 && shop <= chain.Shops.Length:
        (place, map) = (chain.Shops[shop - 1], app => app.MapBranch(shop));
        builder.Services.AddBranch(chain, shop, isCutOff: args.Contains("--cut-off"));
        break;
    case ["display", ..]:
        (place, map) = (chain.Display, PriceDisplay.MapPriceDisplay);
        builder.Services.AddPriceDisplay(chain);
        break;
    default:
        Console.Error.WriteLine($"Name a role: office, shop 1 to {chain.Shops.Length}, or display. shop 2 --cut-off starts a shop that reaches nobody.");
        return 1;
}

// A save waits for no other process, so that everybody can work alone. What was saved replicates at once to those that can be reached.
builder.Services.ConfigureDatacake(static options => options.WithContexts(static contexts => contexts.DefaultConsistency = Consistency.None).WithGossip(static gossip => gossip.UseLocal()));
builder.Services.AddSingleton(TimeProvider.System);
builder.Services.AddHealthChecks().AddDatacake();
builder.WebHost.UseUrls(place.Url);

await using var app = builder.Build();
map(app);
app.MapHealthChecks("/health");
await app.StartAsync();
Console.WriteLine($"{string.Join(' ', args.TakeWhile(static arg => !arg.Contains('=', StringComparison.Ordinal)))} at {place.Url}");
await app.WaitForShutdownAsync();
return 0;
