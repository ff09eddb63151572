using Datacake.Data;
using Datacake.Node;
using Datacake.Sqlite;
using Storefront;

await using var node = await DatacakeNode.StartAsync(options => options
    .WithNodeId(1).ListenOn("127.0.0.1:0").UseSqlite(args[0]).WithModel<StorefrontContext>());

await Scenario.RunAsync(() => new StorefrontContext(node), Console.Out, CancellationToken.None);
