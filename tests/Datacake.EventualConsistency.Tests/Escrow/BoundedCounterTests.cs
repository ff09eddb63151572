using Datacake.Crdt;
using Datacake.EventualConsistency.Escrow;
using Datacake.EventualConsistency.Replication;
using Datacake.EventualConsistency.Replication.Messages;
using Datacake.EventualConsistency.Tests.Simulation;

namespace Datacake.EventualConsistency.Tests.Escrow;

/// <summary>The rules of bounded counters, step by step on replicas that receive only what the test tells them to.</summary>
public sealed class BoundedCounterTests
{
    const string Shop = "shop", Stock = "Stock";

    [Fact]
    public async Task Decrease_beyond_the_minimum_is_refused_and_nothing_is_written()
    {
        await using var stage = await Stage.StartAsync(1);
        await PutAsync(stage[1], 5, minimum: 0);

        var refused = await Assert.ThrowsAsync<CounterBoundException>(() => AddAsync(stage[1], -6));

        Assert.Equal((Shop, DocumentKey.Of(1), Stock, -6, 0), (refused.Keyspace, refused.Key, refused.Property, refused.Amount, refused.Bound));
        Assert.Equal((5, 0, 0), (refused.AvailableHere, refused.AvailableElsewhere, refused.Withheld));
        Assert.Equal(
            "The counter 'Stock' of the document 1 of the keyspace 'shop' cannot be changed by -6, because its minimum is 0: this node may change it by 5 in this direction, and other nodes by 0, "
                + "as far as is known here. Nothing was written. Change it by less.",
            refused.Message);
        Assert.Equal(5, await ValueAsync(stage[1]));
        await AddAsync(stage[1], -5);
        Assert.Equal(0, await ValueAsync(stage[1]));
    }

    [Fact]
    public async Task Increase_beyond_the_maximum_is_refused_and_a_decrease_makes_room()
    {
        await using var stage = await Stage.StartAsync(1);
        await PutAsync(stage[1], 8, minimum: 0, maximum: 10);

        var refused = await Assert.ThrowsAsync<CounterBoundException>(() => AddAsync(stage[1], 3));
        Assert.Equal((10, 2), (refused.Bound, refused.AvailableHere));

        await AddAsync(stage[1], -4);
        await AddAsync(stage[1], 6);
        await Assert.ThrowsAsync<CounterBoundException>(() => AddAsync(stage[1], 1));
        Assert.Equal(10, await ValueAsync(stage[1]));
    }

    [Theory]
    [InlineData(-1, 0L, null, "minimum is 0")]
    [InlineData(11, null, 10L, "maximum is 10")]
    [InlineData(2, 3L, 10L, "minimum is 3")]
    public async Task Document_cannot_begin_with_a_counter_outside_its_bounds(long value, long? minimum, long? maximum, string reason)
    {
        await using var stage = await Stage.StartAsync(1);
        var refused = await Assert.ThrowsAsync<CounterBoundException>(() => PutAsync(stage[1], value, minimum, maximum));
        Assert.Contains($"cannot begin with {value}, because its {reason}", refused.Message);
        Assert.Empty(await stage[1].DocumentsAsync());
    }

    [Theory]
    [InlineData(long.MinValue, long.MaxValue, 0L)]
    [InlineData(long.MinValue, null, long.MaxValue)]
    [InlineData(null, long.MaxValue, long.MinValue)]
    public async Task Extreme_bounds_do_not_overflow(long? minimum, long? maximum, long value)
    {
        await using var stage = await Stage.StartAsync(1);
        await PutAsync(stage[1], value, minimum, maximum);
        if (value < long.MaxValue)
            await AddAsync(stage[1], 1);
        else
            await Assert.ThrowsAsync<CounterBoundException>(() => AddAsync(stage[1], 1));
        if (value > long.MinValue)
            await AddAsync(stage[1], -1);
        var counter = BoundedCounter.Of(await DocumentAsync(stage[1]), Stock)!;
        Assert.True(counter.IsGrounded);
    }

    [Fact]
    public async Task Two_changes_of_one_batch_cannot_use_the_same_right()
    {
        await using var stage = await Stage.StartAsync(1);
        await PutAsync(stage[1], 1, minimum: 0);
        await stage[1].CommitAsync(async batch =>
        {
            await stage[1].Replica.WriteAsync(batch, Adding(-1));
            await Assert.ThrowsAsync<CounterBoundException>(async () => await stage[1].Replica.WriteAsync(batch, Adding(-1)));
        });
        Assert.Equal(0, await ValueAsync(stage[1]));
    }

    [Fact]
    public async Task Transaction_that_lacks_rights_to_one_counter_changes_nothing()
    {
        await using var stage = await Stage.StartAsync(1);
        await stage[1].WriteAsync(transaction =>
        {
            for (int key = 1; key <= 2; key++)
                transaction.Put(Shop, key, DocumentContent.Empty, [new CounterIncrement(Stock, key) { Minimum = 0 }]);
        });
        await Assert.ThrowsAsync<CounterBoundException>(() => stage[1].WriteAsync(transaction =>
        {
            for (int key = 2; key >= 1; key--)
                transaction.Update(Shop, key, DocumentContent.Empty, [new CounterIncrement(Stock, -2)]);
        }));
        Assert.Equal([1, 2], (await stage[1].DocumentsAsync()).Values.Select(ValueOf));
    }

    [Fact]
    public async Task Change_that_uses_rights_is_flushed_and_one_that_mints_them_is_not()
    {
        await using var stage = await Stage.StartAsync(1);
        await PutAsync(stage[1], 5, minimum: 0);
        var selling = await stage[1].CommitAsync(async batch => await stage[1].Replica.WriteAsync(batch, Adding(-1)));
        var restocking = await stage[1].CommitAsync(async batch => await stage[1].Replica.WriteAsync(batch, Adding(1)));
        Assert.True(selling.MustFlush);
        Assert.False(restocking.MustFlush);
    }

    [Fact]
    public async Task Living_document_with_a_bounded_counter_cannot_be_replaced_but_can_be_deleted_and_created_again()
    {
        await using var stage = await Stage.StartAsync(1);
        await PutAsync(stage[1], 5, minimum: 0);
        var refused = await Assert.ThrowsAsync<InvalidOperationException>(() => PutAsync(stage[1], 9, minimum: 0));
        Assert.Contains("The document 1 of the keyspace 'shop' has a counter with bounds, and cannot be replaced", refused.Message);
        Assert.Equal(5, await ValueAsync(stage[1]));

        await stage[1].WriteAsync(transaction => transaction.Delete(Shop, 1));
        await PutAsync(stage[1], 2, minimum: 1);
        await AddAsync(stage[1], -1);
        await Assert.ThrowsAsync<CounterBoundException>(() => AddAsync(stage[1], -1));
        Assert.Equal(1, await ValueAsync(stage[1]));
    }

    [Fact]
    public async Task Rights_are_given_on_request_and_leave_the_giver()
    {
        await using var stage = await Stage.StartAsync(2);
        await stage.DeliverAsync(1, 2, await PutAsync(stage[1], 10, minimum: 0));

        var refused = await Assert.ThrowsAsync<CounterBoundException>(() => AddAsync(stage[2], -3));
        Assert.Equal((0, 10), (refused.AvailableHere, refused.AvailableElsewhere));
        Assert.True(refused.MayRetry);
        Assert.Contains("or retry when this node can reach the nodes that have the rights", refused.Message);

        var giving = await stage.DeliverAsync(2, 1, RequestOf(stage[2], 3));
        Assert.True(giving.MustFlush);
        Assert.Equal((5, 5), await RightsAsync(stage[1], 1, 2));        // Half of the difference is more than what was asked for.
        Assert.Equal(10, await ValueAsync(stage[1]));
        await stage.DeliverAsync(1, 2, new Mutations(giving.Mutations));

        await AddAsync(stage[2], -5);
        await Assert.ThrowsAsync<CounterBoundException>(() => AddAsync(stage[2], -1));
        await Assert.ThrowsAsync<CounterBoundException>(() => AddAsync(stage[1], -6));
        await AddAsync(stage[1], -5);
    }

    [Fact]
    public async Task Rights_to_increase_are_given_as_well()
    {
        await using var stage = await Stage.StartAsync(2);
        await stage.DeliverAsync(1, 2, await PutAsync(stage[1], 0, maximum: 4));
        await GiveAsync(stage, 1, 2, 3, isUp: true);
        await AddAsync(stage[2], 3);
        await Assert.ThrowsAsync<CounterBoundException>(() => AddAsync(stage[2], 1));
        await AddAsync(stage[1], 1);
        await Assert.ThrowsAsync<CounterBoundException>(() => AddAsync(stage[1], 1));
    }

    [Fact]
    public async Task Increases_mint_rights_for_their_own_node()
    {
        await using var stage = await Stage.StartAsync(2);
        await stage.DeliverAsync(1, 2, await PutAsync(stage[1], 0, minimum: 0));
        await AddAsync(stage[2], 4);
        await AddAsync(stage[2], -4);
        await Assert.ThrowsAsync<CounterBoundException>(() => AddAsync(stage[2], -1));
    }

    [Fact]
    public async Task Change_is_declined_by_a_replica_that_has_not_heard_of_the_gift_that_it_is_based_on()
    {
        await using var stage = await Stage.StartAsync(3);
        var put = await PutAsync(stage[1], 10, minimum: 0);
        await stage.DeliverAsync(1, 2, put);
        await stage.DeliverAsync(1, 3, put);
        await AddAsync(stage[1], -2);                                       // so that the value would be -2 without the gift
        await GiveAsync(stage, 1, 2, 8);
        var sale = await AddAsync(stage[2], -8);

        await stage.DeliverAsync(2, 3, sale);
        Assert.Equal(10, await ValueAsync(stage[3]));
        Assert.False(stage[3].Replica.State.Known.Contains(sale.Items[0].Stamp));

        await stage.PullAsync(3, 2);
        Assert.Equal(0, await ValueAsync(stage[3]));
    }

    [Fact]
    public async Task Restarted_store_uses_the_rights_of_earlier_runs_only_after_all_members_were_heard()
    {
        await using var stage = await Stage.StartAsync(3);
        var put = await PutAsync(stage[1], 10, minimum: 0);
        await stage.DeliverAsync(1, 2, put);
        await stage.DeliverAsync(1, 3, put);

        await stage.RestartAsync(1);
        await stage.MeetAsync(1, 2);
        var refused = await Assert.ThrowsAsync<CounterBoundException>(() => AddAsync(stage[1], -1));
        Assert.Equal((0, 10, 0), (refused.AvailableHere, refused.Withheld, refused.AvailableElsewhere));
        Assert.Contains("This node has rights to another 10 from before its last start, which it may use once it has heard from all members.", refused.Message);
        await AddAsync(stage[1], 2);                                        // New rights can be used at once.
        await AddAsync(stage[1], -2);

        await stage.MeetAsync(1, 3);
        await stage.CallRollAsync(1);
        await AddAsync(stage[1], -10);
        Assert.Equal(0, await ValueAsync(stage[1]));
        await Assert.ThrowsAsync<CounterBoundException>(() => AddAsync(stage[1], -1));
    }

    [Fact]
    public async Task Lone_store_uses_the_rights_of_earlier_runs_at_the_next_attempt()
    {
        await using var stage = await Stage.StartAsync(1);
        await PutAsync(stage[1], 1, minimum: 0);
        await stage.RestartAsync(1);
        await stage[1].CommitAsync(async batch =>
            Assert.True((await Assert.ThrowsAsync<CounterBoundException>(async () => await stage[1].Replica.WriteAsync(batch, Adding(-1)))).MayRetry));
        await AddAsync(stage[1], -1);
    }

    [Fact]
    public async Task Counter_does_not_grow_with_restarts_while_all_members_are_there()
    {
        await using var stage = await Stage.StartAsync(2);
        await stage.DeliverAsync(1, 2, await PutAsync(stage[1], 20, minimum: 0));
        int length = (await DocumentAsync(stage[1])).Encoded.Length;
        for (int life = 0; life < 10; life++)
        {
            await stage.RestartAsync(1);
            await stage.MeetAsync(1, 2);
            await stage[1].CommitAsync(async batch =>
                Assert.True((await Assert.ThrowsAsync<CounterBoundException>(async () => await stage[1].Replica.WriteAsync(batch, Adding(-1)))).MayRetry));
            await stage.CallRollAsync(1);
            await AddAsync(stage[1], -1);
        }
        Assert.Equal(10, await ValueAsync(stage[1]));
        Assert.InRange((await DocumentAsync(stage[1])).Encoded.Length, 0, length + 16);
    }

    [Fact]
    public async Task Replaced_disk_never_uses_the_rights_of_the_disk_before_it()
    {
        await using var stage = await Stage.StartAsync(2);
        await stage.DeliverAsync(1, 2, await PutAsync(stage[1], 10, minimum: 0));
        await stage.AddAsync(1);
        await stage.JoinAsync(1, 2);
        await stage.CallRollAsync(1);
        await stage.PullAsync(1, 2);
        await stage.CallRollAsync(1);
        Assert.True(stage[1].Replica.IsJoined);
        Assert.Equal(10, await ValueAsync(stage[1]));

        var refused = await Assert.ThrowsAsync<CounterBoundException>(() => AddAsync(stage[1], -1));
        Assert.Equal((0, 0, 10), (refused.AvailableHere, refused.Withheld, refused.AvailableElsewhere));
    }

    [Fact]
    public async Task Rights_of_only_one_of_two_concurrent_creations_remain()
    {
        await using var stage = await Stage.StartAsync(2);
        var first = await PutAsync(stage[1], 10, minimum: 0);
        await AddAsync(stage[1], -7);
        var second = await PutAsync(stage[2], 4, minimum: 0);
        await stage.DeliverAsync(2, 1, second);
        await stage.DeliverAsync(1, 2, first);
        foreach (byte node in (byte[])[1, 2])
            Assert.Equal(4, await ValueAsync(stage[node]));
        var refused = await Assert.ThrowsAsync<CounterBoundException>(() => AddAsync(stage[1], -1));
        Assert.Equal((0, 4), (refused.AvailableHere, refused.AvailableElsewhere));
        await AddAsync(stage[2], -4);
    }

    [Fact]
    public async Task Counter_that_the_document_lacks_begins_at_a_minimum_of_0_without_rights()
    {
        await using var stage = await Stage.StartAsync(1);
        await stage[1].WriteAsync(transaction => transaction.Put(Shop, 1, DocumentContent.Empty));
        await Assert.ThrowsAsync<CounterBoundException>(() => AddAsync(stage[1], -1, minimum: 0));
        await AddAsync(stage[1], 2, minimum: 0);
        await AddAsync(stage[1], -2);
        await Assert.ThrowsAsync<CounterBoundException>(() => AddAsync(stage[1], -1));
    }

    [Theory]
    [InlineData(true, 0L, null)]
    [InlineData(false, 1L, null)]
    [InlineData(false, 0L, 10L)]
    public async Task Counter_of_a_document_that_was_stored_without_bounds_is_refused(bool hasCounter, long? minimum, long? maximum)
    {
        await using var stage = await Stage.StartAsync(1);
        await stage[1].WriteAsync(transaction => transaction.Put(Shop, 1, DocumentContent.Empty, hasCounter ? [new CounterIncrement(Stock, 5)] : []));
        var refused = await Assert.ThrowsAsync<InvalidOperationException>(() => AddAsync(stage[1], -1, minimum, maximum));
        Assert.Contains("the document was stored without them", refused.Message);
        await PutAsync(stage[1], 5, minimum, maximum);
        await AddAsync(stage[1], -1);
        Assert.Equal(4, await ValueAsync(stage[1]));
    }

    [Fact]
    public async Task Bounds_of_the_document_apply_whatever_the_writer_declares()
    {
        await using var stage = await Stage.StartAsync(1);
        await PutAsync(stage[1], 2, minimum: 0);
        await Assert.ThrowsAsync<CounterBoundException>(() => AddAsync(stage[1], -3, minimum: -10));
        await AddAsync(stage[1], -2, minimum: 1);
    }

    [Fact]
    public async Task Request_for_rights_under_the_run_of_another_node_is_refused()
    {
        await using var stage = await Stage.StartAsync(2);
        await stage.DeliverAsync(1, 2, await PutAsync(stage[1], 10, minimum: 0));
        var request = new RightsRequest(Shop, DocumentKey.Of(1), Stock, IsUp: false, Amount: 3, stage[1].Replica.Run);
        await Assert.ThrowsAsync<InvalidDataException>(() => stage.DeliverAsync(2, 1, request));
    }

    [Theory]
    [InlineData("other", 1, Stock, false)]
    [InlineData(Shop, 2, Stock, false)]
    [InlineData(Shop, 1, "Other", false)]
    [InlineData(Shop, 1, Stock, true)]
    public async Task Request_for_rights_that_do_not_exist_gives_nothing(string keyspace, int key, string property, bool isUp)
    {
        await using var stage = await Stage.StartAsync(2);
        await stage.DeliverAsync(1, 2, await PutAsync(stage[1], 10, minimum: 0));
        var request = new RightsRequest(keyspace, DocumentKey.Of(key), property, isUp, Amount: 3, stage[2].Replica.Run);
        Assert.Empty((await stage.DeliverAsync(2, 1, request)).Mutations);
    }

    [Fact]
    public async Task Store_that_has_few_rights_asks_the_one_that_has_the_most_for_half_of_the_difference()
    {
        await using var stage = await Stage.StartAsync(2);
        var put = await PutAsync(stage[1], 10, minimum: 0);
        var receiving = await stage.DeliverAsync(1, 2, put);
        var request = Assert.IsType<RightsRequest>(Assert.Single(receiving.Outbox).Message);
        Assert.Equal(0, request.Amount);

        var giving = await stage.DeliverAsync(2, 1, request);
        Assert.Empty((await stage.DeliverAsync(1, 2, new Mutations(giving.Mutations))).Outbox);
        Assert.Equal((5, 5), await RightsAsync(stage[2], 1, 2));
    }

    static Task<Mutations> PutAsync(Actor actor, long value, long? minimum = null, long? maximum = null) =>
        actor.WriteAsync(transaction => transaction.Put(Shop, 1, DocumentContent.Empty, [new CounterIncrement(Stock, value) { Minimum = minimum, Maximum = maximum }]));

    static async Task<Mutations> AddAsync(Actor actor, long amount, long? minimum = null, long? maximum = null)
    {
        var batch = await actor.CommitAsync(async batch => await actor.Replica.WriteAsync(batch, Adding(amount, minimum, maximum)));
        return new Mutations(batch.Mutations);
    }

    static Transaction Adding(long amount, long? minimum = null, long? maximum = null)
    {
        var transaction = new Transaction();
        transaction.Update(Shop, 1, DocumentContent.Empty, [new CounterIncrement(Stock, amount) { Minimum = minimum, Maximum = maximum }]);
        return transaction;
    }

    static RightsRequest RequestOf(Actor actor, long amount, bool isUp = false) => new(Shop, DocumentKey.Of(1), Stock, isUp, amount, actor.Replica.Run);

    static async Task GiveAsync(Stage stage, byte from, byte to, long amount, bool isUp = false)
    {
        var giving = await stage.DeliverAsync(to, from, RequestOf(stage[to], amount, isUp));
        await stage.DeliverAsync(from, to, new Mutations(giving.Mutations));
    }

    static async Task<Document> DocumentAsync(Actor actor) => Assert.Single(await actor.DocumentsAsync()).Value;

    static async Task<long> ValueAsync(Actor actor) => ValueOf(await DocumentAsync(actor));

    static long ValueOf(Document document) => Fixtures.TestCluster.CounterOf(document, Stock);

    static async Task<(int, int)> RightsAsync(Actor actor, byte first, byte second)
    {
        var counter = BoundedCounter.Of(await DocumentAsync(actor), Stock)!;
        return (Of(first), Of(second));

        int Of(byte node) => (int)EscrowRules.Sum(counter.Holders.Where(holder => holder.Run.Node == node), isUp: false);
    }
}
