using Datacake.Data.Consuming;
using Datacake.EventualConsistency;
using Datacake.Testing;

namespace Datacake.Data.Tests.Consuming;

public class ConsumerTests
{
    static readonly DocumentKey Key = new ConsumerName("Parcels", RunningConsumer.Name).Key;

    static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Existing_entities_are_delivered_first_and_then_their_changes_in_order()
    {
        await using var node = await TestNode.StartAsync(cancellationToken: Token);
        await ParcelContext.PutAsync(node.Node, 1, Consistency.None, [.. Enumerable.Range(1, 5).Select(static id => (long)id)]);
        var options = RunningConsumer.Options;
        options.MaxBatchSize = 2;
        await using var consumer = new RunningConsumer(node.Node, options: options);

        ConsumedBatch<Parcel>[] loaded = [await consumer.NextAsync(), await consumer.NextAsync(), await consumer.NextAsync()];
        Assert.Equal([2, 2, 1], loaded.Select(static batch => batch.Changes.Count));
        Assert.Equal([1L, 2, 3, 4, 5], loaded.SelectMany(static batch => batch.Changes).Select(static change => change.After!.Id));
        Assert.Equal([true, false, false], loaded.Select(static batch => batch.IsReset));
        Assert.All(loaded, static batch => Assert.True(batch.IsLoad && batch.Attempt == 1 && batch.FencingToken > 0));
        Assert.All(loaded, consumer.Apply);

        for (int version = 2; version <= 20; version++)
            await ParcelContext.PutAsync(node.Node, version, Consistency.None, 1, 2, 3);
        await ParcelContext.DeleteAsync(node.Node, 5, Consistency.None);
        await ParcelContext.PutAsync(node.Node, 1, Consistency.None, 6);
        await consumer.ApplyUntilAsync(new() { [1] = 20, [2] = 20, [3] = 20, [4] = 1, [6] = 1 });
    }

    [Fact]
    public async Task Kinds_of_changes_are_known_while_the_consumer_runs()
    {
        await using var node = await TestNode.StartAsync(cancellationToken: Token);
        await using var consumer = new RunningConsumer(node.Node);
        var first = await consumer.NextAsync();
        Assert.True(first is { IsLoad: true, IsReset: true, Changes.Count: 0 });
        await ParcelContext.PutAsync(node.Node, 1, Consistency.None, 2);
        Assert.Equal(2, Assert.Single((await consumer.NextAsync()).Changes).After!.Id);

        await ParcelContext.PutAsync(node.Node, 1, Consistency.None, 1);
        Assert.Equal(EntityChangeKind.Added, Assert.Single((await consumer.NextAsync()).Changes).Kind);
        await ParcelContext.PutAsync(node.Node, 2, Consistency.None, 1);
        var change = Assert.Single((await consumer.NextAsync()).Changes);
        Assert.Equal((EntityChangeKind.Changed, 1, 2), (change.Kind, change.Before!.Version, change.After!.Version));
        await ParcelContext.DeleteAsync(node.Node, 1, Consistency.None);
        Assert.Equal(EntityChangeKind.Removed, Assert.Single((await consumer.NextAsync()).Changes).Kind);
    }

    [Fact]
    public async Task Consumer_continues_from_its_position_on_another_node_and_does_not_load_again()
    {
        await using var cluster = await TestCluster.StartAsync(3, cancellationToken: Token);
        await ParcelContext.PutAsync(cluster[0].Node, 1, Consistency.All, 1, 2, 3);
        long term;
        await using (var first = new RunningConsumer(cluster[0].Node))
        {
            await first.ApplyUntilAsync(new() { [1] = 1, [2] = 1, [3] = 1 });
            await ParcelContext.PutAsync(cluster[1].Node, 2, Consistency.All, 1);
            var batch = await first.NextAsync();
            Assert.Equal(2, Assert.Single(batch.Changes).After!.Version);
            term = batch.FencingToken;
        }
        await ParcelContext.PutAsync(cluster[1].Node, 3, Consistency.All, 2);
        await ParcelContext.DeleteAsync(cluster[2].Node, 3, Consistency.All);

        await using var second = new RunningConsumer(cluster[1].Node);
        var missed = await second.NextAsync();
        Assert.False(missed.IsLoad || missed.IsReset);
        Assert.True(missed.FencingToken > term);
        // The last batch of the first node may be delivered again, because the position is saved after it was processed.
        var changes = missed.Changes.Where(static change => change.After is not { Version: 2 }).ToArray();
        Assert.Equal([(EntityChangeKind.Changed, (DocumentKey)2L), (EntityChangeKind.Removed, 3L)], changes.Select(static change => (change.Kind, change.Key)).OrderBy(static change => change.Key));
    }

    [Fact]
    public async Task Consumer_moves_when_its_node_fails_and_nothing_is_lost()
    {
        await using var cluster = await TestCluster.StartAsync(3, cancellationToken: Token);
        await ParcelContext.PutAsync(cluster[0].Node, 1, Consistency.All, 1, 2, 3, 4);
        await using var first = new RunningConsumer(cluster[0].Node);
        await first.ApplyUntilAsync(new() { [1] = 1, [2] = 1, [3] = 1, [4] = 1 });
        await ParcelContext.PutAsync(cluster[2].Node, 2, Consistency.All, 1);
        await first.ApplyUntilAsync(new() { [1] = 2, [2] = 1, [3] = 1, [4] = 1 });
        await using var second = new RunningConsumer(cluster[1].Node);
        await Eventually.WaitUntilAsync(() => cluster[2].Store.SerialStatus.Voters.Count == 3, "a majority of the voters remains without node 0");

        await cluster.StopAbruptlyAsync(0);
        for (int version = 3; version <= 10; version++)
            await ParcelContext.PutAsync(cluster[2].Node, version, Consistency.Quorum, 2, 3);
        var batch = await second.NextAsync();
        Assert.False(batch.IsLoad);
        foreach (var (id, version) in first.Shown)
            second.Shown[id] = version;
        second.Apply(batch);
        await second.ApplyUntilAsync(new() { [1] = 2, [2] = 10, [3] = 10, [4] = 1 });
    }

    [Fact]
    public async Task Load_continues_on_another_node_where_it_stopped()
    {
        await using var cluster = await TestCluster.StartAsync(3, cancellationToken: Token);
        await ParcelContext.PutAsync(cluster[0].Node, 1, Consistency.All, [.. Enumerable.Range(1, 10).Select(static id => (long)id)]);
        var options = RunningConsumer.Options;
        options.MaxBatchSize = 3;
        var isHeld = new TaskCompletionSource();
        await using (var first = new RunningConsumer(cluster[0].Node, (batch, token) => batch.IsReset ? Task.CompletedTask : HoldAsync(isHeld, token), options))
            await isHeld.Task.WaitAsync(Eventually.Deadline, Token);

        await using var second = new RunningConsumer(cluster[1].Node, options: options);
        var batch = await second.NextAsync();
        Assert.Equal((true, false), (batch.IsLoad, batch.IsReset));
        Assert.Equal([4L, 5, 6], batch.Changes.Select(static change => change.After!.Id));
    }

    [Fact]
    public async Task Failed_batch_is_delivered_again_before_later_changes()
    {
        await using var node = await TestNode.StartAsync(cancellationToken: Token);
        int failures = 0;
        var retried = new List<int>();
        await using var consumer = new RunningConsumer(node.Node, (batch, _) =>
        {
            if (batch.Changes.Count == 0)
                return Task.CompletedTask;
            retried.Add(batch.Attempt);
            foreach (var change in batch.Changes)
            {
                Assert.True(change.After!.Version > 0);
                // A retry has other instances.
                if (failures < 3)
                    change.After!.Version = -1;
            }
            return failures++ < 3 ? throw new InvalidOperationException("The report is not reachable.") : Task.CompletedTask;
        });
        await consumer.NextAsync();
        await ParcelContext.PutAsync(node.Node, 1, Consistency.None, 1);
        await ParcelContext.PutAsync(node.Node, 2, Consistency.None, 1);
        await consumer.ApplyUntilAsync(new() { [1] = 2 });
        Assert.Equal([1, 2, 3, 4], retried.Take(4));
    }

    [Fact]
    public async Task Position_of_an_earlier_term_is_refused()
    {
        await using var node = await TestNode.StartAsync(cancellationToken: Token);
        await node.Store.DeclareConsumersAsync(Token);
        var name = new ConsumerName("Parcels", RunningConsumer.Name);
        ConsumerPosition earlier = new(node.Store, name, 1), later = new(node.Store, name, 2);
        await earlier.ClaimAsync(skipsExisting: false, Token);
        await earlier.SaveAsync(earlier.Saved, loadedUpTo: null, Token);
        await later.ClaimAsync(skipsExisting: false, Token);
        Assert.Equal((earlier.Saved, null), (later.Saved, later.LoadedUpTo));

        var refused = await Assert.ThrowsAsync<InvalidOperationException>(() => earlier.ResetAsync(Token));
        Assert.Contains("another node has taken over the consumer", refused.Message, StringComparison.Ordinal);
        await Assert.ThrowsAsync<InvalidOperationException>(() => earlier.ClaimAsync(skipsExisting: false, Token));
        await later.ResetAsync(Token);
        Assert.True((await node.Store.ReadConsumerAsync(name.Key, Token)) is { Token: 2, LoadedUpTo.IsEmpty: true });
    }

    [Fact]
    public async Task Consumer_that_was_away_for_longer_than_the_log_is_kept_reads_all_entities_again()
    {
        await using var node = await TestNode.StartAsync(static options => options.WithStore(static store => store.ConsumerRetention = TimeSpan.Zero), Token);
        await ParcelContext.PutAsync(node.Node, 1, Consistency.None, 1, 2, 3);
        await using (var consumer = new RunningConsumer(node.Node))
            await consumer.ApplyUntilAsync(new() { [1] = 1, [2] = 1, [3] = 1 });
        var position = await SavedPositionAsync(node.Store);
        await ParcelContext.DeleteAsync(node.Node, 2, Consistency.None);
        await ParcelContext.PutAsync(node.Node, 2, Consistency.None, 3);
        await Eventually.WaitUntilAsync(() => HasGapAsync(node.Store, position), "the log is truncated");

        await using var again = new RunningConsumer(node.Node);
        var batch = await again.NextAsync();
        Assert.Equal((true, true), (batch.IsLoad, batch.IsReset));
        Assert.Equal([(1L, 1), (3L, 2)], batch.Changes.Select(static change => (change.After!.Id, change.After!.Version)));
        again.Apply(batch);
        await ParcelContext.PutAsync(node.Node, 3, Consistency.None, 1);
        await again.ApplyUntilAsync(new() { [1] = 3, [3] = 2 });
    }

    [Fact]
    public async Task Log_is_kept_for_a_consumer_that_is_away_until_the_consumer_is_deleted()
    {
        await using var node = await TestNode.StartAsync(cancellationToken: Token);
        await using (var consumer = new RunningConsumer(node.Node))
            await consumer.NextAsync();
        var position = await SavedPositionAsync(node.Store);
        await ParcelContext.PutAsync(node.Node, 1, Consistency.None, 1);
        Assert.False(await HasGapAsync(node.Store, position));

        await using var db = new ParcelContext(node.Node);
        Assert.True(await db.Parcels.DeleteConsumerAsync(RunningConsumer.Name, Token));
        Assert.False(await db.Parcels.DeleteConsumerAsync(RunningConsumer.Name, Token));
        await Eventually.WaitUntilAsync(() => HasGapAsync(node.Store, position), "the log is truncated");
        await using var again = new RunningConsumer(node.Node);
        Assert.True((await again.NextAsync()).IsReset);
    }

    [Fact]
    public async Task Log_that_is_kept_has_a_maximum_number_of_records()
    {
        await using var node = await TestNode.StartAsync(
            static options => options.WithStore(static store => (store.MaxConsumerRecords, store.ReportInterval) = (1_000, TimeSpan.FromMilliseconds(10))), Token);
        await using (var consumer = new RunningConsumer(node.Node))
            await consumer.NextAsync();
        var position = await SavedPositionAsync(node.Store);
        await ParcelContext.PutAsync(node.Node, 1, Consistency.None, 1);
        // Records are short, so each of these transactions has one of its own.
        KeyValuePair<DocumentKey, ReadOnlyMemory<byte>>[] documents = [.. Enumerable.Range(0, 20).Select(static number => KeyValuePair.Create(DocumentKey.Of($"{number:D200}"), ReadOnlyMemory<byte>.Empty))];
        for (int i = 0; i <= 1_000; i++)
            await node.Store.Keyspace("other").PutManyAsync(documents, Consistency.None, Token);
        await Eventually.WaitUntilAsync(() => HasGapAsync(node.Store, position), "the log is truncated");
    }

    [Fact]
    public async Task Consumer_that_has_missed_much_saves_its_position_meanwhile()
    {
        await using var node = await TestNode.StartAsync(cancellationToken: Token);
        var options = RunningConsumer.Options;
        options.MaxBatchSize = 10_000;
        await using (var consumer = new RunningConsumer(node.Node, options: options))
        {
            await consumer.NextAsync();
            await Eventually.WaitUntilAsync(async () => (await node.Store.ReadConsumerAsync(Key, Token))!.LoadedUpTo is null, "the consumer is loaded");
        }
        for (int part = 0; part < 4; part++)
        {
            await ParcelContext.PutAsync(node.Node, 1, Consistency.None, [.. Enumerable.Range(10_000 * part, 10_000).Select(static id => (long)id)]);
            node.Clock.Offset += TimeSpan.FromSeconds(1);
        }

        await using var again = new RunningConsumer(node.Node, options: options);
        var (ids, positions) = (new HashSet<DocumentKey>(), new List<WatchPosition>());
        while (ids.Count < 40_000)
        {
            var batch = await again.NextAsync();
            Assert.False(batch.IsLoad);
            ids.UnionWith(batch.Changes.Select(static change => change.Key));
            positions.Add(batch.Position);
        }
        var distinct = positions.Distinct().ToArray();
        Assert.InRange(distinct.Length, 2, int.MaxValue);
        Assert.All(distinct.Zip(distinct.Skip(1)), static pair => Assert.True(pair.Second.Covers(pair.First)));
    }

    [Fact]
    public async Task Position_advances_while_only_other_keyspaces_change()
    {
        await using var node = await TestNode.StartAsync(cancellationToken: Token);
        await using var consumer = new RunningConsumer(node.Node);
        await consumer.NextAsync();
        var put = await node.Store.Keyspace("other").PutAsync(1, new byte[] { 1 }, Consistency.None, Token);
        await Eventually.WaitUntilAsync(
            async () => (await node.Store.ReadConsumerAsync(Key, Token))!.Position.Contains(put.Stamp), "the position of the consumer has passed the other change");
    }

    [Fact]
    public async Task New_consumer_can_skip_the_existing_entities()
    {
        await using var node = await TestNode.StartAsync(cancellationToken: Token);
        await ParcelContext.PutAsync(node.Node, 1, Consistency.None, 1, 2, 3);
        var options = RunningConsumer.Options;
        options.SkipExisting = true;
        await using var consumer = new RunningConsumer(node.Node, options: options);
        await node.Store.DeclareConsumersAsync(Token);
        await Eventually.WaitUntilAsync(async () => await node.Store.ReadConsumerAsync(Key, Token) is { Position.IsEmpty: false }, "the consumer has a position");
        await ParcelContext.PutAsync(node.Node, 2, Consistency.None, 2);
        var batch = await consumer.NextAsync();
        Assert.False(batch.IsLoad);
        Assert.Equal(2, Assert.Single(batch.Changes).After!.Id);
    }

    [Fact]
    public async Task Serial_entities_are_consumed()
    {
        await using var node = await TestNode.StartAsync(cancellationToken: Token);
        await using var db = new ParcelContext(node.Node);
        db.Receipts.Add(new Receipt { Id = 1, Version = 1 });
        await db.SaveChangesAsync(Token);
        var versions = new List<int>();
        var (isLoaded, isChanged) = (new TaskCompletionSource(), new TaskCompletionSource());
        using var ending = CancellationTokenSource.CreateLinkedTokenSource(Token);
        await using var consuming = new ParcelContext(node.Node);
        var running = consuming.Receipts.ConsumeAsync(
            "audit",
            (batch, _) =>
            {
                versions.AddRange(batch.Changes.Select(static change => change.After!.Version));
                (batch.IsLoad ? isLoaded : isChanged).TrySetResult();
                return Task.CompletedTask;
            },
            cancellationToken: ending.Token);
        await isLoaded.Task.WaitAsync(Eventually.Deadline, Token);
        (await db.Receipts.FindAsync([1L], Token))!.Version = 2;
        await db.SaveChangesAsync(Token);
        await isChanged.Task.WaitAsync(Eventually.Deadline, Token);

        await ending.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => running);
        Assert.Equal([1, 2], versions);
    }

    [Fact]
    public async Task Invalid_name_or_option_is_refused()
    {
        await using var node = await TestNode.StartAsync(cancellationToken: Token);
        await using var db = new ParcelContext(node.Node);
        Func<ConsumedBatch<Parcel>, CancellationToken, Task> handler = static (_, _) => Task.CompletedTask;

        await Assert.ThrowsAsync<ArgumentException>(() => db.Parcels.ConsumeAsync("", handler, cancellationToken: Token));
        await Assert.ThrowsAsync<ArgumentException>(() => db.Parcels.ConsumeAsync(new string('a', 200), handler, cancellationToken: Token));
        await Assert.ThrowsAsync<ArgumentException>(() => db.Parcels.ConsumeAsync("a", handler, new() { MaxBatchSize = 0 }, Token));
        await Assert.ThrowsAsync<ArgumentException>(() => db.Parcels.ConsumeAsync("a", handler, new() { RetryDelay = TimeSpan.Zero }, Token));
        await Assert.ThrowsAsync<ArgumentOutOfRangeException>(() => db.Parcels.ConsumeAsync("a", handler, new() { LeaseDuration = TimeSpan.Zero }, Token));
    }

    static async Task HoldAsync(TaskCompletionSource isHeld, CancellationToken cancellationToken)
    {
        isHeld.TrySetResult();
        await Task.Delay(Timeout.InfiniteTimeSpan, cancellationToken);
    }

    static async Task<WatchPosition> SavedPositionAsync(ReplicatedStore store) =>
        new((await store.ReadConsumerAsync(Key, Token))!.Position);

    static async Task<WatchPosition> PositionAsync(ReplicatedStore store)
    {
        using var snapshot = await store.OpenSnapshotAsync(Token);
        return await snapshot.GetPositionAsync(Token);
    }

    static async Task<bool> HasGapAsync(ReplicatedStore store, WatchPosition position)
    {
        await using var watch = store.Keyspace("Parcels").WatchAsync(position, Token).GetAsyncEnumerator(Token);
        Assert.True(await watch.MoveNextAsync());
        Assert.True(await watch.MoveNextAsync().AsTask().WaitAsync(Eventually.Deadline, Token));
        return watch.Current.HasGap;
    }
}
