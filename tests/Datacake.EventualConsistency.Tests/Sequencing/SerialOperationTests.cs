using Datacake.Crdt;
using Datacake.EventualConsistency.Sequencing;
using Datacake.EventualConsistency.Tests.Fixtures;
using Datacake.EventualConsistency.Transactions;

namespace Datacake.EventualConsistency.Tests.Sequencing;

/// <summary>Operations that no serial transaction may have [S1].</summary>
public sealed class SerialOperationTests
{
    static CancellationToken Token => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData("datacake.numbers", DocumentOperationKind.Put)]
    [InlineData("datacake.numbers", DocumentOperationKind.Delete)]
    [InlineData("datacake.outcomes", DocumentOperationKind.Put)]
    [InlineData("datacake.unique", DocumentOperationKind.Put)]
    [InlineData("datacake.later", DocumentOperationKind.Put)]
    public async Task Sequencer_refuses_writes_to_the_keyspaces_of_the_store(string keyspace, DocumentOperationKind kind)
    {
        await using var store = await SequencedStore.StartAsync();

        var refused = await store.CommitAsync(Of(new SerialOperation(MergePolicy.Serial, Operation("cakes", 1)), new SerialOperation(MergePolicy.Serial, Operation(keyspace, 1, kind))));

        Assert.Equal(new SerialRefusal(RefusalReason.Reserved, 1), refused.Refusal);
        Assert.Null(await store.ReadAsync("cakes", 1));
    }

    [Fact]
    public async Task More_operations_than_followers_take_are_refused_before_they_are_in_the_sequence()
    {
        await using var nodes = await ScenarioNodes.StartAsync(1);
        var transaction = new Transaction();
        for (int key = 0; key <= OperationRecord.MaxAsked; key++)
            transaction.Delete("cakes", key);

        var error = await Assert.ThrowsAsync<ArgumentException>(async () => await nodes[1].Store.CommitAsync(transaction, Consistency.Serial, Token));

        Assert.Contains("100001 operations", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Sequencer_refuses_another_policy_than_that_of_its_keyspace_or_of_a_waiting_entry()
    {
        await using var store = await SequencedStore.StartAsync();
        await store.DeclareAsync("cakes");

        var declared = await store.CommitAsync(Of(new SerialOperation(MergePolicy.LastWriterWins, Operation("cakes", 1))));
        var together = await store.CommitTogetherAsync(
            Of(new SerialOperation(MergePolicy.DeleteWins, Operation("notes", 1))), Of(new SerialOperation(MergePolicy.LastWriterWins, Operation("notes", 2))),
            Of(new SerialOperation(MergePolicy.DeleteWins, Operation("notes", 3))));

        Assert.Equal(new SerialRefusal(RefusalReason.OtherPolicy, 0), declared.Refusal);
        Assert.Null(await store.ReadAsync("cakes", 1));
        Assert.Equal([null, new SerialRefusal(RefusalReason.OtherPolicy, 0), null], together.Select(static request => request.Refusal));
        Assert.Null(await store.ReadAsync("notes", 2));
        Assert.NotNull(await store.ReadAsync("notes", 3));
    }

    [Fact]
    public async Task Sequencer_refuses_to_replace_a_bounded_counter_until_the_document_is_deleted()
    {
        await using var store = await SequencedStore.StartAsync();
        await store.WriteAsync(Tickets());
        var put = Of(new SerialOperation(MergePolicy.Serial, Operation("cakes", 1)), new SerialOperation(MergePolicy.LastWriterWins, Operation("tickets", 1)));

        var refused = await store.CommitAsync(put);
        var nothing = await store.ReadAsync("cakes", 1);
        var deleted = await store.CommitAsync(Of(new SerialOperation(MergePolicy.LastWriterWins, Operation("tickets", 1, DocumentOperationKind.Delete))));
        var taken = await store.CommitAsync(put);

        Assert.Equal(new SerialRefusal(RefusalReason.Bounded, 1), refused.Refusal);
        Assert.Null(nothing);
        Assert.Equal((null, null), (deleted.Refusal, taken.Refusal));
        Assert.NotNull(await store.ReadAsync("cakes", 1));
    }

    [Fact]
    public async Task Caller_is_told_what_is_not_permitted_and_the_store_keeps_what_it_has()
    {
        await using var cluster = new TestCluster();
        var store = (await cluster.AddAsync(1)).Store;
        await store.CommitAsync(Tickets(), Consistency.Quorum, Token);
        var both = new Transaction();
        both.Put("cakes", 1, Content);
        both.Put("tickets", 1, Content);
        var reserved = new Transaction();
        reserved.Put("datacake.numbers", 1, Content);

        var bounded = await Assert.ThrowsAsync<InvalidOperationException>(async () => await store.CommitAsync(both, Consistency.Serial, Token));
        var own = await Assert.ThrowsAsync<ArgumentException>(async () => await store.CommitAsync(reserved, Consistency.Serial, Token));

        Assert.Contains("document 1 of the keyspace 'tickets' has a counter with bounds, and cannot be replaced", bounded.Message, StringComparison.Ordinal);
        Assert.Contains("keyspace 'datacake.numbers', whose name begins with 'datacake.'", own.Message, StringComparison.Ordinal);
        Assert.Null(await store.Keyspace("cakes").GetAsync(1, Token));
    }

    static DocumentContent Content => DocumentContent.OfRaw("cake"u8.ToArray());

    static Transaction Tickets()
    {
        var transaction = new Transaction();
        transaction.Put("tickets", 1, DocumentContent.Empty, [new CounterIncrement("Left", 10) { Minimum = 0 }]);
        return transaction;
    }

    static DocumentOperation Operation(string keyspace, DocumentKey key, DocumentOperationKind kind = DocumentOperationKind.Put) =>
        new(kind, keyspace, key, kind == DocumentOperationKind.Put ? Content : DocumentContent.Empty, []);

    static SerialProposal Of(params SerialOperation[] operations) => new() { Operations = operations };
}
