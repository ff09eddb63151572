using System.Text;
using Datacake.EventualConsistency;
using Datacake.Node;
using Datacake.Sqlite;
using Datacake.Storage;

static class Storing
{
    public static async Task RunAsync()
    {
        // sample 1
        Assert.Equal("Battenberg", Encoding.UTF8.GetString(value!.Value.Span));
        Assert.Equal("Battenberg\nMadeira\n", Samples.TakeOutput());
        Samples.Reach(1);
    }
}

static class Maintaining
{
    public static async Task RunAsync()
    {
        Directory.CreateDirectory("backups");
        await using var node = await DatacakeNode.StartAsync(options => options.WithNodeId(1).ListenOn(Samples.AddressOf(1)).UseSqlite("shop.db"));
        await (await node.OpenStoreAsync()).Keyspace("cakes").PutAsync(1, "Madeira"u8.ToArray());
        // sample 2
        Assert.True(File.Exists("backups/shop-monday"));
        Assert.EndsWith(" bytes\n", Samples.TakeOutput(), StringComparison.Ordinal);
        Samples.Reach(2);
    }
}
