using Datacake.Data;
using Datacake.EventualConsistency;
using Datacake.Node;
using Datacake.Testing;

public sealed class Product
{
    public int Id { get; set; }
    public string Name { get; set; } = "";
    [Counter] public long Stock { get; set; }
}

public sealed partial class ShopContext(DatacakeNode node) : DatacakeContext(node)
{
    public partial Keyspace<Product> Products { get; }
}

static class One
{
    public static async Task RunAsync()
    {
        // sample 1
        Assert.Equal("Cake", (await new ShopContext(test.Node).Products.FindAsync(1))!.Name);
        Samples.Reach(1);
    }
}

static class Several
{
    public static async Task RunAsync()
    {
        // sample 2
        Assert.Equal("5\n", Samples.TakeOutput());
        Samples.Reach(2);
    }
}

static class Configured
{
    public static async Task RunAsync()
    {
        // sample 3
        Assert.Equal(["eu", "eu", "us"], cluster[0].Node.Members.Select(member => member.DataCenter));
        Samples.Reach(3);
    }
}
