using Datacake.Crdt;
using Datacake.EventualConsistency.Layout;
using Datacake.EventualConsistency.Tests.Fixtures;
using Datacake.Storage;

namespace Datacake.EventualConsistency.Tests.Links;

/// <summary>Documents longer than a network message, and the messages sent beside them.</summary>
public sealed class LargeMessageTests
{
    const int PartLength = 10 * 1024 * 1024, Parts = 2;       // A network message has at most 16 MiB.

    static readonly ReplicatedStoreOptions Options =
        new() { ReportInterval = TimeSpan.FromMilliseconds(50), AcknowledgmentTimeout = TestCluster.Deadline, MaxDocumentLength = 64 * 1024 * 1024 };

    static CancellationToken Canceled => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Document_longer_than_a_message_arrives_by_join_pull_mutation_and_read()
    {
        await using var cluster = new TestCluster();
        await cluster.AddAsync(1, options: Options);
        await GrowAsync(cluster[1].Store, 1);
        await cluster.AddAsync(2, options: Options);
        await cluster.WaitUntilConnectedAsync();
        Assert.Equal(PartLength * Parts, await LengthAsync(cluster[2].Store, 1));

        cluster[2].Transport.Cut();
        await cluster.WaitUntilAliveAsync(1, 1);
        await GrowAsync(cluster[1].Store, 2);
        cluster[2].Transport.Heal();
        await cluster.WaitUntilConnectedAsync();
        await TestCluster.WaitUntilAsync(async () => await LengthAsync(cluster[2].Store, 2) == PartLength * Parts, "the pull brings the document");

        await GrowAsync(cluster[2].Store, 3, Consistency.All);
        var read = await cluster[1].Store.Keyspace("cakes").GetAsync(3, Consistency.All, Canceled);
        Assert.Equal(PartLength * Parts, LengthOf(read));
    }

    [Fact]
    public async Task Small_write_is_acknowledged_while_a_large_document_is_on_its_way()
    {
        await using var cluster = new TestCluster();
        await cluster.AddAsync(1, options: Options);
        await cluster.AddAsync(2, options: Options);
        await cluster.WaitUntilConnectedAsync();
        cluster[2].Transport.Cut();
        await cluster.WaitUntilAliveAsync(1, 1);
        await GrowAsync(cluster[1].Store, 1);
        cluster[2].Transport.ReadDelay = TimeSpan.FromMilliseconds(2);
        long received = cluster[2].Transport.BytesReceived;
        cluster[2].Transport.Heal();
        await cluster.WaitUntilConnectedAsync();
        await TestCluster.WaitUntilAsync(() => cluster[2].Transport.BytesReceived - received > PartLength / 4, "the document is on its way");

        await cluster[2].Store.Keyspace("cakes").PutAsync(2, "cake"u8.ToArray(), Consistency.All, Canceled);
        await cluster[2].Store.Keyspace("cakes").GetAsync(2, Consistency.All, Canceled);
        Assert.Null(await cluster[2].Store.Keyspace("cakes").GetAsync(1, Canceled));

        cluster[2].Transport.ReadDelay = TimeSpan.Zero;
        await TestCluster.WaitUntilAsync(async () => await LengthAsync(cluster[2].Store, 1) == PartLength * Parts, "the document arrives");
    }

    [Fact]
    public async Task Many_documents_are_read_at_a_level_whatever_their_total_length()
    {
        await using var cluster = await TestCluster.StartAsync(3);
        var keys = Enumerable.Range(0, 850).Select(i => (DocumentKey)i).ToArray();
        foreach (var chunk in keys.Chunk(170))
            await cluster[1].Store.Keyspace("cakes").PutManyAsync(chunk.Select(key => KeyValuePair.Create(key, (ReadOnlyMemory<byte>)new byte[20_000])), Consistency.All, Canceled);
        var reads = Enumerable.Range(1, 3).Select(node => cluster[node].Store.Keyspace("cakes").GetManyAsync(keys, Consistency.Quorum, Canceled).AsTask());
        foreach (var read in await Task.WhenAll(reads))
            Assert.Equal(850, read.Count);
    }

    [Fact]
    public async Task Pull_that_a_store_cannot_answer_is_refused_and_another_member_is_asked()
    {
        var damaged = new MemoryStorage();
        await using var cluster = await TestCluster.StartAsync(3, node => node == 1 ? damaged : new MemoryStorage());
        var cakes = cluster[3].Store.Keyspace("cakes");
        await cakes.PutAsync(1, "cake"u8.ToArray(), Consistency.All, Canceled);
        cluster[2].Transport.Cut();
        await cluster.WaitUntilAliveAsync(3, 2);
        await cakes.PutAsync(2, "pie"u8.ToArray(), Consistency.Quorum, Canceled);
        var damage = new WriteBatch();
        damage.Put(StoreLayout.DocumentKey(1, DocumentKey.Of(2).Encoded.Span), new byte[] { 0xFF });
        await damaged.CommitAsync(damage, Durability.Buffered, Canceled);

        cluster[2].Transport.Heal();
        await TestCluster.WaitUntilAsync(async () => await cluster[2].Store.Keyspace("cakes").GetAsync(2, Canceled) is not null, "node 3 is asked");
    }

    [Fact]
    public async Task Part_of_a_pull_whose_commit_fails_is_fetched_again()
    {
        var storage = new FaultyStorage();
        await using var cluster = await TestCluster.StartAsync(2, node => node == 2 ? storage : new MemoryStorage());
        var cakes = cluster[1].Store.Keyspace("cakes");
        await cakes.PutAsync(0, "cake"u8.ToArray(), Consistency.All, Canceled);
        cluster[2].Transport.Cut();
        await cluster.WaitUntilAliveAsync(1, 1);
        for (int i = 1; i <= 20; i++)
            await cakes.PutAsync(i, new byte[100_000], Consistency.None, Canceled);
        byte[] prefix = StoreLayout.DocumentKey(1, [])[..StoreLayout.DocumentPrefixLength];
        storage.FailingOperation = operation => operation.Key.Span.StartsWith(prefix);
        storage.CommitsToFail = 2;
        // The bytes arrive slowly, so that the parts come into several batches.
        cluster[2].Transport.ReadDelay = TimeSpan.FromMilliseconds(2);
        cluster[2].Transport.Heal();
        await cluster.WaitUntilConnectedAsync();
        await cluster.WaitUntilEqualAsync("cakes", 21);
        Assert.Equal(0, storage.CommitsToFail);
    }

    static async Task GrowAsync(ReplicatedStore store, DocumentKey key, Consistency consistency = Consistency.None)
    {
        for (int part = 0; part < Parts; part++)
        {
            var builder = new DocumentContentBuilder();
            builder.Set(DocumentPath.OfProperty($"Part{part}").Encoded.Span, new byte[PartLength]);
            var transaction = new Transaction();
            if (part == 0)
                transaction.Put("cakes", key, builder.Build());
            else
                transaction.Update("cakes", key, builder.Build());
            await store.CommitAsync(transaction, consistency, Canceled);
        }
    }

    static async Task<int> LengthAsync(ReplicatedStore store, DocumentKey key) => LengthOf(await store.Keyspace("cakes").GetAsync(key, Canceled));

    static int LengthOf(Document? document)
    {
        int length = 0;
        if (document is not null)
        {
            foreach (var cell in document.Cells)
                length += cell.Value.Length;
        }
        return length;
    }
}
