using System.Runtime.InteropServices;
using Datacake.EventualConsistency;
using Datacake.Node;
using Datacake.Storage;

static class InNode
{
    public static async Task RunAsync()
    {
        // sample 1
        await (await node.OpenStoreAsync()).Keyspace("cakes").PutAsync(1, "Madeira"u8.ToArray());
        Assert.True(File.Exists("shop.db"));
        Samples.Reach(1);
    }
}

static class Alone
{
    public static async Task RunAsync()
    {
        // sample 2
        var batch = new WriteBatch();
        batch.Put("cake"u8.ToArray(), "Madeira"u8.ToArray());
        await storage.CommitAsync(batch, Durability.Flushed);
        using var snapshot = await storage.OpenSnapshotAsync();
        Assert.Equal("Madeira"u8.ToArray(), (await snapshot.GetAsync("cake"u8.ToArray()))!.Value.ToArray());
        Samples.Reach(2);
    }
}

static class ChoosingALibrary
{
    public static async Task RunAsync()
    {
        // The machine may lack SQLite, so the provider gets the library of the package. SqliteLibraryTests shows the effect, in processes of their own.
        NativeLibrary.SetDllImportResolver(
            typeof(SQLitePCL.SQLite3Provider_sqlite3).Assembly, static (_, _, _) => NativeLibrary.Load("e_sqlite3", typeof(SQLitePCL.raw).Assembly, null));
        // sample 3
        await using var storage = new SqliteStorage("other.db");
        await storage.CheckAsync();
        Samples.Reach(3);
    }
}
