using System.Text;
using Datacake.Crdt;
using Datacake.EventualConsistency.Indexes;
using Datacake.EventualConsistency.Keyspaces;
using Datacake.EventualConsistency.Layout;
using Datacake.EventualConsistency.Snapshots;
using Datacake.EventualConsistency.Tests.Fixtures;
using Datacake.Storage;

namespace Datacake.EventualConsistency.Tests.Scenarios;

/// <summary>Documents that expire, on real nodes whose wall clocks the tests move [R20].</summary>
public sealed class ExpiryTests
{
    static readonly KeyRange[] Emptied = [StoreLayout.AllDocuments, StoreLayout.AllLog, StoreLayout.AllIndexEntries];

    static readonly TimeSpan Minute = TimeSpan.FromMinutes(1);

    static CancellationToken Canceled => TestContext.Current.CancellationToken;

    static DateTimeOffset InAMinute => DateTimeOffset.UtcNow + Minute;

    [Fact]
    public async Task Expired_document_is_not_shown_in_any_way_before_it_is_removed()
    {
        await using var nodes = new ScenarioNodes();
        await nodes.StartNodeAsync(1);
        await nodes.WaitUntilConnectedAsync(1);
        await nodes[1].StopAsync();
        // Nothing is removed between two reports.
        await nodes.StartNodeAsync(1, store => store.ReportInterval = TimeSpan.FromMinutes(10));
        var (store, cakes) = (nodes[1].Store, nodes[1].Cakes);
        await store.DeclareAsync(new KeyspaceDeclaration("cakes", MergePolicy.LastWriterWins, [ByValue]), Canceled);
        await nodes[1].PutAsync(1, "stays", Consistency.None);
        await PutAsync(nodes[1], 2, "goes", InAMinute);
        Assert.Equal("goes", await nodes[1].GetAsync(2));
        Assert.Equal(2, (await cakes.GetStatisticsAsync(Canceled)).Count);

        nodes.SetClocks(2 * Minute);

        Assert.Null(await nodes[1].GetAsync(2));
        Assert.Null(await cakes.GetAsync(2, Consistency.All, Canceled));
        Assert.Equal([1], (await cakes.GetManyAsync([1, 2], Canceled)).Select(found => found.Key));
        Assert.Equal(1, (await cakes.GetStatisticsAsync(Canceled)).Count);
        Assert.Single(await AllOfAsync(cakes));
        using var snapshot = await store.OpenSnapshotAsync(Canceled);
        Assert.True(await snapshot.HasExpiredAsync("cakes", Canceled));
        using var page = new DocumentPage();
        await snapshot.ScanAsync("cakes", KeyRange.All, ScanDirection.Forward, 10, page, Canceled);
        int shown = 0;
        foreach (var _ in page)
            shown++;
        Assert.Equal(1, shown);
        // Writers do not see it either.
        var update = new Transaction();
        update.Update("cakes", 2, DocumentContent.OfRaw("late"u8));
        await Assert.ThrowsAsync<DocumentNotFoundException>(async () => await store.CommitAsync(update, Consistency.None, Canceled));
        var guarded = new Transaction();
        guarded.Require("cakes", 2, static current => current is null);
        guarded.Put("cakes", 2, DocumentContent.OfRaw("again"u8));
        await store.CommitAsync(guarded, Consistency.None, Canceled);
        Assert.Equal("again", await nodes[1].GetAsync(2));
    }

    [Fact]
    public async Task Expired_documents_leave_nothing_in_any_store()
    {
        await using var nodes = await ScenarioNodes.StartAsync(3);
        var disks = Enumerable.Range(1, 3).Select(id => nodes[id].OpenDisk()).ToArray();
        for (int id = 1; id <= 3; id++)
            await nodes[id].Store.DeclareAsync(new KeyspaceDeclaration("cakes", MergePolicy.LastWriterWins, [ByValue]), Canceled);
        for (int key = 1; key <= 100; key++)
            await PutAsync(nodes[1 + (key % 3)], key, $"cake {key}", InAMinute, Consistency.All);
        await nodes.WaitUntilEqualAsync(100, 1, 2, 3);

        nodes.SetClocks(2 * Minute);

        await nodes.WaitUntilEqualAsync(0, 1, 2, 3);
        await Eventually.WaitUntilAsync(async () => await CountAsync(disks, Emptied) == 0, "no document, log record or index entry is left in any store");
        Assert.All([1, 2, 3], id => Assert.Empty(nodes[id].Store.DifferingMembers));
    }

    [Fact]
    public async Task Watch_reports_that_a_document_has_expired()
    {
        await using var nodes = await ScenarioNodes.StartAsync(1);
        await PutAsync(nodes[1], 1, "goes", InAMinute);
        await using var watch = nodes[1].Cakes.WatchAsync(WatchPosition.Now, Canceled).GetAsyncEnumerator(Canceled);
        Assert.True(await watch.MoveNextAsync());

        nodes.SetClocks(2 * Minute);

        while (watch.Current.Changes.Count == 0)
            Assert.True(await watch.MoveNextAsync().AsTask().WaitAsync(Eventually.Deadline, Canceled));
        var change = Assert.Single(watch.Current.Changes);
        Assert.Equal<DocumentKey>(1, change.Key);
        Assert.Null(change.After);
    }

    [Fact]
    public async Task Put_of_a_member_that_had_not_heard_of_it_stays_superseded_by_an_expired_put()
    {
        await using var nodes = await ScenarioNodes.StartAsync(3);
        nodes[3].Transport.Cut();
        await nodes.WaitUntilConnectedAsync(1, 2);
        await nodes[3].PutAsync(1, "older", Consistency.None);
        await Eventually.WaitUntilAsync(() => nodes[1].Time.GetUtcNow() > DateTimeOffset.UtcNow.AddMilliseconds(-1), "the clocks have moved on");
        nodes[1].Node.Clock.Observe(nodes[3].Node.Clock.Last);
        await PutAsync(nodes[1], 1, "newer", InAMinute);
        nodes.SetClocks(2 * Minute);
        await Eventually.WaitUntilAsync(
            async () => (await MetadataOfAsync(nodes[1])).All(static document => document.IsDeleted), "node 1 has removed the document");

        nodes[3].Transport.Heal();

        await nodes.WaitUntilConnectedAsync(1, 2, 3);
        await nodes.WaitUntilEqualAsync(0, 1, 2, 3);
        var left = new List<string>();
        await Eventually.WaitUntilAsync(
            async () =>
            {
                left.Clear();
                for (int id = 1; id <= 3; id++)
                    left.AddRange((await MetadataOfAsync(nodes[id])).Select(document => $"{id}: {document}"));
                return left.Count == 0;
            },
            () => $"nothing is left of the document: {string.Join("; ", left)}");
    }

    [Fact]
    public async Task Update_of_a_node_whose_clock_is_behind_does_not_bring_an_expired_document_back()
    {
        await using var nodes = await ScenarioNodes.StartAsync(2);
        await PutAsync(nodes[1], 1, "goes", InAMinute, Consistency.All);
        nodes[1].Time.Offset = 2 * Minute;
        await Eventually.WaitUntilAsync(async () => await CountAsync([nodes[1].OpenDisk()], StoreLayout.AllDocuments) == 0, "node 1 has removed the document");
        Assert.Equal("goes", await nodes[2].GetAsync(1));
        var update = new Transaction();
        update.Update("cakes", 1, DocumentContent.OfRaw("late"u8));
        await nodes[2].Store.CommitAsync(update, Consistency.All, Canceled);
        Assert.Equal("late", await nodes[2].GetAsync(1));
        Assert.Null(await nodes[1].GetAsync(1));

        nodes[2].Time.Offset = 2 * Minute;

        await nodes.WaitUntilEqualAsync(0, 1, 2);
        await Eventually.WaitUntilAsync(
            async () => await CountAsync([nodes[1].OpenDisk(), nodes[2].OpenDisk()], StoreLayout.AllDocuments) == 0, "nothing is left of the document");
    }

    [Fact]
    public async Task Expiry_survives_a_restart_and_a_join()
    {
        await using var nodes = await ScenarioNodes.StartAsync(1);
        await PutAsync(nodes[1], 1, "goes", InAMinute);
        await nodes[1].StopAsync();
        await nodes.StartNodeAsync(1);
        await nodes.WaitUntilConnectedAsync(1);
        await nodes.StartNodeAsync(2);
        await nodes.WaitUntilConnectedAsync(1, 2);
        Assert.Equal("goes", await nodes[2].GetAsync(1));

        nodes.SetClocks(2 * Minute);

        Assert.Null(await nodes[1].GetAsync(1));
        Assert.Null(await nodes[2].GetAsync(1));
        await Eventually.WaitUntilAsync(
            async () => await CountAsync([nodes[1].OpenDisk(), nodes[2].OpenDisk()], StoreLayout.AllDocuments) == 0, "both nodes have removed the document");
    }

    [Fact]
    public async Task First_document_that_expires_is_removed_after_its_commit_has_failed_and_was_stored()
    {
        var storage = new FaultyStorage { StoresFailedCommits = true };
        await using var cluster = await TestCluster.StartAsync(1, _ => storage);
        var cakes = cluster[1].Store.Keyspace("cakes");
        await cakes.PutAsync(1, "stays"u8.ToArray(), Consistency.None, Canceled);
        storage.FailingOperation = static operation => StoreLayout.IsDocumentKey(operation.Key.Span);
        storage.CommitsToFail = 1;
        await Assert.ThrowsAsync<StorageException>(async () => await cakes.PutExpiringAsync(2, "goes"u8.ToArray(), DateTimeOffset.UtcNow - Minute, Consistency.None, Canceled));

        // No later document that expires reminds the node.
        await Eventually.WaitUntilAsync(async () => await CountAsync([storage], StoreLayout.AllDocuments) == 1, "the document is removed");
        Assert.Equal(1, (await cakes.GetStatisticsAsync(Canceled)).Count);
    }

    [Fact]
    public async Task Serial_documents_cannot_expire()
    {
        await using var nodes = await ScenarioNodes.StartAsync(1);
        await nodes[1].Store.DeclareAsync(new KeyspaceDeclaration("cakes", MergePolicy.Serial, []), Canceled);
        var error = await Assert.ThrowsAsync<InvalidOperationException>(() => PutAsync(nodes[1], 1, "goes", InAMinute));
        Assert.Contains("serial", error.Message, StringComparison.Ordinal);
        await Assert.ThrowsAsync<ArgumentOutOfRangeException>(() => PutAsync(nodes[1], 1, "goes", DateTimeOffset.MinValue));
        var refused = await Assert.ThrowsAsync<ArgumentException>(() => PutAsync(nodes[1], 1, "goes", InAMinute, Consistency.Serial));
        Assert.Contains("cannot expire", refused.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Serial_transactions_go_on_after_an_update_of_a_document_that_has_expired_meanwhile()
    {
        await using var nodes = new ScenarioNodes();
        await nodes.StartNodeAsync(1);
        await nodes.WaitUntilConnectedAsync(1);
        await nodes[1].StopAsync();
        // Nothing is removed between two reports.
        await nodes.StartNodeAsync(1, store => store.ReportInterval = TimeSpan.FromMinutes(10));
        await PutAsync(nodes[1], 1, "goes", InAMinute);
        nodes.SetClocks(2 * Minute);
        var update = new Transaction();
        update.Update("cakes", 1, DocumentContent.OfRaw("late"u8));
        update.Put("cakes", 2, DocumentContent.OfRaw("stays"u8));

        await nodes[1].Store.CommitAsync(update, Consistency.Serial, Canceled);

        Assert.Null(await nodes[1].GetAsync(1));
        Assert.Equal("stays", await nodes[1].GetAsync(2));
    }

    static DocumentIndex ByValue { get; } = new("value", "1", static (document, values) =>
    {
        if (document.Value is not { } value)
            return;
        values.Writer.Write(value.Span);
        values.Add();
    });

    static async Task PutAsync(ScenarioNode node, int key, string text, DateTimeOffset expires, Consistency level = Consistency.None) =>
        await node.Cakes.PutExpiringAsync(key, Encoding.UTF8.GetBytes(text), expires, level, Canceled);

    static async Task<List<StoredDocument>> AllOfAsync(KeyspaceHandle keyspace)
    {
        var all = new List<StoredDocument>();
        await foreach (var document in keyspace.ReadAllAsync(Canceled))
            all.Add(document);
        return all;
    }

    static async Task<List<DocumentMetadata>> MetadataOfAsync(ScenarioNode node)
    {
        var all = new List<DocumentMetadata>();
        await foreach (var document in node.Cakes.ReadMetadataAsync(Canceled))
            all.Add(document);
        return all;
    }

    static async Task<int> CountAsync(IStorage[] disks, params KeyRange[] ranges)
    {
        int count = 0;
        foreach (var disk in disks)
        {
            using var snapshot = await disk.OpenSnapshotAsync(Canceled);
            foreach (var range in ranges)
                count += (await snapshot.ScanAsync(range, ScanDirection.Forward, 10_000, Canceled)).Count;
        }
        return count;
    }
}
