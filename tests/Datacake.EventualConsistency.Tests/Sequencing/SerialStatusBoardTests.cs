using Datacake.Crdt;
using Datacake.EventualConsistency.Sequencing;
using Datacake.EventualConsistency.Transactions;
using Datacake.Storage;

namespace Datacake.EventualConsistency.Tests.Sequencing;

/// <summary>The state of the sequence as a node shows it.</summary>
public sealed class SerialStatusBoardTests
{
    const string Cakes = "cakes";

    [Fact]
    public async Task Time_without_a_sequencer_begins_with_the_update_that_shows_none()
    {
        await using var store = await SequencedStore.StartAsync();
        for (int i = 0; i < 100; i++)
            await store.TickAsync();
        Assert.Equal(TimeSpan.Zero, store.Board.TimeWithoutSequencer);

        // After a batch that could not be stored, the store is no longer the sequencer.
        store.Storage.CommitsToFail = 1;
        await Assert.ThrowsAsync<StorageException>(() => store.WriteAsync(PutOf("notes", 1)));
        await store.RunAsync(_ =>
        {
            // As before a request that is refused without a majority.
            store.Board.Update();
            Assert.Null(store.Board.Status.Sequencer);
            Assert.Equal(TimeSpan.Zero, store.Board.TimeWithoutSequencer);
            store.Pass(TimeSpan.FromSeconds(3));
            Assert.Equal(TimeSpan.FromSeconds(3), store.Board.TimeWithoutSequencer);
            return ValueTask.CompletedTask;
        });
    }

    [Fact]
    public async Task Unique_index_that_cannot_be_read_is_logged_with_its_reason_until_it_is_deleted()
    {
        await using var store = await SequencedStore.StartAsync();
        await store.WriteSerialAsync(PutOf(UniqueIndex.RecordKeyspace, 1));

        Assert.Contains("the unique index with the record 1 cannot be read: ", store.Board.UnreadableIndex, StringComparison.Ordinal);
        Assert.Single(store.Log.Messages, message => message == $"Node 1 lets serial writes wait: {store.Board.UnreadableIndex}");
        var waiting = (await store.BeginAsync(ProposalOf(1))).Single();
        await store.TickAsync();
        Assert.Null(waiting.Outcome);

        var deleted = await store.CommitAsync(new SerialProposal
        {
            Operations = [new SerialOperation(MergePolicy.Serial, new DocumentOperation(DocumentOperationKind.Delete, UniqueIndex.RecordKeyspace, 1, DocumentContent.Empty, []))],
        });
        Assert.Equal(SerialOutcome.Done, deleted.Outcome);
        for (int i = 0; i < 100 && waiting.Outcome is null; i++)
            await store.TickAsync();

        Assert.Equal(SerialOutcome.Done, waiting.Outcome);
        Assert.Null(store.Board.UnreadableIndex);
        Assert.True(store.Log.Contains("Node 1 can read all unique indexes again"));
    }

    [Fact]
    public async Task Unique_index_that_could_not_be_stored_keeps_no_write_waiting()
    {
        await using var store = await SequencedStore.StartAsync();
        store.Storage.CommitsToFail = 1;
        await Assert.ThrowsAsync<StorageException>(() => store.WriteAsync(PutOf(UniqueIndex.RecordKeyspace, 1)));

        var taken = await store.CommitAsync(ProposalOf(1));

        Assert.Equal(SerialOutcome.Done, taken.Outcome);
        Assert.Null(store.Board.UnreadableIndex);
    }

    static Transaction PutOf(string keyspace, DocumentKey key)
    {
        var transaction = new Transaction();
        transaction.Put(keyspace, key, DocumentContent.OfRaw(new byte[] { 0xC1 }));
        return transaction;
    }

    static SerialProposal ProposalOf(DocumentKey key) => new()
    {
        Operations = [new SerialOperation(MergePolicy.Serial, new DocumentOperation(DocumentOperationKind.Put, Cakes, key, DocumentContent.OfRaw("cake"u8.ToArray()), []))],
    };
}
