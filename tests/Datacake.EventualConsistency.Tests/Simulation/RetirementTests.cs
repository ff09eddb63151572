using Datacake.EventualConsistency.Replication;
using Datacake.EventualConsistency.Replication.Messages;
using Datacake.Simulation;

namespace Datacake.EventualConsistency.Tests.Simulation;

/// <summary>What peers say of retirements where only an operator's proof counts, step by step [R19].</summary>
public sealed class RetirementTests
{
    static readonly ReadOnlyMemory<byte>[] Unproven = [default, SimulatedOperator.Forged];

    [Fact]
    public async Task Member_cannot_have_another_one_retired_by_its_word()
    {
        await using var stage = await StartAsync();
        foreach (var proof in Unproven)
        {
            await stage.DeliverAsync(2, 1, Retiring(await stage[2].ReportAsync(), StoreOf(stage, 3), proof));
            Assert.True(stage[1].Replica.Sessions.ContainsKey(3));
            Assert.DoesNotContain(StoreOf(stage, 3), stage[1].Replica.Identity.Retired);
        }
        await stage.DeliverAsync(2, 1, Retiring(await stage[2].ReportAsync(), StoreOf(stage, 3), ProofFor(stage, 3)));
        Assert.False(stage[1].Replica.Sessions.ContainsKey(3));
        Assert.Equal(ProofFor(stage, 3), stage[1].Replica.Identity.Retired.ProofOf(StoreOf(stage, 3)).ToArray());
    }

    [Fact]
    public async Task Store_is_not_excluded_by_a_hello_or_a_refusal_without_the_proof()
    {
        await using var stage = await StartAsync();
        await stage[1].CloseAsync(2);
        foreach (var proof in Unproven)
        {
            Assert.Null(stage[1].Replica.Refuse(Retiring(stage[2].Replica.Hello(), StoreOf(stage, 1), proof), isDialer: false));
            stage[1].Replica.OnRefused(2, RefusalReasons.Retired(1, proof));
            Assert.Null(stage[1].Replica.Exclusion);
        }
        stage[1].Replica.OnRefused(2, RefusalReasons.Retired(1, ProofFor(stage, 1)));
        Assert.Equal(RefusalKind.Retired, stage[1].Replica.Exclusion?.Kind);
    }

    [Fact]
    public async Task Word_of_a_fresh_store_that_it_may_take_over_counts_for_nothing()
    {
        await using var stage = await StartAsync();
        await stage[1].CloseAsync(3);
        await using var fresh = await stage.StartImpostorAsync(3);
        foreach (var hello in new[] { fresh.Replica.Hello() with { TakesOver = true }, Retiring(fresh.Replica.Hello(), StoreOf(stage, 3), default) })
            Assert.Equal(RefusalKind.IdTaken, stage[1].Replica.Refuse(hello, isDialer: false)?.Kind);
    }

    [Fact]
    public async Task Unproven_retirement_of_an_unknown_store_is_void_once_that_is_seen_to_be_durable()
    {
        await using var stage = await StartAsync();
        await stage.AddAsync(4);
        await stage.DeliverAsync(2, 1, Retiring(await stage[2].ReportAsync(), StoreOf(stage, 4), default));
        Assert.Contains(StoreOf(stage, 4), stage[1].Replica.Identity.Retired);
        await stage.JoinAsync(4, 1);
        Assert.DoesNotContain(StoreOf(stage, 4), stage[1].Replica.Identity.Retired);
        Assert.True(stage[1].Replica.Sessions.ContainsKey(4));
    }

    [Fact]
    public void Made_up_retirements_do_not_push_out_those_with_a_proof()
    {
        var retired = new RetiredStores();
        retired.Add(1, SimulatedOperator.Sign(7, 1));
        for (ulong store = 2; store < 3 * (ulong)RetiredStores.Capacity; store++)
            retired.Add(store, default);
        Assert.Contains(1ul, retired);
        Assert.Equal(RetiredStores.Capacity, retired.Count);
    }

    [Fact]
    public void Proof_that_comes_later_is_kept_and_changes_the_digest()
    {
        var retired = new RetiredStores();
        Assert.True(retired.Add(1, default));
        ulong before = retired.Digest;
        Assert.True(retired.Add(1, SimulatedOperator.Sign(7, 1)));
        Assert.False(retired.Add(1, default));
        Assert.NotEqual(before, retired.Digest);
        Assert.True(retired.Remove(1));
        Assert.Equal(0ul, retired.Digest);
    }

    static Task<Stage> StartAsync() => Stage.StartAsync(3, SimulatedOperator.Instance);

    static ulong StoreOf(Stage stage, byte node) => stage[node].Replica.Identity.StoreId;

    static byte[] ProofFor(Stage stage, byte node) => SimulatedOperator.Sign(stage[1].Replica.Identity.Cluster, StoreOf(stage, node));

    static Report Retiring(Report report, ulong store, ReadOnlyMemory<byte> proof) => report with { Table = Retiring(report.Table, store, proof) };

    static Hello Retiring(Hello hello, ulong store, ReadOnlyMemory<byte> proof) => hello with { Table = Retiring(hello.Table, store, proof) };

    static MemberTable Retiring(MemberTable table, ulong store, ReadOnlyMemory<byte> proof) =>
        table with { Retired = new Dictionary<ulong, ReadOnlyMemory<byte>> { [store] = proof } };
}
