using System.Text.Json;
using Datacake.Administration;
using Datacake.EventualConsistency;
using Datacake.Node;
using Datacake.Rpc;
using Datacake.Sqlite;
using Datacake.Storage;

static class Administrating
{
    public static async Task RunAsync()
    {
        await using var second = await Samples.StartNodeAsync(2, Samples.Secured);
        await using var third = await Samples.StartNodeAsync(3, Samples.Secured);
        string secret = Samples.Secret, operatorSecret = "another secret, for operators";
        // sample 1
        await (await node.OpenStoreAsync()).WaitForMembersAsync(3, TimeSpan.FromMinutes(1));
        Samples.Reach(1);
        await CallAsync(secret, operatorSecret);
        Assert.Equal("""
            Name = Battenberg, written by node 1
            Price = 12.50, written by node 1

            """.ReplaceLineEndings("\n"), Samples.TakeOutput());
        Samples.Reach(2);
        await node.OpenStoreAsync("catalog", static store => store.UseMemory());
        await ShowAsync(node.ChannelTo(node.Address), operatorSecret);
        Assert.Contains("'' has the members 1, 2, 3 and 0 followers.", Samples.TakeOutput(), StringComparison.Ordinal);
        Samples.Reach(3);
    }

    static async Task CallAsync(string secret, string operatorSecret)
    {
        // sample 2
    }

    static async Task ShowAsync(RpcChannel channel, string operatorSecret)
    {
        // sample 3
    }
}

static class BackingUp
{
    public static async Task RunAsync()
    {
        await using var node = await DatacakeNode.StartAsync(options => Configure(options.WithNodeId(1).ListenOn("127.0.0.1:0").UseSqlite(Path.GetRandomFileName())));
        Assert.Equal((TimeSpan.FromHours(6), 28), (node.SettingsOf<BackupOptions>().Interval, node.SettingsOf<BackupOptions>().Keep));
        Samples.Reach(4);
    }

    static void Configure(DatacakeNodeOptions options)
    {
        // sample 4
    }
}
