using Datacake.Crdt;
using Datacake.EventualConsistency.Sequencing;
using Datacake.EventualConsistency.Sequencing.Messages;
using Datacake.EventualConsistency.Transactions;
using Datacake.Storage;

namespace Datacake.EventualConsistency.Tests.Sequencing;

/// <summary>The requests of one node, which wait for their outcomes.</summary>
public sealed class SerialCallerTests
{
    const string Cakes = "cakes";

    [Fact]
    public async Task Request_that_cannot_be_sent_does_not_keep_the_others_from_being_sent()
    {
        await using var store = await SequencedStore.StartAsync();
        await store.CommitAsync(PutOf(1));
        await store.DamageAsync(Cakes, 1);
        // The sequencer of the new epoch is not ready, so the requests are sent again by a tick.
        await store.RestartAsync(waitUntilReady: false);
        var requests = await store.BeginAsync(PutOf(2) with { Conditions = [new SerialCondition(Cakes, 1, null)] }, PutOf(3));
        Assert.All(requests, static request => Assert.Null(request.Outcome));

        for (int i = 0; i < 100 && requests[1].Outcome is null; i++)
            await store.TickAsync();

        Assert.Equal(SerialOutcome.Done, requests[1].Outcome);
        Assert.NotNull(await store.ReadAsync(Cakes, 3));
        Assert.Null(requests[0].Outcome);
        Assert.NotNull(requests[0].Failure);
    }

    [Fact]
    public async Task Outcome_of_another_founding_is_not_taken_and_the_request_is_sent_again()
    {
        await using var store = await SequencedStore.StartAsync();
        await store.RestartAsync(waitUntilReady: false);
        var requests = await store.BeginAsync(PutOf(1), PutOf(2), PutOf(3));
        var later = new Founding(new HlcTimestamp(99), Store: 7, IsForced: true);

        store.Receive(ReplyTo(requests[0]) with { Founding = later });
        store.Receive(ReplyTo(requests[1]) with { Founding = store.Founding });
        // An older version does not name the founding.
        store.Receive(ReplyTo(requests[2]));

        Assert.Equal([null, SerialOutcome.Done, SerialOutcome.Done], requests.Select(static request => request.Outcome));
        for (int i = 0; i < 100 && requests[0].Outcome is null; i++)
            await store.TickAsync();
        Assert.Equal(SerialOutcome.Done, requests[0].Outcome);
        Assert.NotNull(await store.ReadAsync(Cakes, 1));
    }

    [Fact]
    public async Task Transaction_that_could_not_be_sent_costs_no_lane()
    {
        await using var store = await SequencedStore.StartAsync();
        await store.CommitAsync(PutOf(1));
        await store.DamageAsync(Cakes, 1);

        for (int i = 0; i < 3; i++)
            await Assert.ThrowsAsync<StorageException>(() => store.BeginAsync(PutOf(2) with { Conditions = [new SerialCondition(Cakes, 1, null)] }));
        await store.CommitAsync(PutOf(3));

        Assert.Equal(1u, store.Lanes);
        Assert.NotNull(await store.ReadAsync(Cakes, 3));
        Assert.Null(await store.ReadAsync(Cakes, 2));
    }

    static SequencerReply ReplyTo(SerialRequest request) => new(request.Attempt, SerialOutcome.Done, VersionVector.Empty, Sequencer: null);

    static SerialProposal PutOf(DocumentKey key) => new()
    {
        Operations = [new SerialOperation(MergePolicy.Serial, new DocumentOperation(DocumentOperationKind.Put, Cakes, key, DocumentContent.OfRaw("cake"u8.ToArray()), []))],
    };
}
