using CsCheck;
using Datacake.Crdt;
using Datacake.EventualConsistency.Layout;
using Datacake.EventualConsistency.Replication;
using Datacake.Storage;

namespace Datacake.EventualConsistency.Tests.Layout;

/// <summary>Transactions that become records of the log and are found in it.</summary>
public sealed class TransactionLogTests
{
    // One transaction of a commit: its node, the advance of the clock, whether the previous transaction is known, the number of keys, and whether it may purge.
    static readonly Gen<(int Node, ulong Step, bool Follows, int Keys, bool MayPurge)> GenAdded = Gen.Select(
        Gen.Int[1, 3], Gen.Frequency((8, Gen.ULong[1, 100]), (1, Gen.ULong[1, LogRecord.MaxSpan >> 8])), Gen.Frequency((8, Gen.Const(true)), (1, Gen.Const(false))),
        Gen.Frequency((20, Gen.Int[0, 3]), (1, Gen.Const(300))), Gen.Frequency((20, Gen.Const(false)), (1, Gen.Const(true))));

    [Fact]
    public void Transactions_are_found_and_read_newest_first() =>
        Gen.Select(GenAdded.List[1, 8].List[1, 30], Gen.Double.Unit, Gen.Double.Unit)
            .Sample((commits, from, to) => CheckAsync(commits, from, to).GetAwaiter().GetResult(), iter: 300);

    [Fact]
    public async Task Consecutive_transactions_of_a_commit_share_one_record()
    {
        await using var storage = new MemoryStorage();
        await CommitAsync(storage, log =>
        {
            for (int number = 1; number <= 100; number++)
                log.Add(StampOf(1, (ulong)number - 1), StampOf(1, (ulong)number), [new byte[11]], mayPurge: false);
        });
        using var snapshot = await storage.OpenSnapshotAsync(TestContext.Current.CancellationToken);
        var page = await snapshot.ScanAsync(StoreLayout.AllLog, ScanDirection.Forward, 10, TestContext.Current.CancellationToken);
        var record = LogRecord.Decode(StampOf(1, 1), Assert.Single(page).Value);
        Assert.Equal(Enumerable.Range(1, 100).Select(number => StampOf(1, (ulong)number)), record.Transactions.Select(transaction => transaction.Stamp));
    }

    static async Task CheckAsync(List<List<(int Node, ulong Step, bool Follows, int Keys, bool MayPurge)>> commits, double from, double to)
    {
        await using var storage = new MemoryStorage();
        var stamps = new List<HlcTimestamp>();
        ulong clock = 1;
        foreach (var commit in commits)
        {
            await CommitAsync(storage, log =>
            {
                foreach (var (node, step, follows, keys, mayPurge) in commit)
                {
                    var previous = stamps.FindLast(stamp => stamp.Node == node);
                    var stamp = StampOf(node, clock += step);
                    log.Add(follows ? previous : HlcTimestamp.None, stamp, Enumerable.Repeat<ReadOnlyMemory<byte>>(new byte[20], keys).ToArray(), mayPurge);
                    stamps.Add(stamp);
                }
            });
        }
        var wanted = VersionVector.Of(1, At(from), At(to)).Union(VersionVector.Of(2, At(to), At(from))).Union(VersionVector.Of(3, At(from), At(1)));
        using var snapshot = await storage.OpenSnapshotAsync(TestContext.Current.CancellationToken);

        var found = new List<HlcTimestamp>();
        await foreach (var transaction in TransactionLog.ReadNewestFirstAsync(snapshot, wanted, TestContext.Current.CancellationToken))
            found.Add(transaction.Stamp);
        Assert.Equal(stamps.Where(wanted.Contains).OrderDescending(), found);
        found.Clear();
        await foreach (var transaction in TransactionLog.ReadAsync(snapshot, wanted, TestContext.Current.CancellationToken))
            found.Add(transaction.Stamp);
        Assert.Equal(stamps.Where(wanted.Contains).Order(), found.Order());
        foreach (var stamp in stamps)
        {
            var (first, encoded) = Assert.NotNull(await TransactionLog.FindAsync(snapshot, stamp));
            Assert.Contains(stamp, LogRecord.Decode(first, encoded).Transactions.Select(transaction => transaction.Stamp));
        }
        Assert.Null(await TransactionLog.FindAsync(snapshot, StampOf(4, clock)));

        HlcTimestamp At(double share) => new((ulong)(share * stamps[^1].Packed));
    }

    static async Task CommitAsync(MemoryStorage storage, Action<BatchLog> add)
    {
        var log = new BatchLog();
        add(log);
        var batch = new WriteBatch();
        log.WriteTo(batch, new BatchMemory());
        await storage.CommitAsync(batch, Durability.Buffered, TestContext.Current.CancellationToken);
    }

    static HlcTimestamp StampOf(int node, ulong time) => new((time << 8) | (byte)node);
}
