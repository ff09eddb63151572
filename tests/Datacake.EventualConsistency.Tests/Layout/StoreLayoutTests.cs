using Datacake.EventualConsistency.Layout;
using Datacake.EventualConsistency.Tests.Fixtures;
using Datacake.Node.Membership;
using Datacake.Storage;

namespace Datacake.EventualConsistency.Tests.Layout;

public class StoreLayoutTests
{
    static CancellationToken Canceled => TestContext.Current.CancellationToken;

    [Fact]
    public void Write_outside_the_range_of_the_store_is_refused()
    {
        var inside = new WriteBatch();
        inside.Put(StoreLayout.FormatKey, default);
        inside.Put(StoreLayout.StateKey, default);
        inside.Delete(StoreLayout.ArrivingLogKey(new(ulong.MaxValue)));
        StoreLayout.Check(inside);

        foreach (var key in new[] { NodeLayout.MemberRecordKey, NodeLayout.All.Start, StoreLayout.All.End!.Value, default })
        {
            var outside = new WriteBatch();
            outside.Put(StoreLayout.StateKey, default);
            outside.Delete(key);
            Assert.Throws<InvalidOperationException>(() => StoreLayout.Check(outside));
        }
    }

    [Fact]
    public async Task Storage_that_a_node_shares_with_its_store_has_only_keys_of_the_two()
    {
        await using var nodes = await ScenarioNodes.StartAsync(2);
        var store = nodes[1].Store;
        await store.Keyspace("shop").PutAsync(1, "cake"u8.ToArray(), Consistency.All, Canceled);

        await Eventually.WaitUntilAsync(async () =>
        {
            var keys = await KeysOfAsync(nodes[1].Node.Storage!);
            Assert.All(keys, key => Assert.True(StoreLayout.All.Contains(key.Span) ^ NodeLayout.All.Contains(key.Span), Convert.ToHexString(key.Span)));
            return keys.Any(key => StoreLayout.IsDocumentKey(key.Span)) && keys.Any(key => key.Span.SequenceEqual(NodeLayout.MemberRecordKey.Span));
        }, "the storage has a document and the member record");
    }

    static async Task<List<ReadOnlyMemory<byte>>> KeysOfAsync(IStorage storage)
    {
        using var snapshot = await storage.OpenSnapshotAsync(Canceled);
        return [.. (await snapshot.ScanAsync(KeyRange.All, ScanDirection.Forward, 1_000, Canceled)).Select(entry => (ReadOnlyMemory<byte>)entry.Key.ToArray())];
    }
}
