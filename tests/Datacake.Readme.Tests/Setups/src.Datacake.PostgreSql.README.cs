using Datacake.EventualConsistency;
using Datacake.Node;
using Datacake.Storage;

static class InNode
{
    public static async Task RunAsync()
    {
        var (connectionString, server) = await Samples.StartPostgreSqlAsync();
        await using var _ = server;
        {
            // sample 1
            await (await node.OpenStoreAsync()).Keyspace("cakes").PutAsync(1, "Madeira"u8.ToArray());
            Assert.Contains("'hub'", node.Storage!.Description, StringComparison.Ordinal);
            Samples.Reach(1);
        }
        // sample 3
        await using var storage = new PostgreSqlStorage(connectionString, options => options.Schema = "hub");
        using var snapshot = await storage.OpenSnapshotAsync();
        Assert.NotNull(await snapshot.GetAsync(RestoreMark.Key));
        Samples.Reach(3);
    }
}

static class Alone
{
    public static async Task RunAsync()
    {
        var (connectionString, server) = await Samples.StartPostgreSqlAsync();
        await using var _ = server;
        // sample 2
        var batch = new WriteBatch();
        batch.Put("cake"u8.ToArray(), "Madeira"u8.ToArray());
        await storage.CommitAsync(batch, Durability.Flushed);
        using var snapshot = await storage.OpenSnapshotAsync();
        Assert.Equal("Madeira"u8.ToArray(), (await snapshot.GetAsync("cake"u8.ToArray()))!.Value.ToArray());
        Samples.Reach(2);
    }
}
