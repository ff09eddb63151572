using Datacake.Crdt;
using Datacake.EventualConsistency.Replication;
using Datacake.EventualConsistency.Replication.Messages;

namespace Datacake.EventualConsistency.Tests.Simulation;

/// <summary>Interrupted copies of the cluster's data with which a store joins. Each page has one document.</summary>
public sealed class JoiningTests
{
    [Fact]
    public async Task Interrupted_copy_resumes_after_the_last_received_document()
    {
        await using var stage = await StartAsync(1);
        await JoinInPartAsync(stage, 3, over: 1);
        Assert.False(stage[3].Replica.IsJoined);

        await stage.MeetAsync(3, 1);
        var rest = await stage.PullAsync(3, 1);
        Assert.Equal(2, DocumentsOf(rest));
        await AssertSameAsync(stage[1], stage[3]);
    }

    [Fact]
    public async Task Copy_resumes_after_a_restart_of_the_joining_process()
    {
        await using var stage = await StartAsync(1);
        await JoinInPartAsync(stage, 3, over: 1);

        await stage.RestartAsync(3);
        await stage.MeetAsync(3, 1);
        Assert.Equal(2, DocumentsOf(await stage.PullAsync(3, 1)));
        await AssertSameAsync(stage[1], stage[3]);
    }

    [Fact]
    public async Task Copy_resumes_from_another_member_with_different_keyspace_numbers()
    {
        await using var stage = await Stage.StartAsync(2);
        await PutCakeAsync(stage[2], 9, 9);
        for (int i = 0; i < 3; i++)
        {
            await stage.DeliverAsync(1, 2, await stage[1].WriteAsync(transaction => transaction.Put("breads", DocumentKey.Of(i), Content(i))));
            await stage.DeliverAsync(1, 2, await PutCakeAsync(stage[1], i, i));
        }
        await stage.PullAsync(1, 2);

        await JoinInPartAsync(stage, 3, over: 1);
        await stage.MeetAsync(3, 2);
        Assert.Equal(3, DocumentsOf(await stage.PullAsync(3, 2)));
        await AssertSameAsync(stage[2], stage[3]);
    }

    [Fact]
    public async Task Resumed_copy_includes_later_changes_of_the_documents_received_before()
    {
        await using var stage = await StartAsync(1);
        await JoinInPartAsync(stage, 3, over: 1);

        await DeleteCakeAsync(stage[1], 0);
        await PutCakeAsync(stage[1], 2, 20);
        await PutCakeAsync(stage[1], 2, 21);
        await PutCakeAsync(stage[1], 5, 50);
        Assert.Equal(2 + 2, DocumentsOf(await stage.PullAsync(3, 1)));
        await AssertSameAsync(stage[1], stage[3]);
    }

    [Fact]
    public async Task Copy_restarts_if_the_later_changes_are_no_longer_in_the_log()
    {
        await using var stage = await StartAsync(1);
        await JoinInPartAsync(stage, 3, over: 1);

        await stage[1].CloseAsync(3);
        await stage[1].CommitAsync(_ => stage[1].Replica.Forget(3));
        await DeleteCakeAsync(stage[1], 0);
        await CollectAsync(stage[1]);
        await stage.MeetAsync(3, 1);
        Assert.Equal(5, DocumentsOf(await stage.PullAsync(3, 1)));
        await AssertSameAsync(stage[1], stage[3]);
    }

    [Fact]
    public async Task Copy_restarts_from_a_member_that_lacks_some_received_documents()
    {
        await using var stage = await StartAsync(2);
        await PutCakeAsync(stage[1], 0, 1);
        await JoinInPartAsync(stage, 3, over: 1);

        await stage.MeetAsync(3, 2);
        Assert.Equal(6, DocumentsOf(await stage.PullAsync(3, 2)));
        await AssertSameAsync(stage[2], stage[3]);
    }

    [Fact]
    public async Task Received_tombstone_is_purged_if_the_next_member_has_purged_it()
    {
        await using var stage = await StartAsync(2);
        await stage.DeliverAsync(1, 2, await DeleteCakeAsync(stage[1], 0));
        await stage.ReportAsync(1, 2);
        await CollectAsync(stage[2]);
        await JoinInPartAsync(stage, 3, over: 1);
        Assert.Equal(4, (await stage[3].DocumentsAsync()).Count);

        await stage.MeetAsync(3, 2);
        Assert.Equal(2, DocumentsOf(await stage.PullAsync(3, 2)));
        Assert.False(stage[3].Replica.IsJoined);
        await CollectAsync(stage[3]);
        await AssertSameAsync(stage[2], stage[3]);
    }

    [Fact]
    public async Task Store_with_partial_data_of_a_cluster_does_not_form_another_cluster()
    {
        await using var stage = await StartAsync(1);
        await JoinInPartAsync(stage, 3, over: 1);

        await stage.RestartAsync(3);
        await stage[3].CommitAsync(_ => stage[3].Replica.Bootstrap());
        Assert.True(stage[3].Replica.HasPartOfSeed);
        Assert.False(stage[3].Replica.IsJoined);
    }

    [Fact]
    public async Task Partial_copy_from_a_member_that_turns_out_to_be_retired_is_discarded()
    {
        await using var stage = await StartAsync(2);
        await stage[1].CommitAsync(_ => stage[1].Replica.Retire(2));
        await JoinInPartAsync(stage, 3, over: 2);
        await stage.RestartAsync(3);

        await stage.MeetAsync(3, 1);
        Assert.Equal(6, DocumentsOf(await stage.PullAsync(3, 1)));
        await stage.CallRollAsync(3);
        await AssertSameAsync(stage[1], stage[3]);
    }

    [Fact]
    public async Task Stores_that_joined_directly_or_indirectly_through_a_retired_member_are_refused()
    {
        await using var stage = await StartAsync(3);
        await PutCakeAsync(stage[3], 9, 9);
        await stage[1].CommitAsync(_ => stage[1].Replica.Retire(3));
        await stage.AddAsync(4);
        await stage.JoinAsync(4, 3);
        await stage.AddAsync(5);
        await stage.JoinAsync(5, 4);
        Assert.True(stage[5].Replica.IsJoined);

        foreach (byte stray in (byte[])[4, 5])
        {
            Assert.Contains("retired", stage[1].Replica.Refuse(stage[stray].Replica.Hello(), isDialer: false)?.Reason, StringComparison.Ordinal);
            Assert.Contains("retired", stage[stray].Replica.Refuse(stage[1].Replica.Hello(), isDialer: true)?.Reason, StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task Store_that_joined_through_a_store_retired_later_stays_a_member()
    {
        await using var stage = await StartAsync(3);
        await stage.AddAsync(4);
        await stage.JoinAsync(4, 3);
        await stage.MeetAsync(4, 1);
        await stage[1].CommitAsync(_ => stage[1].Replica.Retire(3));
        await stage.RestartAsync(4);
        await stage.MeetAsync(4, 1);
        Assert.DoesNotContain((byte)3, stage[4].Replica.Identity.Members.Keys);

        await stage.AddAsync(5);
        await stage.JoinAsync(5, 4);
        await stage.ReportAsync(1, 4);
        await stage.MeetAsync(4, 2);
        await stage.MeetAsync(5, 2);
        Assert.Null(stage[1].Replica.Refuse(stage[5].Replica.Hello(), isDialer: false));
    }

    [Fact]
    public async Task Joining_store_prefers_a_certain_member_to_a_possible_stray()
    {
        await using var stage = await StartAsync(3);
        await stage[1].CommitAsync(_ => stage[1].Replica.Retire(3));
        await stage.AddAsync(4);
        await stage.JoinAsync(4, 3);
        await stage.AddAsync(5);
        await stage.MeetAsync(5, 1);
        await stage.MeetAsync(5, 4);
        var asking = await stage[5].CommitAsync(stage[5].Replica.Tick);
        Assert.Equal((byte)1, asking.Outbox.Single(sent => sent.Message is PullRequest).Peer);
    }

    /// <summary>Starts nodes with six cakes.</summary>
    static async Task<Stage> StartAsync(int nodes)
    {
        var stage = await Stage.StartAsync(nodes);
        for (int i = 0; i < 6; i++)
        {
            var put = await PutCakeAsync(stage[1], i, i);
            for (byte other = 2; other <= nodes; other++)
                await stage.DeliverAsync(1, other, put);
        }
        return stage;
    }

    /// <summary>Lets a fresh node receive four documents from another node and then breaks off.</summary>
    static async Task JoinInPartAsync(Stage stage, byte node, byte over)
    {
        await stage.AddAsync(node);
        await stage.MeetAsync(node, over);
        await stage.PullAsync(node, over, pages: 4);
    }

    static Task<Mutations> PutCakeAsync(Actor actor, int key, int value) =>
        actor.WriteAsync(transaction => transaction.Put("cakes", DocumentKey.Of(key), Content(value)));

    static Task<Mutations> DeleteCakeAsync(Actor actor, int key) =>
        actor.WriteAsync(transaction => transaction.Delete("cakes", DocumentKey.Of(key)));

    /// <summary>Lets a node purge and truncate everything that it may.</summary>
    static Task<ReplicaBatch> CollectAsync(Actor actor) =>
        actor.CommitAsync(async batch => await actor.Replica.CollectAsync(batch, new HlcTimestamp(ulong.MaxValue)));

    static int DocumentsOf(IEnumerable<ReplicaMessage> parts) => parts.Sum(part => ((SnapshotPage)part).Documents.Count);

    static async Task AssertSameAsync(Actor expected, Actor joined)
    {
        Assert.True(joined.Replica.IsJoined);
        Assert.Equal(await expected.DocumentsAsync(), await joined.DocumentsAsync());
        Assert.Equal(await expected.LogAsync(), await joined.LogAsync());
        Assert.Equal(expected.Replica.State with { Runs = NodeRuns.Empty }, joined.Replica.State with { Runs = NodeRuns.Empty });
    }

    static DocumentContent Content(int value)
    {
        var content = new DocumentContentBuilder();
        content.Set(DocumentPath.OfProperty("name").Encoded.Span, [(byte)value]);
        return content.Build();
    }
}
