using Datacake.EventualConsistency.Replication;
using Datacake.EventualConsistency.Replication.Messages;

namespace Datacake.EventualConsistency.Tests.Simulation;

/// <summary>Two stores with one node id, tested step by step: the store that takes precedence, and the decisions that need an operator [R19].</summary>
public sealed class TakeoverTests
{
    [Fact]
    public async Task Replaced_store_does_not_speak_for_its_successor()
    {
        await using var stage = await Stage.StartAsync(3);
        await stage[2].CloseAsync(3);
        await using var fresh = await stage.StartImpostorAsync(3);
        await stage[2].OpenAsync(fresh.Replica.Hello() with { TakesOver = true });
        await stage.ReportAsync(2, 1);
        Assert.Equal(fresh.Replica.Identity.StoreId, stage[1].Replica.Identity.Members[3].StoreId);
        Assert.False(stage[1].Replica.Sessions.ContainsKey(3));
        Assert.False(stage[1].Replica.HasRun(3));
        Assert.Null(stage[1].Replica.Refuse(fresh.Replica.Hello(), isDialer: false));
    }

    [Fact]
    public async Task Fresh_store_whose_id_is_taken_asks_all_members_before_it_joins()
    {
        await using var stage = await Stage.StartAsync(3);
        await stage[1].CloseAsync(3);
        await using var fresh = await stage.StartImpostorAsync(3);
        var refusal = stage[1].Replica.Refuse(fresh.Replica.Hello(), isDialer: false)!;
        Assert.Equal(RefusalKind.IdTaken, refusal.Kind);
        await fresh.CommitAsync(_ => fresh.Replica.OnRefused(1, refusal));
        Assert.True(fresh.Replica.Identity.MayHaveEarlierLife);
    }

    [Fact]
    public async Task Joined_store_takes_precedence_over_one_that_a_fresh_member_met_first()
    {
        await using var stage = await Stage.StartAsync(3);
        await using var impostor = await stage.StartImpostorAsync(3);
        await stage.AddAsync(4);
        await stage[4].OpenAsync(impostor.Replica.Hello());
        await stage.JoinAsync(4, 1);
        await stage.ReportAsync(1, 4);
        Assert.Equal(stage[3].Replica.Identity.StoreId, stage[4].Replica.Identity.Members[3].StoreId);
        Assert.False(stage[4].Replica.Sessions.ContainsKey(3));
        Assert.Null(stage[4].Replica.Refuse(stage[3].Replica.Hello(), isDialer: false));
        Assert.Equal(RefusalKind.IdTaken, stage[4].Replica.Refuse(impostor.Replica.Hello(), isDialer: false)?.Kind);
    }

    [Fact]
    public async Task Waiting_store_accepts_the_members_of_a_new_cluster()
    {
        await using var stage = await Stage.StartAsync(2);
        await stage.AddAsync(3);
        await stage.MeetAsync(3, 1);
        await stage.AddAsync(1);
        await stage.AddAsync(2);
        await stage.RestartAsync(3);
        Assert.Null(stage[3].Replica.Refuse(stage[1].Replica.Hello() with { TakesOver = false }, isDialer: false));
        Assert.Null(stage[3].Replica.Refuse(stage[2].Replica.Hello() with { TakesOver = false }, isDialer: false));
    }

    [Fact]
    public async Task Legitimate_successor_is_accepted_by_a_member_that_was_away()
    {
        await using var stage = await Stage.StartAsync(3);
        await stage[2].CloseAsync(1);
        await stage[1].CloseAsync(2);
        ulong old = stage[3].Replica.Identity.StoreId;
        await stage.AddAsync(3);
        await stage[2].OpenAsync(stage[3].Replica.Hello());
        await stage[3].OpenAsync(stage[2].Replica.Hello(), isDialer: true);
        await stage.ReportAsync(2, 3);
        var hello = stage[3].Replica.Hello() with { TakesOver = false };
        Assert.Contains(old, hello.Table.Retired.Keys);
        Assert.NotEqual(RefusalKind.IdTaken, stage[1].Replica.Refuse(hello, isDialer: false)?.Kind);
    }

    [Fact]
    public async Task Fresh_nodes_accept_each_other_before_a_cluster_exists_even_with_replaced_disks()
    {
        await using var stage = new Stage();
        await stage.AddAsync(1);
        await stage.AddAsync(2);
        await stage.MeetAsync(1, 2);
        await stage[1].CloseAsync(2);
        await using var again = await stage.StartImpostorAsync(2);
        Assert.Null(stage[1].Replica.Refuse(again.Replica.Hello(), isDialer: false));
    }
}
