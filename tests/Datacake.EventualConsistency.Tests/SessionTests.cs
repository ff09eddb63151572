using Datacake.EventualConsistency.Layout;
using Datacake.Node;
using Datacake.Storage;

namespace Datacake.EventualConsistency.Tests;

/// <summary>Sessions between stores when something goes wrong on the way.</summary>
public sealed class SessionTests
{
    static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_session_whose_opening_could_not_be_stored_is_not_taken_for_open()
    {
        var storage = new FaultyStorage();
        await using var cluster = await TestCluster.StartAsync(2, node => node == 1 ? storage : new MemoryStorage());
        await FailToOpenSessionAsync(cluster, storage);
        await cluster[1].Store.Keyspace("cakes").PutAsync(1, "cake"u8.ToArray(), Consistency.None, Cancelled);
        await cluster.WaitUntilAliveAsync(1, 1);
    }

    [Fact]
    public async Task A_peer_is_dialled_again_after_a_failure_that_nobody_expected()
    {
        var storage = new FaultyStorage { Failure = () => new UnauthorizedAccessException("The file may not be written.") };
        await using var cluster = await TestCluster.StartAsync(2, node => node == 1 ? storage : new MemoryStorage());
        await FailToOpenSessionAsync(cluster, storage);
        cluster[2].Transport.Mend();
        await cluster.WaitUntilConnectedAsync();
    }

    static async Task FailToOpenSessionAsync(TestCluster cluster, FaultyStorage storage)
    {
        cluster[2].Transport.Cut();
        await cluster.WaitUntilAliveAsync(1, 1);
        storage.FailingKey = StoreLayout.IdentityKey;               // with which the opening of a session is stored
        storage.CommitsToFail = int.MaxValue;
        cluster[2].Transport.Mend();
        await TestCluster.WaitUntilAsync(() => storage.CommitsToFail < int.MaxValue, "the session could not be opened");
        cluster[2].Transport.Cut();
        storage.CommitsToFail = 0;
    }
}
