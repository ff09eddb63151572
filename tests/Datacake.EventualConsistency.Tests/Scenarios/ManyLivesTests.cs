using Datacake.Crdt;
using Datacake.EventualConsistency.Tests.Fixtures;
using Datacake.EventualConsistency.Tests.Simulation;

namespace Datacake.EventualConsistency.Tests.Scenarios;

/// <summary>State that must not grow with each run of a node.</summary>
public sealed class ManyLivesTests
{
    static readonly int[] Writers = [1, 2];

    static CancellationToken Canceled => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Counter_stays_exact_and_its_document_small_over_many_runs_of_its_writers()
    {
        const int Lives = 40;
        await using var nodes = await ScenarioNodes.StartAsync(2);
        await IncrementAsync(1, (transaction, amount) => transaction.Put("shop", 1, DocumentContent.Empty, amount));
        await IncrementAsync(2);
        long expected = 2;
        int lengthAtFirst = (await DocumentAsync(1)).Encoded.Length;
        for (int life = 1; life <= Lives; life++)
        {
            foreach (int id in Writers)
            {
                await nodes[id].StopAsync();
                await nodes.StartNodeAsync(id);
                await nodes.WaitUntilConnectedAsync(1, 2);
                await IncrementAsync(id);
                expected++;
            }
        }
        foreach (int id in Writers)
            Assert.Equal(expected, TestCluster.CounterOf(await DocumentAsync(id), "Stock"));

        // Once all members have the shares of earlier runs, the next increments fold these shares together.
        await Eventually.WaitUntilAsync(
            async () =>
            {
                foreach (int id in Writers)
                    await IncrementAsync(id);
                expected += 2;
                return (await DocumentAsync(1)).Encoded.Length <= lengthAtFirst + 100 && (await DocumentAsync(2)).Encoded.Length <= lengthAtFirst + 100;
            },
            "the document is about as long as at first");
        foreach (int id in Writers)
            Assert.Equal(expected, TestCluster.CounterOf(await DocumentAsync(id), "Stock"));

        async Task<Document> DocumentAsync(int id) => (await nodes[id].Store.Keyspace("shop").GetAsync(1, Canceled))!;

        async Task IncrementAsync(int id, Action<Transaction, CounterIncrement[]>? fill = null)
        {
            var transaction = new Transaction();
            (fill ?? ((update, amount) => update.Update("shop", 1, DocumentContent.Empty, amount)))(transaction, [new CounterIncrement("Stock", 1)]);
            await nodes[id].Store.CommitAsync(transaction, Consistency.All, Canceled);
        }
    }

    [Fact]
    public async Task Reports_do_not_grow_with_the_earlier_stores_of_a_node_without_a_disk()
    {
        await using var stage = await Stage.StartAsync(2);
        int lengthAtFirst = (await stage[1].ReportAsync()).Encoded.Length;
        for (int life = 1; life <= 50; life++)
        {
            await stage.AddAsync(2);
            await stage.JoinAsync(2, 1);
            await stage.CallRollAsync(2);
            Assert.True(stage[2].Replica.IsJoined);
            for (int round = 0; round < 2; round++)
            {
                await stage.ReportAsync(2, 1);
                await stage.ReportAsync(1, 2);
            }
        }
        Assert.Equal(50, stage[1].Replica.Identity.Retired.Count);
        Assert.InRange((await stage[1].ReportAsync()).Encoded.Length, 0, lengthAtFirst + 50);
        Assert.InRange((await stage[2].ReportAsync()).Encoded.Length, 0, lengthAtFirst + 50);
    }
}
