using System.Text;
using Datacake.Crdt;
using Datacake.EventualConsistency.Layout;
using Datacake.EventualConsistency.Snapshots;
using Datacake.EventualConsistency.Tests.Fixtures;
using Datacake.Storage;

namespace Datacake.EventualConsistency.Tests.Snapshots;

/// <summary>Documents that are read in place, page by page.</summary>
public sealed class DocumentPageTests
{
    static CancellationToken Canceled => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Pages_show_the_same_live_documents_as_a_list()
    {
        await using var cluster = await TestCluster.StartAsync(1);
        var cakes = cluster[1].Store.Keyspace("cakes");
        for (int key = 0; key < 50; key++)
            await cakes.PutAsync(key, Encoding.UTF8.GetBytes($"cake {key}"), Consistency.None, Canceled);
        await cakes.DeleteAsync(7, Consistency.None, Canceled);

        using var snapshot = await cluster[1].Store.OpenSnapshotAsync(Canceled);
        using var page = new DocumentPage();
        foreach (var direction in new[] { ScanDirection.Forward, ScanDirection.Reverse })
        {
            var seen = new List<string>();
            var range = KeyRange.All;
            while (await snapshot.ScanAsync("cakes", range, direction, 8, page, Canceled) is var last && !page.IsEmpty)
            {
                Show(page, seen);
                range = direction == ScanDirection.Forward ? range.After(last) : range.Before(last);
            }
            var expected = await snapshot.ScanAsync("cakes", KeyRange.All, direction, 100, Canceled);
            Assert.Equal(expected.Select(found => $"{found.Key}: {Encoding.UTF8.GetString(found.Document.Value!.Value.Span)}"), seen);
        }

        var some = new List<string>();
        await snapshot.GetManyAsync("cakes", [3, 7, 999, 5], page, Canceled);
        Show(page, some);
        Assert.Equal(["3: cake 3", "5: cake 5"], some);
        await snapshot.GetManyAsync("nothing", [3], page, Canceled);
        Assert.True(page.IsEmpty);
    }

    [Fact]
    public async Task Page_with_a_damaged_document_is_refused_with_the_name_of_the_document()
    {
        var storage = new MemoryStorage();
        await using var cluster = await TestCluster.StartAsync(1, _ => storage);
        await cluster[1].Store.Keyspace("cakes").PutAsync(41, "cake"u8.ToArray(), Consistency.None, Canceled);
        var damage = new WriteBatch();
        using (var before = await storage.OpenSnapshotAsync(Canceled))
        {
            var stored = await before.ReadAllAsync(StoreLayout.AllDocuments, Canceled).SingleAsync(Canceled);
            damage.Put(stored.Key, stored.Value[..^1]);
        }
        await storage.CommitAsync(damage, Durability.Buffered, Canceled);

        using var snapshot = await cluster[1].Store.OpenSnapshotAsync(Canceled);
        using var page = new DocumentPage();
        await snapshot.ScanAsync("cakes", KeyRange.All, ScanDirection.Forward, 8, page, Canceled);
        var refused = Assert.Throws<StorageException>(() => Show(page, []));
        Assert.Equal(StorageError.Corrupt, refused.Error);
        Assert.Contains("document 41", refused.Message, StringComparison.Ordinal);
    }

    static void Show(DocumentPage page, List<string> seen)
    {
        foreach (var found in page)
        {
            var key = new DocumentKey(found.EncodedKey.ToArray());
            seen.Add($"{key}: {Encoding.UTF8.GetString(Document.Parse(found.Document.Encoded.ToArray()).Value!.Value.Span)}");
        }
    }
}
