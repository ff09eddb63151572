using Datacake.Crdt;
using Datacake.EventualConsistency.Replication;
using Datacake.EventualConsistency.Replication.Messages;

namespace Datacake.EventualConsistency.Tests.Simulation;

/// <summary>Behavior that depends on one particular order of messages, which random histories seldom produce.</summary>
public sealed class ReplicaTests
{
    static readonly HlcTimestamp Always = new(ulong.MaxValue);

    [Fact]
    public async Task Transaction_is_not_truncated_in_the_batch_that_brings_it()
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
    public async Task Transaction_that_a_consumer_has_not_processed_is_truncated_only_beyond_the_limit()
    {
        await using var stage = await Stage.StartAsync(1);
        await stage[1].WriteAsync(static transaction => transaction.Put("cakes", DocumentKey.Of(1), Content));
        var position = stage[1].Replica.State.Known;
        var held = await stage[1].WriteAsync(static transaction => transaction.Put("cakes", DocumentKey.Of(2), Content));
        var last = await stage[1].WriteAsync(static transaction => transaction.Put("cakes", DocumentKey.Of(3), Content));

        await stage[1].CommitAsync(async batch => await stage[1].Replica.CollectAsync(batch, Always, new LogHold(position, HlcTimestamp.None)));
        Assert.Equal(position, stage[1].Replica.State.Truncated);

        await stage[1].CommitAsync(async batch => await stage[1].Replica.CollectAsync(batch, Always, new LogHold(position, held.Items[0].Stamp)));
        Assert.True(stage[1].Replica.State.Truncated.Contains(held.Items[0].Stamp));
        Assert.False(stage[1].Replica.State.Truncated.Contains(last.Items[0].Stamp));
    }

    [Fact]
    public async Task Member_is_heard_even_if_its_run_is_lower_than_the_clock_of_a_peer_that_met_it_while_joining()
    {
        await using var stage = await Stage.StartAsync(1);
        await stage.AddAsync(2);
        await stage.JoinAsync(2, 1);
        await stage.AddAsync(4, clockOffset: TimeSpan.FromMinutes(10));
        await stage.JoinAsync(4, 2);

        await stage.AddAsync(3);
        var early = stage[3].Replica.Hello();
        await stage.JoinAsync(3, 1);                                // The run of node 3 is lower than the clock of node 4.
        await stage[4].OpenAsync(early);
        Assert.True(stage[4].Replica.Hello().Clock > stage[3].Replica.Run);
        Assert.False(stage[4].Replica.HasRun(3));

        await stage.ReportAsync(3, 4);
        Assert.True(stage[4].Replica.HasRun(3));
        await stage.MeetAsync(1, 4);
        await stage.ReportAsync(3, 1);
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
    public async Task Known_set_of_a_replaced_disk_does_not_count_for_its_replacement()
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
    public async Task Late_report_of_an_earlier_run_does_not_replace_a_report_of_a_later_run()
    {
        await using var stage = await Stage.StartAsync(3);
        var late = await stage[3].ReportAsync();
        await stage.RestartAsync(3);
        await stage.MeetAsync(3, 1);
        await stage.DeliverAsync(3, 1, late);
        Assert.Equal(stage[3].Replica.Run, (await stage[1].ReportAsync()).Peers[3].Run);
    }

    [Fact]
    public async Task Reports_of_others_about_a_member_in_session_do_not_override_its_own()
    {
        await using var stage = await Stage.StartAsync(3);
        var run = stage[3].Replica.Run;
        var report = await stage[2].ReportAsync();
        var lie = new PeerKnowledge(new HlcTimestamp(run.Packed + (1UL << 30)), VersionVector.Empty);
        await stage.DeliverAsync(2, 1, report with { Clock = lie.Run, Peers = new Dictionary<byte, PeerKnowledge>(report.Peers) { [3] = lie } });
        Assert.Equal(run, stage[1].Replica.RunOf(3));
        await stage[3].WriteAsync(transaction => transaction.Put("cakes", DocumentKey.Of(1), Content));
        await stage.ReportAsync(3, 1);
        Assert.True(stage[1].Replica.KnownOf(3).Covers(stage[3].Replica.State.Known));
    }

    [Fact]
    public async Task Runs_and_known_sets_beyond_the_clock_of_their_message_are_refused()
    {
        await using var stage = await Stage.StartAsync(3);
        var report = await stage[2].ReportAsync();
        var beyond = new HlcTimestamp(report.Clock.Packed + (1UL << 40) - report.Clock.Node + 3);
        PeerKnowledge[] lies =
        [
            new(beyond, VersionVector.Empty),
            new(stage[3].Replica.Run, VersionVector.Of(3, HlcTimestamp.None, beyond)),
            new(stage[2].Replica.Run, VersionVector.Empty),
        ];
        foreach (var lie in lies)
        {
            var told = report with { Peers = new Dictionary<byte, PeerKnowledge>(report.Peers) { [3] = lie } };
            await Assert.ThrowsAsync<InvalidDataException>(() => stage.DeliverAsync(2, 1, told));
        }
    }

    [Fact]
    public async Task Unrequested_snapshot_is_refused_and_removes_nothing()
    {
        await using var stage = await Stage.StartAsync(2);
        await stage[1].WriteAsync(transaction => transaction.Put("cakes", DocumentKey.Of(1), Content));
        var known = stage[1].Replica.State.Known;
        await Assert.ThrowsAsync<InvalidDataException>(() => DeliverEmptyAsync(stage, 2, known, known));
        await Assert.ThrowsAsync<InvalidDataException>(() => DeliverEmptyAsync(stage, 2, VersionVector.Empty, Everything(stage)));
        Assert.Single(await stage[1].DocumentsAsync());
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Reconciliation_that_would_remove_many_documents_waits_for_a_second_member_or_the_operator(bool isSecondMember)
    {
        const int Count = 150;
        await using var stage = await Stage.StartAsync(3);
        await stage[1].WriteAsync(transaction =>
        {
            for (int key = 0; key < Count; key++)
                transaction.Put("cakes", DocumentKey.Of(key), Content);
        });
        await DeliverEmptyAsync(stage, 2, Everything(stage), Everything(stage));
        await SettleAsync(stage);
        Assert.Equal(Count, (await stage[1].DocumentsAsync()).Count);
        Assert.Equal(new HeldRemoval(2, Count), stage[1].Replica.HeldRemoval);
        // A repeated answer of the same member does not count as a second member.
        await DeliverEmptyAsync(stage, 2, Everything(stage), Everything(stage));
        await SettleAsync(stage);
        Assert.Equal(Count, (await stage[1].DocumentsAsync()).Count);

        if (!isSecondMember)
            stage[1].Replica.AllowRemoval();
        await DeliverEmptyAsync(stage, isSecondMember ? (byte)3 : (byte)2, Everything(stage), Everything(stage));
        await SettleAsync(stage);
        Assert.Empty(await stage[1].DocumentsAsync());
        Assert.Null(stage[1].Replica.HeldRemoval);
    }

    /// <summary>Returns everything that node 1 knows and one unknown stamp, so that a snapshot is a possible answer to node 1.</summary>
    static VersionVector Everything(Stage stage) =>
        stage[1].Replica.State.Known.Union(2, HlcTimestamp.None, new HlcTimestamp(stage[1].Replica.Hello().Clock.Packed | 0xFF));

    /// <summary>Lets node 1 pull from a node, and answers that the node knows everything and has no documents.</summary>
    static async Task DeliverEmptyAsync(Stage stage, byte from, VersionVector known, VersionVector truncated)
    {
        var asking = await stage[1].CommitAsync(batch => stage[1].Replica.StartPull(batch, from));
        var request = (PullRequest)asking.Outbox.Single().Message;
        var state = new ReplicaState(known, truncated, known.Top, NodeRuns.Empty);
        await stage.DeliverAsync(from, 1, new SnapshotPage(
            request.Pull, request.Pull, 0, stage[1].Replica.Identity.Cluster, state, 0, SnapshotPart.Whole, [], [], IsLast: true));
    }

    /// <summary>Lets node 1 reconcile or discard the documents that it has set aside.</summary>
    static async Task SettleAsync(Stage stage)
    {
        for (int i = 0; i < 3; i++)
            await stage[1].CommitAsync(_ => { });
    }

    [Fact]
    public async Task Shares_of_earlier_runs_are_not_folded_while_their_lost_tail_may_return()
    {
        await using var stage = await Stage.StartAsync(2);
        var put = await stage[2].WriteAsync(transaction => transaction.Put("cakes", DocumentKey.Of(1), Content, [new CounterIncrement("Sold", 7)]));
        await stage.DeliverAsync(2, 1, put);
        await stage.CallRollAsync(2);
        Assert.True(stage[2].Replica.State.Known[2][0].Low.IsNone);
        await stage.ReportAsync(1, 2);
        await stage[2].CommitAsync(async batch => await stage[2].Replica.CollectAsync(batch, Always));
        Assert.True(stage[2].Replica.State.Truncated.Contains(put.Items[0].Stamp));

        // Another increment may have been lost with the tail and may still be on node 1.
        await stage.RestartAsync(2);
        await stage[2].WriteAsync(transaction => transaction.Update("cakes", DocumentKey.Of(1), DocumentContent.Empty, [new CounterIncrement("Sold", 1)]));

        Assert.Equal([1L, 7L], SharesOf((await stage[2].DocumentsAsync()).Values.Single()).Order());
    }

    static List<long> SharesOf(Document document)
    {
        var shares = new List<long>();
        foreach (var cell in document.Cells)
        {
            if (cell.Kind == DocumentPathKind.CounterShare && cell.IsShown(document.Born))
                shares.Add(CounterValue.Read(cell.Value));
        }
        return shares;
    }

    [Fact]
    public async Task Known_set_of_an_earlier_run_does_not_count_for_a_later_run()
    {
        await using var stage = await Stage.StartAsync(2);
        await stage[2].WriteAsync(transaction => transaction.Put("cakes", DocumentKey.Of(1), Content));
        await stage.ReportAsync(2, 1);
        Assert.False(stage[1].Replica.KnownOf(2).IsEmpty);

        await stage.RestartAsync(2);
        await stage[1].OpenAsync(stage[2].Replica.Hello() with { Known = VersionVector.Empty });    // The tail of node 2 seems to be lost.
        Assert.True(stage[1].Replica.KnownOf(2).IsEmpty);
    }

    [Fact]
    public async Task Run_of_a_joining_node_is_above_the_clocks_of_all_peers_it_has_met()
    {
        await using var stage = await Stage.StartAsync(1);
        await stage.AddAsync(2, clockOffset: TimeSpan.FromMinutes(10));
        await stage.JoinAsync(2, 1);
        await stage.AddAsync(3);
        await stage.MeetAsync(3, 2);
        Assert.True(stage[1].Replica.Hello().Clock < stage[2].Replica.Run);
        await stage.JoinAsync(3, 1);
        Assert.True(stage[3].Replica.Run > stage[2].Replica.Run);
    }

    [Fact]
    public async Task Pull_waits_until_the_documents_set_aside_for_a_full_reconciliation_are_gone()
    {
        await using var stage = await Stage.StartAsync(2);
        await stage[1].CommitAsync(_ => stage[1].Replica.CloseSession(2, stage[1].Replica.Sessions[2].Id));
        await stage[1].CommitAsync(_ => stage[1].Replica.Forget(2));
        await stage[1].WriteAsync(transaction => transaction.Put("cakes", DocumentKey.Of(1), Content));
        await stage[1].CommitAsync(async batch => await stage[1].Replica.CollectAsync(batch, Always));

        await stage.PullAsync(2, 1);
        Assert.True(stage[2].Replica.HasArrived);
        var reconciling = await stage[2].CommitAsync(_ => Assert.False(stage[2].Replica.CanPull));
        Assert.True(reconciling.IsReconciled);
        Assert.Equal(stage[1].Replica.State.Known, stage[2].Replica.State.Known);
        await stage[2].CommitAsync(_ => Assert.True(stage[2].Replica.CanPull));
    }

    [Fact]
    public async Task Replica_that_purged_a_removal_does_not_revive_the_cell_after_receiving_an_earlier_removal()
    {
        await using var stage = await Stage.StartAsync(3);
        var put = await stage[1].WriteAsync(transaction => transaction.Put("cakes", DocumentKey.Of(1), Content));
        await stage.DeliverAsync(1, 2, put);
        await stage.DeliverAsync(1, 3, put);
        var earlier = await stage[3].WriteAsync(transaction => transaction.Update("cakes", DocumentKey.Of(1), Removal));

        // Node 2 has the value set after the removal on node 3, but not its second removal. Node 3 has neither.
        await stage[1].WriteAsync(transaction => transaction.Put("breads", DocumentKey.Of(1), Content));
        await stage[1].WriteAsync(transaction => transaction.Put("breads", DocumentKey.Of(2), Content));
        await stage[1].WriteAsync(transaction => transaction.Update("cakes", DocumentKey.Of(1), Content));
        await stage.PullAsync(2, 1);
        var later = await stage[1].WriteAsync(transaction => transaction.Update("cakes", DocumentKey.Of(1), Removal));
        foreach (byte away in (byte[])[2, 3])
        {
            await stage[1].CloseAsync(away);
            await stage[1].CommitAsync(_ => stage[1].Replica.Forget(away));
        }
        await stage[1].CommitAsync(async batch => await stage[1].Replica.CollectAsync(batch, Always));
        Assert.Equal(later.Items[0].Stamp, stage[1].Replica.State.Purged);

        await stage.MeetAsync(3, 1);
        await stage.PullAsync(3, 1);
        await stage[3].CommitAsync(_ => { });
        await stage.PullAsync(1, 3);
        Assert.True((await CakeOfAsync(stage[1])).TryGetCell(Name, out var removal) && removal.IsRemoved);
        Assert.Equal(earlier.Items[0].Stamp, removal.Stamp);

        await stage.MeetAsync(2, 1);
        await stage.PullAsync(2, 1);
        Assert.True((await stage[2].CommitAsync(_ => { })).IsReconciled);
        Assert.Equal(stage[1].Replica.State.Known, stage[2].Replica.State.Known);
        var cake = await CakeOfAsync(stage[2]);
        Assert.False(cake.TryGetCell(Name, out var cell) && cell.IsShown(cake.Born));
    }

    [Fact]
    public async Task Dead_document_is_purged_with_its_last_stamp_even_if_that_belongs_to_a_put()
    {
        await using var stage = await Stage.StartAsync(2);
        await stage.DeliverAsync(1, 2, await stage[1].WriteAsync(transaction => transaction.Put("cakes", DocumentKey.Of(1), Content)));
        var put = await stage[2].WriteAsync(transaction => transaction.Put("cakes", DocumentKey.Of(1), Content));
        Mutations delete;
        do
        {
            delete = await stage[1].WriteAsync(transaction => transaction.Delete("cakes", DocumentKey.Of(1)));
            await stage.DeliverAsync(1, 2, delete);
        }
        while (delete.Items[0].Stamp < put.Items[0].Stamp);

        // Every node has the delete before every node has the put that the delete overrides.
        await stage.ReportAsync(1, 2);
        await stage[2].CommitAsync(async batch => await stage[2].Replica.CollectAsync(batch, Always));
        Assert.Equal([put.Items[0].Stamp], await stage[2].LogAsync());
        Assert.Equal(delete.Items[0].Stamp, (await CakeOfAsync(stage[2])).Died);

        await stage.DeliverAsync(2, 1, put);
        await stage.ReportAsync(1, 2);
        await stage[2].CommitAsync(async batch => await stage[2].Replica.CollectAsync(batch, Always));
        Assert.Empty(await stage[2].LogAsync());
        Assert.Empty(await stage[2].DocumentsAsync());
    }

    [Fact]
    public async Task Joining_store_discards_the_copy_of_a_member_that_turns_out_to_be_retired()
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
    public async Task Roll_call_is_incomplete_while_a_peer_is_in_session_with_an_earlier_run_of_a_member()
    {
        await using var stage = await Stage.StartAsync(3);
        await stage[1].WriteAsync(transaction => transaction.Put("cakes", DocumentKey.Of(1), Content));
        await stage.RestartAsync(1);
        await stage.RestartAsync(3);
        await stage.MeetAsync(1, 2);
        await stage.MeetAsync(1, 3);
        await stage.CallRollAsync(1);
        Assert.False(stage[1].Replica.State.Known[1][0].Low.IsNone);    // Writes that node 3 has lost may be on their way to node 2.

        await stage.MeetAsync(2, 3);
        await stage.CallRollAsync(1);
        Assert.True(stage[1].Replica.State.Known[1][0].Low.IsNone);
    }

    [Fact]
    public async Task Gap_is_not_closed_before_a_forgotten_member_is_asked_as_well()
    {
        await using var stage = await Stage.StartAsync(3);
        await stage[1].WriteAsync(transaction => transaction.Put("cakes", DocumentKey.Of(1), Content));
        await stage.RestartAsync(1);
        await stage[1].CommitAsync(_ => stage[1].Replica.Forget(3));
        await stage.MeetAsync(1, 2);
        await stage.CallRollAsync(1);
        Assert.False(stage[1].Replica.State.Known[1][0].Low.IsNone);

        await stage.MeetAsync(1, 3);
        await stage.CallRollAsync(1);
        Assert.True(stage[1].Replica.State.Known[1][0].Low.IsNone);
    }

    [Fact]
    public async Task Messages_of_an_ended_session_are_ignored()
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

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Pull_is_answered_in_limited_parts_whatever_its_transactions_touch(bool isJoining)
    {
        const int Documents = 50, DocumentLength = 1_000, PartLength = 4_000, NamesOfTransaction = Documents * 20;
        await using var stage = await Stage.StartAsync(1);
        var builder = new DocumentContentBuilder();
        builder.Set(DocumentPath.OfProperty("large").Encoded.Span, new byte[DocumentLength]);
        var large = builder.Build();
        await stage[1].WriteAsync(transaction => ForEach(key => transaction.Put("cakes", key, large)));
        for (int i = 0; i < 20; i++)
            await stage[1].WriteAsync(transaction => ForEach(key => transaction.Update("cakes", key, Content)));

        var parts = await stage[1].AnswerAsync(new PullRequest(1, VersionVector.Empty, VersionVector.Empty, isJoining), stream: 1, PartLength);
        Assert.All(parts, part => Assert.InRange(part.Encoded.Length, 1, PartLength + DocumentLength + NamesOfTransaction));
        Assert.True(parts.Count > Documents * DocumentLength / PartLength);

        static void ForEach(Action<DocumentKey> action)
        {
            for (int i = 0; i < Documents; i++)
                action(DocumentKey.Of(i));
        }
    }

    [Fact]
    public async Task Pulled_transactions_of_a_node_share_log_records_by_whether_they_may_purge()
    {
        const int Documents = 10;
        await using var stage = await Stage.StartAsync(2);
        for (int i = 0; i < Documents; i++)
            await stage[1].WriteAsync(transaction => transaction.Put("cakes", DocumentKey.Of(i), Content));
        await stage[1].WriteAsync(transaction => transaction.Delete("cakes", DocumentKey.Of(0)));

        var asking = await stage[2].CommitAsync(batch => stage[2].Replica.StartPull(batch, 1));
        var parts = await stage[1].AnswerAsync((PullRequest)asking.Outbox.Single().Message, stream: 99, maxPartLength: 1_000_000);
        await stage.DeliverAsync(1, 2, Assert.Single(parts));
        Assert.Equal(await stage[1].LogAsync(), await stage[2].LogAsync());
        Assert.Equal(
            [(1, true), (Documents - 1, false), (1, true)],
            (await stage[2].LogRecordsAsync()).Select(record => (record.Transactions.Length, record.MayPurge)));

        await stage.ReportAsync(1, 2);
        await stage[2].CommitAsync(async batch => await stage[2].Replica.CollectAsync(batch, Always));
        Assert.Empty(await stage[2].LogAsync());
        Assert.Equal(Documents - 1, (await stage[2].DocumentsAsync()).Count);
    }

    [Fact]
    public async Task Transactions_received_as_mutations_split_the_log_records_of_a_pull()
    {
        await using var stage = await Stage.StartAsync(2);
        var mutations = new List<Mutations>();
        for (int i = 0; i < 3; i++)
            mutations.Add(await stage[1].WriteAsync(transaction => transaction.Put("cakes", DocumentKey.Of(i), Content)));

        var asking = await stage[2].CommitAsync(batch => stage[2].Replica.StartPull(batch, 1));
        await stage.DeliverAsync(1, 2, mutations[1]);
        var parts = await stage[1].AnswerAsync((PullRequest)asking.Outbox.Single().Message, stream: 99, maxPartLength: 1_000_000);
        await stage.DeliverAsync(1, 2, Assert.Single(parts));
        Assert.Equal([1, 1, 1], (await stage[2].LogRecordsAsync()).Select(record => record.Transactions.Length));
    }

    static ReadOnlySpan<byte> Name => DocumentPath.OfProperty("name").Encoded.Span;

    static DocumentContent Content
    {
        get
        {
            var content = new DocumentContentBuilder();
            content.Set(Name, [1]);
            return content.Build();
        }
    }

    static DocumentContent Removal
    {
        get
        {
            var content = new DocumentContentBuilder();
            content.Remove(Name);
            return content.Build();
        }
    }

    static async Task<Document> CakeOfAsync(Actor actor) =>
        (await actor.DocumentsAsync()).Single(document => document.Key.StartsWith("cakes", StringComparison.Ordinal)).Value;
}
