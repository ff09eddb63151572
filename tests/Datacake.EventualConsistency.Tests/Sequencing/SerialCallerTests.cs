using Datacake.Crdt;
using Datacake.EventualConsistency.Sequencing;
using Datacake.EventualConsistency.Transactions;

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

    static SerialProposal PutOf(DocumentKey key) => new()
    {
        Operations = [new SerialOperation(MergePolicy.Serial, new DocumentOperation(DocumentOperationKind.Put, Cakes, key, DocumentContent.OfRaw("cake"u8.ToArray()), []))],
    };
}
