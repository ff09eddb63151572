using Datacake.Crdt;
using Datacake.EventualConsistency.Indexes;
using Datacake.EventualConsistency.Keyspaces;
using Datacake.EventualConsistency.Layout;
using Datacake.EventualConsistency.Tests.Fixtures;
using Datacake.Storage;

namespace Datacake.EventualConsistency.Tests.Integrity;

/// <summary>Records that a disk has changed or lost. They are repaired from other members or refused by name, and never returned as data.</summary>
public sealed class DamageTests
{
    const int Count = 20;

    static CancellationToken Canceled => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData(0)]
    [InlineData(77)]
    [InlineData(131)]
    public async Task Damaged_document_is_fetched_again_from_another_node(int bit)
    {
        await using var nodes = new ScenarioNodes();
        var disk = await StartAsync(nodes);
        await disk.FlipAsync(await disk.KeyOfAsync(7), bit);
        var failure = await Assert.ThrowsAsync<StorageException>(() => nodes[2].GetAsync(7));
        Assert.Equal(StorageError.Corrupt, failure.Error);
        Assert.Contains("the document 7 of 'cakes'", failure.Message, StringComparison.Ordinal);

        await WaitUntilRepairedAsync(nodes);
        Assert.Equal("cake 7", await nodes[2].GetAsync(7));
        await AssertSoundAsync(nodes);
        await nodes[2].Log.WaitUntilAsync("Node 2 has repaired the document 7 of 'cakes'");
        Assert.Empty(nodes[1].Store.DifferingMembers);
    }

    [Fact]
    public async Task Value_stored_under_the_key_of_another_is_damage()
    {
        await using var nodes = new ScenarioNodes();
        var disk = await StartAsync(nodes);
        await disk.ExchangeAsync(await disk.KeyOfAsync(3), await disk.KeyOfAsync(4));
        await Assert.ThrowsAsync<StorageException>(() => nodes[2].GetAsync(3));
        await WaitUntilRepairedAsync(nodes);
        Assert.Equal("cake 3", await nodes[2].GetAsync(3));
        await AssertSoundAsync(nodes);
    }

    [Fact]
    public async Task Damaged_document_does_not_keep_others_from_being_written_and_replicated()
    {
        await using var nodes = new ScenarioNodes();
        var disk = await StartAsync(nodes);
        await disk.FlipAsync(await disk.KeyOfAsync(7), 100);
        await nodes[2].PutAsync(100, "pie", Consistency.All);
        await nodes[1].PutAsync(101, "pie", Consistency.All);
        Assert.Equal("pie", await nodes[1].GetAsync(100));
        Assert.Equal("pie", await nodes[2].GetAsync(101));
        // The write of the other node to the damaged document arrives in the end, too.
        await nodes[1].PutAsync(7, "pie", Consistency.None);
        await nodes[2].WaitForRepairedAsync(7, "pie");
        await AssertSoundAsync(nodes, Count + 2);
    }

    [Fact]
    public async Task Damaged_document_of_a_single_node_is_refused_by_name_and_the_others_are_usable()
    {
        await using var nodes = new ScenarioNodes();
        var disk = new DamageableDisk();
        nodes[1].OpenDisk = () => disk;
        await nodes.StartNodeAsync(1);
        await nodes.WaitUntilConnectedAsync(1);
        await nodes[1].PutAsync(1, "cake", Consistency.None);
        await nodes[1].PutAsync(2, "cake", Consistency.None);
        await disk.FlipAsync(await disk.KeyOfAsync(1), 90);
        for (int i = 0; i < 3; i++)
        {
            Assert.Contains("the document 1 of 'cakes'", (await Assert.ThrowsAsync<StorageException>(() => nodes[1].GetAsync(1))).Message, StringComparison.Ordinal);
            await nodes[1].PutAsync(2, $"pie {i}", Consistency.None);
        }
        Assert.Equal("pie 2", await nodes[1].GetAsync(2));
        Assert.Equal(1, nodes[1].Store.DamagedRecords);
        var found = await nodes[1].Store.VerifyAsync(Canceled);
        Assert.Equal("The document 1 of 'cakes' is damaged: its checksum is wrong.", Assert.Single(found.Findings));
    }

    [Fact]
    public async Task Writes_that_only_the_damaged_document_had_are_reported_as_lost()
    {
        await using var nodes = new ScenarioNodes();
        var disk = await StartAsync(nodes);
        await nodes[1].StopAsync();
        await nodes[2].PutAsync(7, "pie", Consistency.None);
        await disk.FlipAsync(await disk.KeyOfAsync(7), 90);
        await Assert.ThrowsAsync<StorageException>(() => nodes[2].GetAsync(7));
        await nodes.StartNodeAsync(1);
        await nodes.WaitUntilConnectedAsync(1, 2);
        await WaitUntilRepairedAsync(nodes);
        await nodes[2].Log.WaitUntilAsync("these writes are lost");
        Assert.Equal("cake 7", await nodes[2].GetAsync(7));
        await AssertSoundAsync(nodes);
    }

    [Fact]
    public async Task Damaged_index_is_rebuilt()
    {
        await using var nodes = new ScenarioNodes();
        var disk = await StartAsync(nodes);
        var index = new DocumentIndex("by text", "1", static (document, values) =>
        {
            values.Writer.Write(document.Value!.Value.Span);
            values.Add();
        });
        await nodes[2].Store.DeclareAsync(new KeyspaceDeclaration("cakes", MergePolicy.LastWriterWins, [index]), Canceled);
        var keys = await disk.KeysAsync(StoreLayout.AllIndexEntries);
        Assert.Equal(Count, keys.Count);
        await disk.FlipAsync(keys[5], 3);
        using (var snapshot = await nodes[2].Store.OpenSnapshotAsync(Canceled))
        {
            var failure = await Assert.ThrowsAsync<StorageException>(async () =>
                await snapshot.ReadIndexAsync("cakes", "by text", KeyRange.All));
            Assert.Contains("an entry of an index", failure.Message, StringComparison.Ordinal);
        }
        await WaitUntilRepairedAsync(nodes);
        await nodes[2].Store.WaitForIndexesAsync("cakes", Canceled);
        await AssertSoundAsync(nodes);
        using var after = await nodes[2].Store.OpenSnapshotAsync(Canceled);
        Assert.Equal(Count, (await after.ReadIndexAsync("cakes", "by text", KeyRange.All)).Count);
    }

    [Fact]
    public async Task Damaged_log_record_is_recreated_so_that_a_returning_node_gets_all_writes()
    {
        await using var nodes = new ScenarioNodes();
        var disk = await StartAsync(nodes);
        await nodes[1].StopAsync();
        for (int key = 0; key < Count; key++)
            await nodes[2].PutAsync(key, "pie", Consistency.None);
        foreach (var key in await disk.KeysAsync(StoreLayout.AllLog))
            await disk.FlipAsync(key, 40);
        Assert.False((await nodes[2].Store.VerifyAsync(Canceled)).IsSound);
        await nodes.StartNodeAsync(1);
        await nodes.WaitUntilConnectedAsync(1, 2);
        for (int key = 0; key < Count; key++)
            await nodes[1].WaitForAsync(key, "pie");
        await WaitUntilRepairedAsync(nodes);
        await AssertSoundAsync(nodes);
    }

    [Fact]
    public async Task Lost_document_is_found_by_verification_and_restored()
    {
        await using var nodes = new ScenarioNodes();
        var disk = await StartAsync(nodes);
        await disk.LoseAsync(await disk.KeyOfAsync(7));
        var found = await nodes[2].Store.VerifyAsync(Canceled);
        Assert.Contains("do not match its count (20) or its fingerprint: 19 documents were found", Assert.Single(found.Findings), StringComparison.Ordinal);
        await nodes[2].WaitForRepairedAsync(7, "cake 7");
        await nodes.WaitUntilEqualAsync(Count, 1, 2);
        await AssertSoundAsync(nodes);
    }

    [Fact]
    public async Task Damage_in_unread_documents_is_found_and_repaired()
    {
        await using var nodes = new ScenarioNodes();
        var disk = await StartAsync(nodes, scrubInterval: TimeSpan.FromMilliseconds(20));
        await disk.FlipAsync(await disk.KeyOfAsync(7), 90);
        await nodes[2].Log.WaitUntilAsync("Node 2 has repaired the document 7 of 'cakes'");
        await AssertSoundAsync(nodes);
    }

    [Fact]
    public async Task Document_lost_through_one_flipped_bit_of_its_key_is_restored_without_other_nodes()
    {
        await using var nodes = new ScenarioNodes();
        var disk = new DamageableDisk();
        nodes[1].OpenDisk = () => disk;
        await nodes.StartNodeAsync(1, options => (options.MaxCacheLength, options.ScrubInterval) = (0, TimeSpan.FromMilliseconds(20)));
        await nodes.WaitUntilConnectedAsync(1);
        await nodes[1].PutAsync(7, "cake 7", Consistency.None);
        await MoveAsync(disk, await disk.KeyOfAsync(7), changedBits: 0x40);
        await nodes[1].WaitForRepairedAsync(7, "cake 7");
        await Eventually.WaitUntilAsync(async () => (await nodes[1].Store.VerifyAsync(Canceled)).IsSound, "node 1 is sound");
        Assert.Single(await disk.KeysAsync(StoreLayout.AllDocuments));
    }

    [Fact]
    public async Task Document_lost_through_several_flipped_bits_of_its_key_is_restored_from_another_node()
    {
        await using var nodes = new ScenarioNodes();
        var disk = await StartAsync(nodes, scrubInterval: TimeSpan.FromMilliseconds(20));
        await MoveAsync(disk, await disk.KeyOfAsync(7), changedBits: 0x60);
        Assert.Null(await nodes[2].GetAsync(7));
        await nodes[2].WaitForRepairedAsync(7, "cake 7");
        await WaitUntilRepairedAsync(nodes);
        await AssertSoundAsync(nodes);
        Assert.Equal(Count, (await disk.KeysAsync(StoreLayout.AllDocuments)).Count);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Record_whose_damaged_key_matches_no_kind_is_removed_and_its_original_is_restored(bool isDocument)
    {
        await using var nodes = new ScenarioNodes();
        var disk = await StartAsync(nodes, scrubInterval: TimeSpan.FromMilliseconds(20));
        await nodes[1].StopAsync();
        await nodes[2].PutAsync(7, "pie", Consistency.None);
        var key = isDocument ? await disk.KeyOfAsync(3) : (await disk.KeysAsync(StoreLayout.AllLog))[^1];
        await disk.ExchangeAsync(new byte[] { 0x00, 0xAA, 0xBB, 0xCC }, key);
        await disk.LoseAsync(key);
        await Eventually.WaitUntilAsync(() => nodes[2].Store.DamagedRecords == 1, "node 2 has found the record");
        await nodes.StartNodeAsync(1);
        await nodes[1].WaitForAsync(7, "pie");
        await nodes[2].WaitForRepairedAsync(3, "cake 3");
        await WaitUntilRepairedAsync(nodes);
        await AssertSoundAsync(nodes);
    }

    [Theory]
    [InlineData("identity", "record of the store's identity is missing")]
    [InlineData("state", "record of the store's known set is missing")]
    [InlineData("keyspace", "keyspace whose record is missing")]
    public async Task Store_that_has_lost_its_metadata_does_not_start_as_a_fresh_one(string record, string reason)
    {
        await using var nodes = new ScenarioNodes();
        var disk = await StartAsync(nodes);
        await nodes[2].StopAsync();
        var documents = (await disk.KeysAsync(StoreLayout.AllDocuments)).Count;
        await disk.LoseAsync(await KeyOfAsync(disk, record));
        var failure = await Assert.ThrowsAsync<StorageException>(() => nodes.StartNodeAsync(2));
        Assert.Equal(StorageError.Corrupt, failure.Error);
        Assert.Contains(reason, failure.Message, StringComparison.Ordinal);
        Assert.Equal(documents, (await disk.KeysAsync(StoreLayout.AllDocuments)).Count);
    }

    [Theory]
    [InlineData("identity")]
    [InlineData("state")]
    [InlineData("keyspace")]
    [InlineData("format")]
    public async Task Store_with_damaged_metadata_is_refused_by_name(string record)
    {
        await using var nodes = new ScenarioNodes();
        var disk = await StartAsync(nodes);
        await nodes[2].StopAsync();
        await disk.FlipAsync(await KeyOfAsync(disk, record), 5);
        var failure = await Assert.ThrowsAsync<StorageException>(() => nodes.StartNodeAsync(2));
        Assert.Equal(StorageError.Corrupt, failure.Error);
        Assert.Contains("is damaged: ", failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Damaged_store_does_not_spread_its_damage()
    {
        await using var nodes = new ScenarioNodes();
        var disk = await StartAsync(nodes);
        // All documents are damaged, but nobody has noticed that when a third node joins from this node or the other one.
        for (int key = 0; key < Count; key++)
            await disk.FlipAsync(await disk.KeyOfAsync(key), 60 + key);
        await nodes.StartNodeAsync(3, configure: settings => settings.ListenOn(nodes[3].Address).WithSeeds(nodes[2].Address));
        await nodes.WaitUntilConnectedAsync(1, 2, 3);
        await nodes[2].Store.VerifyAsync(Canceled);
        await WaitUntilRepairedAsync(nodes);
        await nodes.WaitUntilEqualAsync(Count, 1, 2, 3);
        for (int key = 0; key < Count; key++)
        {
            for (int id = 1; id <= 3; id++)
                Assert.Equal($"cake {key}", await nodes[id].GetAsync(key));
        }
    }

    static async Task<DamageableDisk> StartAsync(ScenarioNodes nodes, TimeSpan scrubInterval = default)
    {
        var disk = new DamageableDisk();
        nodes[2].OpenDisk = () => disk;
        await nodes.StartNodeAsync(1, WithoutCache);
        await nodes.StartNodeAsync(2, WithoutCache);
        await nodes.WaitUntilConnectedAsync(1, 2);
        for (int key = 0; key < Count; key++)
            await nodes[1].PutAsync(key, $"cake {key}", Consistency.All);
        return disk;

        void WithoutCache(ReplicatedStoreOptions options)
        {
            options.MaxCacheLength = 0;
            options.ScrubInterval = scrubInterval;
        }
    }

    static async Task MoveAsync(DamageableDisk disk, ReadOnlyMemory<byte> key, byte changedBits)
    {
        byte[] other = key.ToArray();
        other[^1] ^= changedBits;
        await disk.ExchangeAsync(other, key);
        await disk.LoseAsync(key);
    }

    static async Task<ReadOnlyMemory<byte>> KeyOfAsync(DamageableDisk disk, string record) => record switch
    {
        "identity" => StoreLayout.IdentityKey,
        "state" => StoreLayout.StateKey,
        "format" => StoreLayout.FormatKey,
        _ => (await disk.KeysAsync(StoreLayout.AllKeyspaces)).Single(),
    };

    static async Task WaitUntilRepairedAsync(ScenarioNodes nodes) =>
        await Eventually.WaitUntilAsync(() => nodes[2].Store.DamagedRecords == 0, "node 2 has repaired its records");

    static async Task AssertSoundAsync(ScenarioNodes nodes, long count = Count)
    {
        // Counts and indexes are repaired right after the last record.
        await Eventually.WaitUntilAsync(async () => (await nodes[2].Store.VerifyAsync(Canceled)).IsSound, "node 2 is sound");
        await nodes.WaitUntilEqualAsync(count, 1, 2);
    }
}

/// <summary>Extension methods that wait for nodes whose reads may fail in the meantime.</summary>
static class RepairedNode
{
    public static async Task WaitForRepairedAsync(this ScenarioNode node, int key, string text) => await Eventually.WaitUntilAsync(
        async () =>
        {
            try
            {
                return await node.GetAsync(key) == text;
            }
            catch (StorageException)
            {
                return false;
            }
        },
        $"the node shows '{text}' under {key}");
}
