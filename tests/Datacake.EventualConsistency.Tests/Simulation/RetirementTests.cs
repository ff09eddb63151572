using Datacake.EventualConsistency.Replication;
using Datacake.EventualConsistency.Replication.Messages;
using Datacake.Simulation.Machines;

namespace Datacake.EventualConsistency.Tests.Simulation;

/// <summary>Retirements that peers report where only an operator's proof counts, tested step by step [R19].</summary>
public sealed class RetirementTests
{
    static readonly ReadOnlyMemory<byte>[] Unproven = [default, SimulatedOperator.Forged];

    [Fact]
    public async Task Member_cannot_retire_another_without_a_proof()
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
    public async Task Store_is_not_excluded_by_a_hello_or_a_refusal_without_a_proof()
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
    public async Task Claim_of_a_fresh_store_that_it_may_take_over_is_ignored()
    {
        await using var stage = await StartAsync();
        await stage[1].CloseAsync(3);
        await using var fresh = await stage.StartImpostorAsync(3);
        foreach (var hello in new[] { fresh.Replica.Hello() with { TakesOver = true }, Retiring(fresh.Replica.Hello(), StoreOf(stage, 3), default) })
            Assert.Equal(RefusalKind.IdTaken, stage[1].Replica.Refuse(hello, isDialer: false)?.Kind);
    }

    [Fact]
    public async Task Unknown_store_cannot_be_retired_ahead_of_time()
    {
        await using var stage = await StartAsync();
        await stage.AddAsync(4);
        await stage.DeliverAsync(2, 1, Retiring(await stage[2].ReportAsync(), StoreOf(stage, 4), default));
        await stage.JoinAsync(4, 1);
        Assert.True(stage[1].Replica.Sessions.ContainsKey(4));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Absent_durable_member_is_not_treated_as_in_memory_because_a_peer_says_so(bool byHello)
    {
        await using var stage = await StartAsync();
        await stage[1].CloseAsync(3);
        var report = await stage[2].ReportAsync();
        if (byHello)
            await stage[1].OpenAsync(stage[3].Replica.Hello() with { IsVolatile = true });
        else
            await stage.DeliverAsync(2, 1, report with { Table = InMemory(report.Table, 3) });
        await stage[1].CloseAsync(3);
        await using var fresh = await stage.StartImpostorAsync(3);
        Assert.Equal(RefusalKind.IdTaken, stage[1].Replica.Refuse(fresh.Replica.Hello() with { IsVolatile = true }, isDialer: false)?.Kind);
        await stage.DeliverAsync(2, 1, Retiring(report, StoreOf(stage, 3), default));
        Assert.True(stage[1].Replica.Identity.Members.ContainsKey(3));
    }

    [Fact]
    public async Task Joining_member_in_session_is_not_displaced_by_a_member_table()
    {
        await using var stage = await StartAsync();
        await stage.AddAsync(4);
        await stage.MeetAsync(4, 1);
        var report = await stage[2].ReportAsync();
        var members = new Dictionary<byte, StoreMember>(report.Table.Members) { [4] = new StoreMember(77_777, "", HasJoined: true, IsVolatile: false, TakesOver: false) };
        await stage.DeliverAsync(2, 1, report with { Table = report.Table with { Members = members } });
        Assert.Equal(StoreOf(stage, 4), stage[1].Replica.Identity.Members[4].StoreId);
        Assert.True(stage[1].Replica.Sessions.ContainsKey(4));
    }

    [Fact]
    public async Task Retirement_that_cannot_be_verified_does_not_keep_a_joining_store_waiting()
    {
        await using var stage = await StartAsync();
        await stage[1].CommitAsync(_ => stage[1].Replica.Identity.IsDirty = stage[1].Replica.Identity.Retired.Add(77_777, SimulatedOperator.Forged));
        await stage.RestartAsync(1);
        Assert.True(stage[1].Replica.Identity.Retired.ProofOf(77_777).IsEmpty);
        Assert.Contains(77_777ul, stage[1].Replica.Identity.Retired);
        Assert.DoesNotContain(77_777ul, stage[1].Replica.CertainlyRetired);
    }

    [Fact]
    public async Task Retirements_without_a_proof_can_be_signed_later()
    {
        await using var stage = await StartAsync();
        await stage[1].CommitAsync(_ => stage[1].Replica.Identity.Retired.Add(77_777, default));
        var (cluster, stores) = stage[1].Replica.OrderToSign();
        Assert.Equal([77_777ul], stores);
        await stage[1].CommitAsync(_ =>
        {
            Assert.Throws<ArgumentException>(() => stage[1].Replica.Sign(new Dictionary<ulong, ReadOnlyMemory<byte>> { [77_777] = SimulatedOperator.Forged }));
            stage[1].Replica.Sign(new Dictionary<ulong, ReadOnlyMemory<byte>> { [77_777] = SimulatedOperator.Sign(cluster, 77_777) });
        });
        await stage.ReportAsync(1, 2);
        Assert.Contains(77_777ul, stage[2].Replica.Identity.Retired);
    }

    [Fact]
    public async Task Many_forged_retirements_do_not_hide_a_genuine_one()
    {
        await using var stage = await StartAsync();
        var retired = Enumerable.Range(1, 500).ToDictionary(static store => 100_000ul + (ulong)store, static _ => SimulatedOperator.Forged);
        retired.Add(StoreOf(stage, 3), ProofFor(stage, 3));
        for (int i = 0; i < 20 && stage[1].Replica.Sessions.ContainsKey(3); i++)
        {
            var report = await stage[2].ReportAsync();
            await stage.DeliverAsync(2, 1, report with { Table = report.Table with { Retired = retired } });
        }
        Assert.False(stage[1].Replica.Sessions.ContainsKey(3));
        Assert.Single(stage[1].Replica.Identity.Retired);
    }

    [Fact]
    public void Retirements_without_a_proof_do_not_displace_those_with_one()
    {
        var retired = new RetiredStores();
        retired.Add(1, SimulatedOperator.Sign(7, 1));
        for (ulong store = 2; store < 3 * (ulong)RetiredStores.Capacity; store++)
            retired.Add(store, default);
        Assert.Contains(1ul, retired);
        Assert.Equal(RetiredStores.Capacity, retired.Count);
    }

    [Fact]
    public void Proof_that_arrives_later_is_kept_and_changes_the_digest()
    {
        var retired = new RetiredStores();
        Assert.True(retired.Add(1, default));
        ulong before = retired.Digest;
        Assert.True(retired.Add(1, SimulatedOperator.Sign(7, 1)));
        Assert.False(retired.Add(1, default));
        Assert.NotEqual(before, retired.Digest);
        Assert.True(retired.DropProof(1));
        Assert.Equal(before, retired.Digest);
    }

    static Task<Stage> StartAsync() => Stage.StartAsync(3, SimulatedOperator.Instance);

    static ulong StoreOf(Stage stage, byte node) => stage[node].Replica.Identity.StoreId;

    static byte[] ProofFor(Stage stage, byte node) => SimulatedOperator.Sign(stage[1].Replica.Identity.Cluster, StoreOf(stage, node));

    static Report Retiring(Report report, ulong store, ReadOnlyMemory<byte> proof) => report with { Table = Retiring(report.Table, store, proof) };

    static Hello Retiring(Hello hello, ulong store, ReadOnlyMemory<byte> proof) => hello with { Table = Retiring(hello.Table, store, proof) };

    static MemberTable InMemory(MemberTable table, byte node) =>
        table with { Members = table.Members.ToDictionary(static member => member.Key, member => member.Key == node ? member.Value with { IsVolatile = true } : member.Value) };

    static MemberTable Retiring(MemberTable table, ulong store, ReadOnlyMemory<byte> proof) =>
        table with { Retired = new Dictionary<ulong, ReadOnlyMemory<byte>> { [store] = proof } };
}
