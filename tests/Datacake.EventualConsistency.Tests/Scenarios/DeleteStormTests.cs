using System.Globalization;
using Datacake.Crdt;
using Datacake.EventualConsistency.Indexes;
using Datacake.EventualConsistency.Keyspaces;
using Datacake.EventualConsistency.Layout;
using Datacake.EventualConsistency.Tests.Fixtures;
using Datacake.Lmdb;
using Datacake.Sqlite;
using Datacake.Storage;

namespace Datacake.EventualConsistency.Tests.Scenarios;

/// <summary>
/// Many documents that are put and deleted on three live nodes: 2,000, or the number in the environment variable DATACAKE_STORM.
/// </summary>
public sealed class DeleteStormTests : IDisposable
{
    const string Keyspace = "cakes";
    const int PerTransaction = 1;
    const int InFlight = 128;

    /// <summary>The number of records that an empty store keeps: the format, its identity, its known set, the keyspace and the index.</summary>
    const int MaxMetadata = 5;

    /// <summary>Everything but the sequence, whose entries are kept until all voters have applied them.</summary>
    static readonly KeyRange WithoutSequence = new(default, StoreLayout.SequenceKey);

    static readonly int Documents =
        Environment.GetEnvironmentVariable("DATACAKE_STORM") is { } count ? int.Parse(count, CultureInfo.InvariantCulture) : 2_000;

    static readonly KeyRange[] Emptied =
    [
        StoreLayout.AllDocuments, StoreLayout.AllLog, StoreLayout.AllIndexEntries, StoreLayout.AllArriving, StoreLayout.AllArrivingLog,
    ];

    readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("datacake-");

    static CancellationToken Canceled => TestContext.Current.CancellationToken;

    public void Dispose() => _folder.Delete(recursive: true);

    [Theory]
    [InlineData("memory")]
    [InlineData("sqlite")]
    [InlineData("lmdb")]
    public async Task Documents_deleted_everywhere_leave_nothing_in_any_store(string kind)
    {
        var storages = new List<IStorage>();
        await using (var cluster = await TestCluster.StartAsync(3, node =>
        {
            storages.Add(Open(kind, node));
            return storages[^1];
        }))
        {
            foreach (var store in cluster.Stores)
                await store.DeclareAsync(new KeyspaceDeclaration(Keyspace, MergePolicy.LastWriterWins, [ByValue]), Canceled);
            long start = TimeProvider.System.GetTimestamp();
            await WriteAsync(cluster, (keyspace, keys) => keyspace.PutManyAsync(
                keys.Select(key => KeyValuePair.Create<DocumentKey, ReadOnlyMemory<byte>>(key, BitConverter.GetBytes(key))), Consistency.All, Canceled));
            var put = TimeProvider.System.GetElapsedTime(start);
            Assert.All(await CountAsync(storages, StoreLayout.AllDocuments, StoreLayout.AllIndexEntries), count => Assert.Equal(Documents, count));

            start = TimeProvider.System.GetTimestamp();
            await WriteAsync(cluster, (keyspace, keys) => keyspace.DeleteManyAsync(keys.Select(key => (DocumentKey)key), Consistency.All, Canceled));
            var deleted = TimeProvider.System.GetElapsedTime(start);
            await TestCluster.WaitUntilAsync(
                async () => (await CountAsync(storages, Emptied)).Sum() == 0, "no document, log record or index entry is left in any store");
            var emptied = TimeProvider.System.GetElapsedTime(start) - deleted;
            Assert.All(await CountAsync(storages, WithoutSequence), keys => Assert.InRange(keys, 1, MaxMetadata));
            TestContext.Current.SendDiagnosticMessage(
                $"{kind}: {Documents} documents put in {put.TotalSeconds:0.0} s, deleted in {deleted.TotalSeconds:0.0} s; all stores empty {emptied.TotalSeconds:0.0} s later");
        }
        foreach (var storage in storages)
            await storage.DisposeAsync();
    }

    [Fact]
    public async Task Documents_deleted_while_a_member_is_away_leave_nothing_once_it_is_back()
    {
        var storages = new List<IStorage>();
        await using var cluster = await TestCluster.StartAsync(3, node =>
        {
            storages.Add(Open("memory", node));
            return storages[^1];
        });
        await WriteAsync(cluster, (keyspace, keys) => keyspace.PutManyAsync(
            keys.Select(key => KeyValuePair.Create<DocumentKey, ReadOnlyMemory<byte>>(key, BitConverter.GetBytes(key))), Consistency.All, Canceled));
        cluster[3].Transport.Cut();
        await cluster.WaitUntilAliveAsync(1, 2);
        await WriteAsync(cluster, (keyspace, keys) => keyspace.DeleteManyAsync(keys.Select(key => (DocumentKey)key), Consistency.None, Canceled));
        Assert.Equal(Documents, (await CountAsync(storages, StoreLayout.AllDocuments))[0]);

        long start = TimeProvider.System.GetTimestamp();
        cluster[3].Transport.Heal();
        await TestCluster.WaitUntilAsync(
            async () => (await CountAsync(storages, Emptied)).Sum() == 0, "no document, log record or index entry is left in any store");
        TestContext.Current.SendDiagnosticMessage(
            $"{Documents} documents deleted in part by a member that was away; all stores empty {TimeProvider.System.GetElapsedTime(start).TotalSeconds:0.0} s after it is back");
    }

    /// <summary>Writes the documents, a third of them on each node.</summary>
    static Task WriteAsync(TestCluster cluster, Func<KeyspaceHandle, IEnumerable<long>, ValueTask<CommitResult>> write) => Parallel.ForEachAsync(
        Enumerable.Range(0, Documents).Chunk(PerTransaction).Index(), new ParallelOptions { MaxDegreeOfParallelism = InFlight, CancellationToken = Canceled },
        async (chunk, _) => await write(cluster[1 + (chunk.Index % 3)].Store.Keyspace(Keyspace), chunk.Item.Select(key => (long)key)));

    static Task<long[]> CountAsync(IEnumerable<IStorage> storages, params IEnumerable<KeyRange> ranges) =>
        Task.WhenAll(from storage in storages from range in ranges select CountAsync(storage, range));

    static async Task<long> CountAsync(IStorage storage, KeyRange range)
    {
        using var snapshot = await storage.OpenSnapshotAsync(Canceled);
        long count = 0;
        await foreach (var _ in snapshot.ReadAllAsync(range, Canceled))
            count++;
        return count;
    }

    IStorage Open(string kind, int node) => kind switch
    {
        "sqlite" => new SqliteStorage(Path.Combine(_folder.FullName, $"{node}.db")),
        "lmdb" => new LmdbStorage(Path.Combine(_folder.FullName, $"{node}.mdb")),
        _ => new MemoryStorage(),
    };

    static readonly DocumentIndex ByValue = new("by value", "1", static (document, values) =>
    {
        foreach (var cell in document.Cells)
        {
            values.Writer.Write(cell.Value);
            values.Add();
        }
    });
}
