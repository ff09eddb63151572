using System.Text;
using Datacake.Data.Tests.Shop;
using Datacake.EventualConsistency;

namespace Datacake.Data.Tests.Concurrency;

/// <summary>
/// Two nodes that start with the same data. Each edits the data while the other is stopped, node 2 later than node 1. Then both run
/// and merge.
/// </summary>
public sealed class EditedApart : IAsyncLifetime
{
    readonly LocalCluster _cluster = new();

    public static IReadOnlyList<ConcurrentEdit> Edits { get; } = ConcurrentEdit.All;

    public ShopContext NewContext(int nodeId) => new(_cluster[nodeId]) { DefaultConsistency = Consistency.None };

    public async Task<byte[]> RawAsync(int nodeId)
    {
        var store = await _cluster[nodeId].OpenStoreAsync(Token);
        return (await store.Keyspace("raw").GetAsync(1, Token))!.Value!.Value.ToArray();
    }

    public async ValueTask InitializeAsync()
    {
        await _cluster.StartAsync(1);
        await _cluster.StartAsync(2);
        await using (var db = NewContext(1))
        {
            for (int i = 0; i < Edits.Count; i++)
            {
                var entity = Edits[i].Initial();
                entity.Id = IdOf(i);
                db.Everything.Add(entity);
            }
            db.Products.AddRange(new Product { Id = 1, Name = "revived" }, new Product { Id = 2, Name = "deleted" });
            db.OrderLines.Add(new OrderLine { Order = "A", Line = 1, Text = "deleted" });
            await db.SaveChangesAsync(Consistency.All, Token);
        }
        await PutRawAsync(1, "first");
        foreach (string keyspace in new[] { "Everything", "Products", "lines", "raw" })
            await _cluster.WaitUntilEqualAsync(keyspace);

        await _cluster.StopAsync(2);
        await EditAsync(1, edit => edit.Mine, async db =>
        {
            db.Products.Remove((await db.Products.FindAsync([1L], Token))!);
            (await db.Products.FindAsync([2L], Token))!.Name = "edited";
            db.OrderLines.Remove((await db.OrderLines.FindAsync(["A", 1], Token))!);
        });
        await PutRawAsync(1, "mine");
        await _cluster.StopAsync(1);

        await _cluster.StartAsync(2);
        await EditAsync(2, edit => edit.Theirs, async db =>
        {
            (await db.Products.FindAsync([1L], Token))!.Price = 7;
            db.Products.Remove((await db.Products.FindAsync([2L], Token))!);
            (await db.OrderLines.FindAsync(["A", 1], Token))!.Text = "edited";
        });
        await PutRawAsync(2, "theirs");

        await _cluster.StartAsync(1);
        foreach (string keyspace in new[] { "Everything", "Products", "raw" })
            await _cluster.WaitUntilEqualAsync(keyspace);
    }

    public ValueTask DisposeAsync() => _cluster.DisposeAsync();

    public static Guid IdOf(int edit) => new(edit + 1, 0, 0, new byte[8]);

    async Task EditAsync(int nodeId, Func<ConcurrentEdit, Action<Everything>> edit, Func<ShopContext, Task> others)
    {
        await using var db = NewContext(nodeId);
        for (int i = 0; i < Edits.Count; i++)
            edit(Edits[i])((await db.Everything.FindAsync([IdOf(i)], Token))!);
        await others(db);
        await db.SaveChangesAsync(Token);
    }

    async Task PutRawAsync(int nodeId, string text)
    {
        var store = await _cluster[nodeId].OpenStoreAsync(Token);
        await store.Keyspace("raw").PutAsync(1, Encoding.UTF8.GetBytes(text), Consistency.None, Token);
    }

    static CancellationToken Token => TestContext.Current.CancellationToken;
}
