using Datacake.Crdt;
using Datacake.EventualConsistency.Layout;
using Datacake.EventualConsistency.Tests.Fixtures;
using Datacake.Storage;

namespace Datacake.EventualConsistency.Tests.Scenarios;

/// <summary>Disks that are full, and disks that lose data.</summary>
public sealed class DiskTests
{
    static CancellationToken Canceled => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Node_on_a_full_disk_starts_for_reading_and_writes_again_once_there_is_space()
    {
        await using var nodes = new ScenarioNodes();
        var disk = new FaultyStorage { Failure = () => new StorageException(StorageError.Full, "The disk is full.") };
        nodes[2].OpenDisk = () => new KeptStorage(disk);
        await nodes.StartNodeAsync(1);
        await nodes.StartNodeAsync(2);
        await nodes.WaitUntilConnectedAsync(1, 2);
        await nodes[2].PutAsync(1, "cake", Consistency.All);
        await nodes[2].StopAsync();

        disk.CommitsToFail = int.MaxValue;
        await nodes.StartNodeAsync(2);
        Assert.Equal("cake", await nodes[2].GetAsync(1));
        Assert.Equal(1, (await nodes[2].Cakes.GetStatisticsAsync(Canceled)).Count);
        Assert.Equal(StorageError.Full, Assert.IsType<StorageException>(nodes[2].Store.StorageFailure).Error);
        var failure = await Assert.ThrowsAsync<StorageException>(() => nodes[2].PutAsync(1, "pie", Consistency.None));
        Assert.Equal(StorageError.Full, failure.Error);
        Assert.Equal("cake", await nodes[2].GetAsync(1));

        disk.CommitsToFail = 0;
        await nodes.WaitUntilConnectedAsync(1, 2);
        await nodes[2].PutAsync(1, "pie", Consistency.All);
        // A write that needs no more room than it frees does not show that there is room; the next tick finds out.
        await Eventually.WaitUntilAsync(() => nodes[2].Store.StorageFailure is null, "the disk has space again");
        Assert.Equal("pie", await nodes[1].GetAsync(1));
    }

    [Fact]
    public async Task Replica_that_lost_a_document_is_detected_reported_and_healed()
    {
        await using var nodes = new ScenarioNodes();
        var disk = new MemoryStorage();
        nodes[2].OpenDisk = () => new KeptStorage(disk);
        await nodes.StartNodeAsync(1);
        await nodes.StartNodeAsync(2);
        await nodes.WaitUntilConnectedAsync(1, 2);
        for (int key = 0; key < 20; key++)
            await nodes[1].PutAsync(key, "cake", Consistency.All);
        // The write is so old that it is in no log, so a pull would not bring the document.
        await Eventually.WaitUntilAsync(async () => await IsLogEmptyAsync(disk), "the log of node 2 is truncated");
        await nodes[2].StopAsync();
        await LoseAsync(disk, 7);

        IReadOnlyCollection<byte>[] shown = [[], []];
        for (int id = 1; id <= 2; id++)
        {
            int self = id;
            nodes[id].Log.Logging = message =>
            {
                if (message.Contains("shows something else", StringComparison.Ordinal))
                    shown[self - 1] = nodes[self].Store.DifferingMembers;
            };
        }
        await nodes.StartNodeAsync(2);
        await nodes.WaitUntilConnectedAsync(1, 2);
        await nodes[2].WaitForAsync(7, "cake");
        await nodes.WaitUntilEqualAsync(20, 1, 2);
        await Eventually.WaitUntilAsync(() => nodes[1].Store.DifferingMembers.Count + nodes[2].Store.DifferingMembers.Count == 0, "both show the same");
        Assert.Equal([1], shown[1]);
        await nodes[2].Log.WaitUntilAsync("Node 2 again shows the same documents");
    }

    static async Task<bool> IsLogEmptyAsync(MemoryStorage disk)
    {
        using var snapshot = await disk.OpenSnapshotAsync(Canceled);
        return !await snapshot.ReadAllAsync(StoreLayout.AllLog, Canceled).AnyAsync(Canceled);
    }

    /// <summary>Removes a document from the only keyspace as a fault of the merge would, with a matching record of the keyspace.</summary>
    static async Task LoseAsync(MemoryStorage disk, int key)
    {
        using var snapshot = await disk.OpenSnapshotAsync(Canceled);
        var (recordKey, encoded) = await snapshot.ReadAllAsync(StoreLayout.AllKeyspaces, Canceled).SingleAsync(Canceled);
        var record = KeyspaceRecord.Decode(encoded);
        await foreach (var (documentKey, value) in snapshot.ReadAllAsync(StoreLayout.AllDocuments, Canceled))
        {
            if (!documentKey.Span[StoreLayout.DocumentPrefixLength..].SequenceEqual(DocumentKey.Of(key).Encoded.Span))
                continue;
            var part = Fingerprint.Of(documentKey.Span[StoreLayout.DocumentPrefixLength..], Document.Parse(value.ToArray()), record.Policy);
            var batch = new WriteBatch();
            batch.Delete(documentKey.ToArray());
            batch.Put(recordKey.ToArray(), (record with { Count = record.Count - 1, Fingerprint = record.Fingerprint - part }).Encode());
            await disk.CommitAsync(batch, Datacake.Storage.Durability.Buffered, Canceled);
            return;
        }
        Assert.Fail($"There is no document {key}.");
    }
}
