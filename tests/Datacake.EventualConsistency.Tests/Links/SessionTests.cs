using Datacake.EventualConsistency.Layout;
using Datacake.EventualConsistency.Tests.Fixtures;
using Datacake.Storage;

namespace Datacake.EventualConsistency.Tests.Links;

/// <summary>Sessions between stores when a step of them fails.</summary>
public sealed class SessionTests
{
    static CancellationToken Canceled => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Session_whose_opening_could_not_be_stored_does_not_count_as_open()
    {
        var storage = new FaultyStorage();
        await using var cluster = await TestCluster.StartAsync(2, node => node == 1 ? storage : new MemoryStorage());
        await FailToOpenSessionAsync(cluster, storage);
        await cluster[1].Store.Keyspace("cakes").PutAsync(1, "cake"u8.ToArray(), Consistency.None, Canceled);
        await cluster.WaitUntilAliveAsync(1, 1);
    }

    [Fact]
    public async Task Peer_is_redialed_after_an_unexpected_failure()
    {
        var storage = new FaultyStorage { Failure = () => new UnauthorizedAccessException("The file may not be written.") };
        await using var cluster = await TestCluster.StartAsync(2, node => node == 1 ? storage : new MemoryStorage());
        await FailToOpenSessionAsync(cluster, storage);
        cluster[2].Transport.Heal();
        await cluster.WaitUntilConnectedAsync();
    }

    [Fact]
    public async Task Failure_to_send_a_peer_its_missing_data_is_logged()
    {
        var storage = new MemoryStorage();
        var log = new CollectingLog();
        await using var cluster = new TestCluster();
        await cluster.AddAsync(1, storage, log: log);
        await cluster[1].Store.Keyspace("cakes").PutAsync(1, "cake"u8.ToArray(), Consistency.None, Canceled);
        var damage = new WriteBatch();
        damage.Put(StoreLayout.DocumentKey(1, DocumentKey.Of(1).Encoded.Span), new byte[] { 0xFF });
        await storage.CommitAsync(damage, Durability.Buffered, Canceled);
        await cluster.AddAsync(2);
        await TestCluster.WaitUntilAsync(
            () => log.Messages.Any(message => message.Contains("Sending node 2 the data", StringComparison.Ordinal)), "the damage is logged");
    }

    [Fact]
    public async Task Store_that_cannot_keep_up_stops_reading_from_its_peers()
    {
        var gated = new GatedStorage();
        var log = new CollectingLog();
        await using var cluster = new TestCluster();
        await cluster.AddAsync(1, log: log);
        await cluster.AddAsync(2, gated);
        await cluster.WaitUntilConnectedAsync();
        gated.Close();
        try
        {
            byte[] large = new byte[2 * 1024 * 1024];
            for (int i = 0; i < 30; i++)
                await cluster[1].Store.Keyspace("cakes").PutAsync(i, large, Consistency.None, Canceled);
            await TestCluster.WaitUntilAsync(
                () => log.Messages.Any(message => message.Contains("too slow", StringComparison.Ordinal)), "node 1 finds that node 2 takes too little");
        }
        finally
        {
            gated.Open();
        }
        await cluster.WaitUntilEqualAsync("cakes", 30);
    }

    static async Task FailToOpenSessionAsync(TestCluster cluster, FaultyStorage storage)
    {
        cluster[2].Transport.Cut();
        await cluster.WaitUntilAliveAsync(1, 1);
        // The record that the opening of a session stores.
        storage.FailingOperation = operation => operation.Key.Span.SequenceEqual(StoreLayout.IdentityKey.Span);
        storage.CommitsToFail = int.MaxValue;
        cluster[2].Transport.Heal();
        await TestCluster.WaitUntilAsync(() => storage.CommitsToFail < int.MaxValue, "the session could not be opened");
        cluster[2].Transport.Cut();
        storage.CommitsToFail = 0;
    }
}
