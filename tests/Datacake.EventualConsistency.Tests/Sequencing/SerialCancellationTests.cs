using System.Globalization;
using System.Text;
using Datacake.Crdt;
using Datacake.EventualConsistency.Keyspaces;
using Datacake.EventualConsistency.Sequencing;
using Datacake.EventualConsistency.Tests.Fixtures;
using Datacake.Storage;

namespace Datacake.EventualConsistency.Tests.Sequencing;

/// <summary>Serial transactions whose callers leave, or whose store closes, before the outcome is known.</summary>
public sealed class SerialCancellationTests
{
    const string Accounts = "accounts";

    static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Canceled_transaction_that_could_not_be_withdrawn_has_an_unknown_outcome_and_may_take_effect()
    {
        await using var storage = new FaultyStorage();
        await using var cluster = new TestCluster();
        var store = await AddAsync(cluster, 1, storage);
        await store.CommitAsync(PutOf(1, 1), Consistency.Serial, Token);
        await FillAsync(store, storage);
        // There is no sequencer, so the request is begun but not sent.
        using var canceling = CancellationTokenSource.CreateLinkedTokenSource(Token);
        var waiting = store.CommitAsync(PutOf(1, 2), Consistency.Serial, canceling.Token).AsTask();
        await store.AllowRemovalAsync(Token);
        await store.AllowRemovalAsync(Token);
        storage.SnapshotsToFail = int.MaxValue;
        await canceling.CancelAsync();
        var e = await Assert.ThrowsAsync<OutcomeUnknownException>(() => waiting.WaitAsync(TestCluster.Deadline, Token));
        storage.SnapshotsToFail = 0;
        await EmptyAsync(store, storage);
        await e.ResolveAsync(Token).WaitAsync(TestCluster.Deadline, Token);
        Assert.Equal(2, await ReadAsync(store, 1));
    }

    [Fact]
    public async Task Transaction_that_is_canceled_while_the_store_is_busy_is_withdrawn_at_once_and_never_sent()
    {
        await using var storage = new GatedStorage();
        await using var cluster = new TestCluster();
        var store = await AddAsync(cluster, 1, storage);
        await store.CommitAsync(PutOf(1, 1), Consistency.Serial, Token);
        storage.Close();
        var before = store.Keyspace("notes").PutAsync(1, new byte[] { 1 }, Consistency.None, Token).AsTask();
        await TestCluster.WaitUntilAsync(() => storage.Waiting > 0, "a commit waits");
        using var canceling = CancellationTokenSource.CreateLinkedTokenSource(Token);
        var waiting = store.CommitAsync(PutOf(1, 2), Consistency.Serial, canceling.Token).AsTask();
        await canceling.CancelAsync();
        var e = await Record.ExceptionAsync(() => waiting.WaitAsync(TestCluster.Deadline, Token));
        storage.Open();
        await before;
        Assert.Contains("before it was sent", Assert.IsType<OperationCanceledException>(e).Message, StringComparison.Ordinal);
        await store.CommitAsync(PutOf(2, 3), Consistency.Serial, Token);
        Assert.Equal(1, await ReadAsync(store, 1));
    }

    [Fact]
    public async Task Transaction_that_is_decided_while_the_store_closes_succeeds()
    {
        await using var storage = new GatedStorage();
        await using var cluster = new TestCluster();
        var store = await AddAsync(cluster, 1, storage);
        await store.CommitAsync(PutOf(1, 1), Consistency.Serial, Token);
        storage.Close();
        var waiting = store.CommitAsync(PutOf(1, 2), Consistency.Serial, Token).AsTask();
        await TestCluster.WaitUntilAsync(() => storage.Waiting > 0, "a commit waits");
        var closing = store.DisposeAsync().AsTask();
        await TestCluster.WaitUntilAsync(() => store.AllowRemovalAsync(Token).AsTask() is { IsFaulted: true }, "the commit loop takes no more work");
        storage.Open();
        await closing.WaitAsync(TestCluster.Deadline, Token);
        await waiting.WaitAsync(TestCluster.Deadline, Token);
    }

    [Fact]
    public async Task Transaction_that_was_sent_has_an_unknown_outcome_when_the_store_closes_and_it_is_not_learned_any_more()
    {
        await using var cluster = new TestCluster();
        await AddAsync(cluster, 1);
        var store = await AddAsync(cluster, 2);
        await cluster.WaitUntilConnectedAsync();
        await TestCluster.WaitUntilAsync(() => store.SerialStatus is { Sequencer: 1, VoterCount: 2 }, "node 1 is the sequencer of two voters");
        cluster[2].Transport.Pause();
        var waiting = store.CommitAsync(PutOf(1, 2), Consistency.Serial, Token).AsTask();
        // The request is begun before this.
        await store.AllowRemovalAsync(Token);
        await store.DisposeAsync();
        var e = await Assert.ThrowsAsync<OutcomeUnknownException>(() => waiting.WaitAsync(TestCluster.Deadline, Token));
        Assert.StartsWith("The store was closed before the outcome of a serial transaction was known.", e.Message, StringComparison.Ordinal);
        await Assert.ThrowsAsync<ObjectDisposedException>(() => e.ResolveAsync(Token));
        cluster[2].Transport.Resume();
    }

    [Fact]
    public async Task Lane_of_a_canceled_transaction_is_used_again_once_its_outcome_has_arrived()
    {
        await using var cluster = new TestCluster();
        await AddAsync(cluster, 1);
        var store = await AddAsync(cluster, 2);
        await cluster.WaitUntilConnectedAsync();
        await TestCluster.WaitUntilAsync(() => store.SerialStatus is { Sequencer: 1, VoterCount: 2 }, "node 1 is the sequencer of two voters");
        for (int i = 1; i <= 5; i++)
        {
            using var canceling = CancellationTokenSource.CreateLinkedTokenSource(Token);
            cluster[2].Transport.Pause();
            var waiting = store.CommitAsync(PutOf(1, i), Consistency.Serial, canceling.Token).AsTask();
            await store.AllowRemovalAsync(Token);
            await canceling.CancelAsync();
            var e = await Assert.ThrowsAsync<OutcomeUnknownException>(() => waiting.WaitAsync(TestCluster.Deadline, Token));
            cluster[2].Transport.Resume();
            await TestCluster.WaitUntilAsync(async () => await ReadAsync(store, 1) == i, "the transaction has taken effect");
            // Its outcome comes before the answer to what is asked now.
            await store.CatchUpAsync(Consistency.Serial, Token);
            if (i == 5)
                await e.ResolveAsync(Token).WaitAsync(TestCluster.Deadline, Token);
        }
        Assert.Equal([1u], await LanesAsync(store, cluster[2].Store));
    }

    [Fact]
    public async Task Lane_of_a_canceled_transaction_that_was_not_sent_is_used_again()
    {
        await using var storage = new FaultyStorage();
        await using var cluster = new TestCluster();
        var store = await AddAsync(cluster, 1, storage);
        await store.Joined.WaitAsync(TestCluster.Deadline, Token);
        await TestCluster.WaitUntilAsync(() => store.SerialStatus.Sequencer is not null, "there is a sequencer");
        await FillAsync(store, storage);
        for (int i = 0; i < 5; i++)
        {
            using var canceling = CancellationTokenSource.CreateLinkedTokenSource(Token);
            var waiting = store.CommitAsync(PutOf(1, 1), Consistency.Serial, canceling.Token).AsTask();
            await store.AllowRemovalAsync(Token);
            await store.AllowRemovalAsync(Token);
            await canceling.CancelAsync();
            await Assert.ThrowsAsync<OperationCanceledException>(() => waiting.WaitAsync(TestCluster.Deadline, Token));
        }
        await EmptyAsync(store, storage);
        await store.CommitAsync(PutOf(1, 2), Consistency.Serial, Token);
        Assert.Equal([1u], await LanesAsync(store, store));
    }

    [Fact]
    public async Task Outcome_that_two_callers_resolve_at_the_same_time_is_told_to_both_and_to_one_if_the_other_leaves()
    {
        await using var cluster = new TestCluster();
        await AddAsync(cluster, 1);
        var store = await AddAsync(cluster, 2);
        await cluster.WaitUntilConnectedAsync();
        await TestCluster.WaitUntilAsync(() => store.SerialStatus is { Sequencer: 1, VoterCount: 2 }, "node 1 is the sequencer of two voters");
        using var canceling = CancellationTokenSource.CreateLinkedTokenSource(Token);
        using var leaving = CancellationTokenSource.CreateLinkedTokenSource(Token);
        cluster[2].Transport.Pause();
        var waiting = store.CommitAsync(PutOf(1, 2), Consistency.Serial, canceling.Token).AsTask();
        await store.AllowRemovalAsync(Token);
        await canceling.CancelAsync();
        var e = await Assert.ThrowsAsync<OutcomeUnknownException>(() => waiting.WaitAsync(TestCluster.Deadline, Token));
        Task<CommitResult> first = e.ResolveAsync(Token), second = e.ResolveAsync(Token), third = e.ResolveAsync(leaving.Token);
        await store.AllowRemovalAsync(Token);
        await leaving.CancelAsync();
        await Assert.ThrowsAsync<OutcomeUnknownException>(() => third.WaitAsync(TestCluster.Deadline, Token));
        cluster[2].Transport.Resume();
        var results = await Task.WhenAll(first, second).WaitAsync(TestCluster.Deadline / 2, Token);
        Assert.Equal(results[0].Stamp, results[1].Stamp);
    }

    [Fact]
    public async Task Transaction_that_finds_no_sequencer_because_the_storage_is_full_is_told_so()
    {
        await using var storage = new FaultyStorage();
        await using var cluster = new TestCluster();
        var store = await AddAsync(cluster, 1, storage, timeout: TimeSpan.FromSeconds(2));
        await store.CommitAsync(PutOf(1, 1), Consistency.Serial, Token);
        await FillAsync(store, storage);
        // The outcome is unknown if the node was still the sequencer when it got the transaction.
        var e = await Assert.ThrowsAnyAsync<Exception>(async () => await store.CommitAsync(PutOf(1, 2), Consistency.Serial, Token));
        Assert.True(e is TimeoutException or OutcomeUnknownException, $"{e}");
        Assert.Contains("The storage of node 1 refuses writes, so the node cannot be the sequencer or vote (StorageFailure): The disk is full.", e.Message, StringComparison.Ordinal);
        e = await Assert.ThrowsAsync<TimeoutException>(async () => await store.CatchUpAsync(Consistency.Serial, Token));
        Assert.Contains("(StorageFailure): The disk is full.", e.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Transaction_that_finds_no_sequencer_because_the_storage_of_a_voter_is_full_is_told_where_to_look()
    {
        await using var storage = new FaultyStorage();
        await using var cluster = new TestCluster();
        var voter = await AddAsync(cluster, 1, storage, maxVoters: 1);
        var store = await AddAsync(cluster, 2, maxVoters: 1, timeout: TimeSpan.FromSeconds(2));
        await cluster.WaitUntilConnectedAsync();
        await voter.CommitAsync(PutOf(1, 1), Consistency.Serial, Token);
        await TestCluster.WaitUntilAsync(() => store.SerialStatus is { Sequencer: 1, VoterCount: 1 }, "node 2 knows the voter");
        await FillAsync(voter, storage);
        await TestCluster.WaitUntilAsync(async () =>
        {
            // The node may not know yet that it has no sequencer, and then the transaction was sent.
            var e = await Record.ExceptionAsync(async () => await store.CommitAsync(PutOf(1, 2), Consistency.Serial, Token));
            return e is TimeoutException or OutcomeUnknownException && e.Message.Contains(
                "A majority of the voters is connected. If their storages refuse writes, as full ones do, they cannot decide; see StorageFailure of each.", StringComparison.Ordinal);
        }, "the caller is told where to look");
    }

    /// <summary>Fills the storage of the only voter, so that it is no longer the sequencer.</summary>
    static async Task FillAsync(ReplicatedStore store, FaultyStorage storage)
    {
        storage.IsFull = true;
        await Assert.ThrowsAsync<StorageException>(async () => await store.Keyspace("notes").PutAsync(1, new byte[] { 1 }, Consistency.None, Token));
        await TestCluster.WaitUntilAsync(() => store.SerialStatus.Sequencer is null, "there is no sequencer");
    }

    static async Task EmptyAsync(ReplicatedStore store, FaultyStorage storage)
    {
        storage.IsFull = false;
        await TestCluster.WaitUntilAsync(
            async () => await Record.ExceptionAsync(async () => await store.Keyspace("notes").PutAsync(1, new byte[] { 1 }, Consistency.None, Token)) is null, "there is room again");
    }

    /// <summary>Returns the lanes of a caller of which a store has records.</summary>
    static async Task<IEnumerable<uint>> LanesAsync(ReplicatedStore store, ReplicatedStore caller)
    {
        using var snapshot = await store.OpenSnapshotAsync(Token);
        var records = await snapshot.ScanAsync(CallerLane.Keyspace, KeyRange.All, ScanDirection.Forward, maxDocuments: 100, Token);
        return records.Select(static record => CallerLane.TryRead(record.Key)).OfType<CallerLane>().Where(lane => lane.Run.Node == caller.Node.Id).Select(static lane => lane.Lane).Order();
    }

    static async Task<ReplicatedStore> AddAsync(TestCluster cluster, int node, IStorage? storage = null, int maxVoters = 5, TimeSpan? timeout = null)
    {
        var options = new ReplicatedStoreOptions
        {
            ReportInterval = TimeSpan.FromMilliseconds(50),
            AcknowledgmentTimeout = timeout ?? TestCluster.Deadline,
            StopTimeout = TimeSpan.Zero,
            MaxVoters = maxVoters,
        };
        options.Declarations.Add(new KeyspaceDeclaration(Accounts, MergePolicy.Serial, []));
        return (await cluster.AddAsync(node, storage, options)).Store;
    }

    static Transaction PutOf(int key, int value)
    {
        var transaction = new Transaction();
        transaction.Put(Accounts, key, DocumentContent.OfRaw(Encoding.UTF8.GetBytes(value.ToString(CultureInfo.InvariantCulture))));
        return transaction;
    }

    static async Task<int?> ReadAsync(ReplicatedStore store, int key) => await store.Keyspace(Accounts).GetAsync(key, Token) is { Value: { } value }
        ? int.Parse(Encoding.UTF8.GetString(value.Span), CultureInfo.InvariantCulture)
        : null;
}
