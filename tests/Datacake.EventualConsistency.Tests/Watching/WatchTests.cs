using Datacake.EventualConsistency.Tests.Fixtures;

namespace Datacake.EventualConsistency.Tests.Watching;

public class WatchTests
{
    const string Name = "watched";

    static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Watch_reports_documents_before_and_after_each_local_and_remote_transaction()
    {
        await using var cluster = await TestCluster.StartAsync(2);
        KeyspaceHandle here = cluster[1].Store.Keyspace(Name), there = cluster[2].Store.Keyspace(Name);
        await here.PutAsync(1, new byte[] { 1 }, Consistency.All, Token);
        await using var watch = here.WatchAsync(WatchPosition.Now, Token).GetAsyncEnumerator(Token);
        Assert.Empty((await Next(watch)).Changes);

        await there.PutAsync(1, new byte[] { 2 }, Consistency.None, Token);
        var change = Assert.Single((await Next(watch)).Changes);
        Assert.Equal(((DocumentKey)1, 1, 2), (change.Key, change.Before!.Value!.Value.Span[0], change.After!.Value!.Value.Span[0]));

        await cluster[1].Store.Keyspace("other").PutAsync(1, new byte[] { 9 }, Consistency.None, Token);
        await here.PutManyAsync([new(2, new byte[] { 3 }), new(3, new byte[] { 4 })], Consistency.None, Token);
        var changes = (await Next(watch)).Changes;
        Assert.Equal([2, 3], changes.Select(each => each.Key).Order());
        Assert.All(changes, each => Assert.Null(each.Before));

        await there.DeleteAsync(1, Consistency.None, Token);
        change = Assert.Single((await Next(watch)).Changes);
        Assert.Equal((2, null), (change.Before!.Value!.Value.Span[0], change.After));
    }

    [Fact]
    public async Task Purging_a_deleted_document_is_not_a_change()
    {
        await using var cluster = await TestCluster.StartAsync(1);
        var keyspace = cluster[1].Store.Keyspace(Name);
        await keyspace.PutAsync(1, new byte[] { 1 }, Consistency.None, Token);
        await using var watch = keyspace.WatchAsync(WatchPosition.Now, Token).GetAsyncEnumerator(Token);
        var start = (await Next(watch)).Position;
        await keyspace.DeleteAsync(1, Consistency.None, Token);
        Assert.Single((await Next(watch)).Changes);
        await TestCluster.WaitUntilAsync(() => HasGap(keyspace, start), "the deletion is forgotten");
        await keyspace.PutAsync(2, new byte[] { 2 }, Consistency.None, Token);
        Assert.Equal(2, Assert.Single((await Next(watch)).Changes).Key);
    }

    [Fact]
    public async Task Watch_resumes_from_a_position_on_any_node_with_the_latest_state()
    {
        await using var cluster = await TestCluster.StartAsync(3);
        var keyspace = cluster[1].Store.Keyspace(Name);
        await keyspace.PutAsync(1, new byte[] { 1 }, Consistency.All, Token);
        await keyspace.PutAsync(2, new byte[] { 1 }, Consistency.All, Token);
        // While a member is away, the others keep the log entries that the member lacks. The position is taken then: what the three knew before, they may have truncated.
        await cluster[3].Node.DisposeAsync();
        string position = "";
        await TestCluster.WaitUntilAsync(
            async () =>
            {
                position = await PositionOf(1);
                return await PositionOf(2) == position;
            },
            "both know the same");
        Assert.True(WatchPosition.TryParse(position, out var after));

        await keyspace.PutAsync(2, new byte[] { 2 }, Consistency.One, Token);
        await keyspace.PutAsync(2, new byte[] { 3 }, Consistency.One, Token);
        await keyspace.DeleteAsync(1, Consistency.One, Token);
        foreach (int node in (int[])[1, 2])
        {
            await using var watch = cluster[node].Store.Keyspace(Name).WatchAsync(after, Token).GetAsyncEnumerator(Token);
            Assert.Equal(after, (await Next(watch)).Position);
            var missed = await Next(watch);
            Assert.False(missed.HasGap);
            var changes = missed.Changes.Where(change => change.Key < 10).OrderBy(change => change.Key);
            Assert.Equal([(1, false, (byte?)null), (2, false, (byte?)3)],
                changes.Select(change => (change.Key, change.IsBeforeKnown, change.After?.Value?.Span[0])));
            Assert.True(missed.Position.Covers(after));
            await cluster[node].Store.Keyspace(Name).PutAsync(10 + node, new byte[] { 1 }, Consistency.One, Token);
            Assert.Equal(10 + node, Assert.Single((await Next(watch)).Changes).Key);
        }

        async Task<string> PositionOf(int node)
        {
            await using var watch = cluster[node].Store.Keyspace(Name).WatchAsync(WatchPosition.Now, Token).GetAsyncEnumerator(Token);
            return (await Next(watch)).Position.ToString();
        }
    }

    [Fact]
    public async Task Position_whose_changes_are_no_longer_in_the_log_is_answered_with_a_gap()
    {
        await using var cluster = await TestCluster.StartAsync(1);
        var keyspace = cluster[1].Store.Keyspace(Name);
        WatchPosition start;
        await using (var watch = keyspace.WatchAsync(WatchPosition.Now, Token).GetAsyncEnumerator(Token))
            start = (await Next(watch)).Position;
        await keyspace.PutAsync(1, new byte[] { 1 }, Consistency.None, Token);
        await TestCluster.WaitUntilAsync(() => HasGap(keyspace, start), "the log is truncated");
    }

    [Fact]
    public async Task Slow_watcher_misses_steps_but_no_document_while_a_member_keeps_the_log()
    {
        await using var cluster = new TestCluster();
        var options = new ReplicatedStoreOptions { ReportInterval = TimeSpan.FromMilliseconds(50), MaxWatchBufferLength = 1_000 };
        await cluster.AddAsync(1, options: options);
        await cluster.AddAsync(2);
        await cluster.WaitUntilConnectedAsync();
        await cluster[2].Node.DisposeAsync();
        var keyspace = cluster[1].Store.Keyspace(Name);
        await using var watch = keyspace.WatchAsync(WatchPosition.Now, Token).GetAsyncEnumerator(Token);
        await Next(watch);
        const int count = 700;
        for (int i = 0; i < count; i++)
            await keyspace.PutAsync(i, new byte[100], Consistency.None, Token);

        var seen = new HashSet<DocumentKey>();
        while (seen.Count < count)
        {
            var changes = await Next(watch);
            Assert.False(changes.HasGap);
            seen.UnionWith(changes.Changes.Select(change => change.Key));
        }
    }

    [Fact]
    public async Task Watch_ends_with_its_reader_or_its_store()
    {
        await using var cluster = await TestCluster.StartAsync(1);
        var keyspace = cluster[1].Store.Keyspace(Name);
        using var cancellation = CancellationTokenSource.CreateLinkedTokenSource(Token);
        await using (var watch = keyspace.WatchAsync(WatchPosition.Now, cancellation.Token).GetAsyncEnumerator(cancellation.Token))
        {
            await Next(watch);
            var waiting = watch.MoveNextAsync();
            await cancellation.CancelAsync();
            await Assert.ThrowsAnyAsync<OperationCanceledException>(async () => await waiting);
        }
        await using var other = keyspace.WatchAsync(WatchPosition.Now, Token).GetAsyncEnumerator(Token);
        await Next(other);
        var closing = other.MoveNextAsync();
        await cluster[1].Store.DisposeAsync();
        await Assert.ThrowsAsync<ObjectDisposedException>(async () => await closing);
    }

    [Fact]
    public void Invalid_position_is_not_parsed()
    {
        foreach (string? text in (string?[])[null, "?", "AAA", "nowhere"])
            Assert.False(WatchPosition.TryParse(text, out _), text);
        Assert.True(WatchPosition.TryParse("now", out var now));
        Assert.Same(WatchPosition.Now, now);
    }

    static async Task<DocumentChanges> Next(IAsyncEnumerator<DocumentChanges> watch)
    {
        Assert.True(await watch.MoveNextAsync().AsTask().WaitAsync(TestCluster.Deadline, Token));
        return watch.Current;
    }

    static async Task<bool> HasGap(KeyspaceHandle keyspace, WatchPosition after)
    {
        await using var watch = keyspace.WatchAsync(after, Token).GetAsyncEnumerator(Token);
        await Next(watch);
        return (await Next(watch)).HasGap;
    }
}
