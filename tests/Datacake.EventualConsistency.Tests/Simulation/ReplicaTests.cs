using Datacake.Crdt;
using Datacake.EventualConsistency.Replication.Messages;

namespace Datacake.EventualConsistency.Tests.Simulation;

/// <summary>What depends on one certain order of messages, which random histories seldom have.</summary>
public sealed class ReplicaTests
{
    static readonly HlcTimestamp Always = new(ulong.MaxValue);

    [Fact]
    public async Task A_transaction_is_not_truncated_in_the_batch_that_brings_it()
    {
        await using var stage = await Stage.StartAsync(2);
        var mutations = await stage[1].WriteAsync(transaction => transaction.Put("cakes", DocumentKey.Of(1), Content));
        var report = await stage[1].ReportAsync();
        await stage[2].CommitAsync(async batch =>
        {
            await stage[2].ReceiveAsync(batch, 1, mutations);
            await stage[2].ReceiveAsync(batch, 1, report);
            await stage[2].Replica.CollectAsync(batch, Always);
        });
        Assert.Equal([mutations.Items[0].Stamp], await stage[2].LogAsync());
        Assert.False(stage[2].Replica.State.Truncated.Contains(mutations.Items[0].Stamp));

        await stage[2].CommitAsync(async batch => await stage[2].Replica.CollectAsync(batch, Always));
        Assert.Empty(await stage[2].LogAsync());
        Assert.True(stage[2].Replica.State.Truncated.Contains(mutations.Items[0].Stamp));
    }

    [Fact]
    public async Task A_member_is_heard_though_its_run_is_lower_than_the_clock_of_a_peer_that_met_it_while_it_joined()
    {
        await using var stage = await Stage.StartAsync(1);
        await stage.AddAsync(2);
        await stage.JoinAsync(2, 1);
        await stage.AddAsync(4, clockOffset: TimeSpan.FromMinutes(10));
        await stage.JoinAsync(4, 2);

        await stage.AddAsync(3);
        var early = stage[3].Replica.Hello();
        await stage.JoinAsync(3, 1);                                // its run is lower than the clock of node 4
        await stage[4].OpenAsync(early);
        Assert.True(stage[4].Replica.Hello().Clock > stage[3].Replica.Run);
        Assert.False(stage[4].Replica.HasRun(3));

        await stage.ReportAsync(3, 1);
        await stage.MeetAsync(1, 4);
        await stage.ReportAsync(1, 4);
        Assert.True(stage[4].Replica.HasRun(3));
        await stage.ReportAsync(4, 1);
        Assert.Equal(stage[3].Replica.State.Known, stage[1].Replica.KnownOf(3));
    }

    [Fact]
    public async Task A_member_that_has_not_joined_is_not_reported_on()
    {
        await using var stage = await Stage.StartAsync(1);
        await stage.AddAsync(2);
        await stage.MeetAsync(1, 2);
        Assert.DoesNotContain((byte)2, (await stage[1].ReportAsync()).Peers.Keys);
        Assert.Contains((byte)2, (await stage[1].ReportAsync()).Table.Members.Keys);
        Assert.True(stage[1].Replica.Stable(stage[1].Replica.State).IsEmpty);
    }

    [Fact]
    public async Task What_an_earlier_life_of_a_disk_knew_does_not_count_for_the_disk_that_replaced_it()
    {
        await using var stage = await Stage.StartAsync(2);
        await stage.AddAsync(3, clockOffset: TimeSpan.FromMinutes(10));
        await stage.JoinAsync(3, 2);
        await stage.ReportAsync(3, 2);
        Assert.True(stage[2].Replica.HasRun(3));

        await stage.AddAsync(3);
        await stage.MeetAsync(3, 1);
        await stage.ReportAsync(2, 1);
        Assert.False(stage[1].Replica.HasRun(3));

        await stage.MeetAsync(3, 2);
        Assert.False(stage[2].Replica.HasRun(3));
    }

    [Fact]
    public async Task A_late_report_of_an_earlier_run_does_not_replace_what_was_heard_of_a_later_one()
    {
        await using var stage = await Stage.StartAsync(3);
        var late = await stage[3].ReportAsync();
        await stage.RestartAsync(3);
        await stage.MeetAsync(3, 2);
        await stage.ReportAsync(2, 1);
        await stage.DeliverAsync(3, 1, late);
        Assert.Equal(stage[3].Replica.Run, (await stage[1].ReportAsync()).Peers[3].Run);
    }

    [Fact]
    public async Task A_joining_store_drops_the_copy_of_a_member_that_turns_out_to_be_retired()
    {
        await using var stage = await Stage.StartAsync(3);
        await stage[1].CommitAsync(_ => stage[1].Replica.Retire(2));
        await stage.AddAsync(3);
        await stage.JoinAsync(3, 2);
        Assert.True(stage[3].Replica.IsWaitingForRoll);

        await stage.MeetAsync(3, 1);
        Assert.False(stage[3].Replica.IsWaitingForRoll);
        Assert.DoesNotContain((byte)2, stage[3].Replica.Sessions.Keys);
    }

    [Fact]
    public async Task A_roll_is_not_complete_while_somebody_talks_to_an_earlier_life_of_a_member()
    {
        await using var stage = await Stage.StartAsync(3);
        await stage[1].WriteAsync(transaction => transaction.Put("cakes", DocumentKey.Of(1), Content));
        await stage.RestartAsync(1);
        await stage.RestartAsync(3);
        await stage.MeetAsync(1, 2);
        await stage.MeetAsync(1, 3);
        await stage.CallRollAsync(1);
        Assert.False(stage[1].Replica.State.Known[1][0].Low.IsNone);    // what node 3 has lost may be on its way to node 2

        await stage.MeetAsync(2, 3);
        await stage.CallRollAsync(1);
        Assert.True(stage[1].Replica.State.Known[1][0].Low.IsNone);
    }

    [Fact]
    public async Task Messages_of_a_session_that_is_over_are_ignored()
    {
        await using var stage = await Stage.StartAsync(2);
        var mutations = await stage[1].WriteAsync(transaction => transaction.Put("cakes", DocumentKey.Of(1), Content));
        long session = stage[2].Replica.Sessions[1].Id;
        await stage.RestartAsync(1);
        await stage.MeetAsync(1, 2);
        await stage[2].CommitAsync(async batch =>
            Assert.Empty(await stage[2].Replica.ReceiveAsync(batch, 1, session, mutations, TestContext.Current.CancellationToken)));
        Assert.False(stage[2].Replica.State.Known.Contains(mutations.Items[0].Stamp));
    }

    static DocumentContent Content
    {
        get
        {
            var content = new DocumentContentBuilder();
            content.Set(DocumentPath.OfProperty("name").Encoded.Span, [1]);
            return content.Build();
        }
    }
}
