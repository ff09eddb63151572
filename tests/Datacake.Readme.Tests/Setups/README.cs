using Datacake.Data;
using Datacake.EventualConsistency;
using Datacake.Node;
using Datacake.Sqlite;

// types of sample 1

static class Shop
{
    public static async Task RunAsync()
    {
        Environment.SetEnvironmentVariable("SHOP_SECRET", Samples.Secret);
        await using var second = await Samples.StartNodeAsync(2, Samples.Secured);
        await using var third = await Samples.StartNodeAsync(3, Samples.Secured);
        // sample 1
        Assert.Equal("Cake", Assert.Single(cheap).Name);
        Samples.Reach(1);
    }
}
