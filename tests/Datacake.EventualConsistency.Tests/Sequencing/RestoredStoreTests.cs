using Datacake.Crdt;
using Datacake.EventualConsistency.Layout;
using Datacake.EventualConsistency.Replication;
using Datacake.EventualConsistency.Sequencing;
using Datacake.Simulation.Machines;
using Datacake.Storage;

namespace Datacake.EventualConsistency.Tests.Sequencing;

/// <summary>Stores that have forgotten what they have told others of the sequence [S9], because they were restored from an older copy.</summary>
public sealed class RestoredStoreTests
{
    const ulong StoreId = 7;

    readonly SimulatedTime _time = new();

    static CancellationToken Canceled => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Only_voter_that_is_restored_founds_the_sequence_anew_in_another_life()
    {
        await using var storage = new MemoryStorage();
        var (_, first) = await OpenAsync(storage, boot: 1);
        Assert.True(first.IsReady);
        Assert.Equal((0UL, true), (first.State.Life, first.State.Founding.IsFirst));

        await MarkAsync(storage);
        var (_, restored) = await OpenAsync(storage, boot: 2);

        Assert.True(restored.IsReady);
        Assert.Equal([StoreId], restored.Voters);
        Assert.NotEqual(0UL, restored.State.Life);
        Assert.Equal((StoreId, false, false), (restored.State.Founding.Store, restored.State.Founding.IsForced, restored.State.Founding.IsFirst));
        Assert.True(restored.State.Epoch > first.State.Epoch);
        using var snapshot = await storage.OpenSnapshotAsync(Canceled);
        Assert.Null(await snapshot.GetAsync(StoreLayout.RestoredKey, Canceled));

        var (_, again) = await OpenAsync(storage, boot: 3);
        Assert.Equal((restored.State.Life, restored.State.Founding), (again.State.Life, again.State.Founding));
    }

    [Fact]
    public async Task One_of_several_voters_that_is_restored_knows_no_voters_and_does_not_stand()
    {
        await using var storage = new MemoryStorage();
        await OpenAsync(storage, boot: 1);
        var batch = new WriteBatch();
        var state = new SequenceState(4, StoreId, HlcTimestamp.None, 9, 3, [new Voter(StoreId, 0), new Voter(8, 0)], VersionVector.Empty);
        batch.Put(StoreLayout.SequenceKey, state.Encode());
        batch.Put(StoreLayout.SequenceEntryKey(10), SequenceEntry.Empty(4).Encoded);
        await storage.CommitAsync(batch, Durability.Flushed, Canceled);

        await MarkAsync(storage);
        var (_, restored) = await OpenAsync(storage, boot: 2);

        Assert.Empty(restored.Voters);
        Assert.Equal(SequencerRole.Follower, restored.Role);
        Assert.Equal((0UL, 0UL, 0UL, false), (restored.State.Epoch, restored.State.Vote, restored.Last, restored.State.MayFound));
        Assert.NotEqual(0UL, restored.State.Life);
        using var snapshot = await storage.OpenSnapshotAsync(Canceled);
        Assert.Null(await snapshot.GetAsync(StoreLayout.SequenceEntryKey(10), Canceled));
    }

    [Fact]
    public async Task Store_whose_storage_is_full_steps_down_and_does_not_stand()
    {
        await using var storage = new MemoryStorage();
        var (replica, sequencer) = await OpenAsync(storage, boot: 1);

        sequencer.HasRoom = false;
        await TickAsync(storage, replica, sequencer, ticks: 10);
        Assert.Equal(SequencerRole.Follower, sequencer.Role);

        sequencer.HasRoom = true;
        await TickAsync(storage, replica, sequencer, ticks: 10);
        Assert.True(sequencer.IsReady);
    }

    [Fact]
    public async Task Operator_cannot_name_new_voters_while_there_is_a_sequencer()
    {
        await using var storage = new MemoryStorage();
        var (replica, sequencer) = await OpenAsync(storage, boot: 1);
        using var snapshot = await storage.OpenSnapshotAsync(Canceled);

        var refusal = await Assert.ThrowsAsync<InvalidOperationException>(async () => await sequencer.RecoverAsync(replica.Begin(snapshot)));

        Assert.Contains("Node 1 is the sequencer", refusal.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Operator_names_a_member_the_only_voter_once_the_majority_is_lost()
    {
        await using var storage = new MemoryStorage();
        await OpenAsync(storage, boot: 1);
        var batch = new WriteBatch();
        var state = new SequenceState(4, 0, HlcTimestamp.None, 9, 3, [new Voter(StoreId, 0), new Voter(8, 0), new Voter(9, 0)], VersionVector.Empty);
        batch.Put(StoreLayout.SequenceKey, state.Encode());
        batch.Put(StoreLayout.SequenceEntryKey(10), SequenceEntry.Empty(4).Encoded);
        await storage.CommitAsync(batch, Durability.Flushed, Canceled);
        var (replica, sequencer) = await OpenAsync(storage, boot: 2);
        Assert.False(sequencer.IsReady);
        var entered = new Transaction();
        entered.Put("notes", DocumentKey.Of(1), DocumentContent.OfRaw(new byte[] { 1 }));
        await CommitAsync(storage, replica, sequencer, async batch => await replica.WriteAsync(batch, entered));
        var known = replica.State.Known;
        Assert.False(known.IsEmpty);

        await CommitAsync(storage, replica, sequencer, async batch => Assert.True(await sequencer.RecoverAsync(batch)));

        Assert.True(sequencer.IsReady);
        Assert.Equal([StoreId], sequencer.Voters);
        Assert.Equal((5UL, 12UL, true), (sequencer.State.Epoch, sequencer.Last, sequencer.State.Founding.IsForced));
        // Whatever the founder shows may be the effect of an entry that only the lost voters had, and readers must see it.
        Assert.True(sequencer.State.Token.Covers(known));
    }

    [Fact]
    public async Task Recovery_is_refused_while_a_member_is_absent_that_is_not_retired()
    {
        await using var storage = new MemoryStorage();
        await OpenAsync(storage, boot: 1);
        var batch = new WriteBatch();
        batch.Put(StoreLayout.SequenceKey, new SequenceState(4, 0, HlcTimestamp.None, 9, 3, [new Voter(StoreId, 0), new Voter(8, 0), new Voter(9, 0)], VersionVector.Empty).Encode());
        await storage.CommitAsync(batch, Durability.Flushed, Canceled);
        var (replica, sequencer) = await OpenAsync(storage, boot: 2);
        replica.Identity.Members.Add(2, new StoreMember(8, "", HasJoined: true, IsVolatile: false, TakesOver: false));
        replica.Identity.Members.Add(3, new StoreMember(9, "", HasJoined: true, IsVolatile: false, TakesOver: false));

        Assert.Equal(
            "Nodes 2 and 3 cannot be reached and are not retired. If they came back later, they would bring back parts of the transactions that are given up. "
                + "Retire them if lost for good, or start them. Nothing was changed.", await ReasonAsync());
        replica.Retire(2);
        Assert.Equal(
            "Node 3 cannot be reached and is not retired. If it came back later, it would bring back parts of the transactions that are given up. "
                + "Retire it if lost for good, or start it. Nothing was changed.", await ReasonAsync());
        replica.Retire(3);
        Assert.Null(await ReasonAsync());

        async Task<string?> ReasonAsync()
        {
            using var snapshot = await storage.OpenSnapshotAsync(Canceled);
            return sequencer.ReasonAgainstRecovery(replica.Begin(snapshot));
        }
    }

    async Task<(Replica Replica, Sequencer Sequencer)> OpenAsync(MemoryStorage storage, ulong boot)
    {
        var clock = new SimulatedClock(_time);
        using var snapshot = await storage.OpenSnapshotAsync(Canceled);
        var (replica, batch) = await Replica.OpenAsync(
            new ReplicaSettings("restored", "", boot, StoreId, clock) { Delay = (wait, _) => Pass(wait) }, new HybridLogicalClock(1, clock), storage, snapshot, Canceled);
        replica.Bootstrap();
        await storage.CommitAsync(replica.Prepare(batch).Batch, Durability.Flushed, Canceled);
        replica.Complete(batch);
        using var stored = await storage.OpenSnapshotAsync(Canceled);
        var sequencer = new Sequencer(new SequencerSettings(clock, new Random((int)boot)), replica, await SequenceLog.LoadAsync(stored, Canceled));
        await TickAsync(storage, replica, sequencer, ticks: 10);
        return (replica, sequencer);
    }

    ValueTask Pass(TimeSpan time)
    {
        _time.Pass(time);
        return ValueTask.CompletedTask;
    }

    async Task TickAsync(MemoryStorage storage, Replica replica, Sequencer sequencer, int ticks)
    {
        for (int i = 0; i < ticks; i++)
        {
            _time.Pass(TimeSpan.FromMilliseconds(500));
            await CommitAsync(storage, replica, sequencer, sequencer.TickAsync);
        }
    }

    static async Task CommitAsync(MemoryStorage storage, Replica replica, Sequencer sequencer, Func<ReplicaBatch, ValueTask> work)
    {
        using var snapshot = await storage.OpenSnapshotAsync(Canceled);
        var batch = replica.Begin(snapshot);
        await work(batch);
        await sequencer.FinishAsync(batch);
        await storage.CommitAsync(replica.Prepare(batch).Batch, Durability.Flushed, Canceled);
        replica.Complete(batch);
        sequencer.Complete();
    }

    static async Task MarkAsync(MemoryStorage storage)
    {
        var batch = new WriteBatch();
        batch.Put(StoreLayout.RestoredKey, ReadOnlyMemory<byte>.Empty);
        await storage.CommitAsync(batch, Durability.Flushed, Canceled);
    }
}
