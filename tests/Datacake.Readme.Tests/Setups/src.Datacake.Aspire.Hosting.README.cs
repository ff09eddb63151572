using Aspire.Hosting;
using Datacake.Aspire;
using Datacake.Aspire.Hosting;
using Datacake.Data;
using Datacake.Hosting;
using Datacake.Node;
using Datacake.Sqlite;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.Hosting;

namespace Projects
{
    public sealed class Shop : IProjectMetadata
    {
        public string ProjectPath => Path.GetFullPath("Shop.csproj");
    }
}

public sealed class Product
{
    public long Id { get; set; }
    public string Name { get; set; } = "";
}

public sealed partial class ShopContext(DatacakeNode node) : DatacakeContext(node)
{
    public partial Keyspace<Product> Products { get; }
}

static class AppHost
{
    public static Task RunAsync()
    {
        string[] args = [];
        File.WriteAllText("Shop.csproj", "<Project />");
        // sample 1
        Assert.Equal([1, 2, 3], cluster.Resource.Nodes.Keys);
        Assert.Equal(["shop-1", "shop-2", "shop-3"], cluster.Resource.Nodes.Values.Select(endpoint => endpoint.Resource.Name));
        Samples.Reach(1);
        return Task.CompletedTask;
    }
}

static class Application
{
    public static async Task RunAsync()
    {
        var builder = Host.CreateApplicationBuilder();
        builder.Configuration.AddInMemoryCollection(new Dictionary<string, string?>
        {
            ["Datacake:NodeId"] = "1",
            ["Datacake:ListenOn"] = Samples.AddressOf(1),
            ["Datacake:Seeds:0"] = Samples.AddressOf(1),
            ["Datacake:Storage:Kind"] = "sqlite",
            ["Datacake:Storage:Path"] = "shop-1.db",
        });
        // sample 2
        using var host = builder.Build();
        await host.StartAsync();
        Assert.True(File.Exists("shop-1.db"));
        await host.StopAsync();
        Samples.Reach(2);
    }
}
