using System.Runtime.CompilerServices;
using Datacake.Crdt;
using Datacake.Storage;

namespace Datacake.EventualConsistency.Layout;

/// <summary>Methods that read the transaction log of a snapshot [R4].</summary>
static class TransactionLog
{
    /// <summary>Returns all log records, in ascending order of their first stamps.</summary>
    public static async IAsyncEnumerable<LogRecord> ReadAllAsync(
        IStorageSnapshot snapshot, [EnumeratorCancellation] CancellationToken cancellationToken = default)
    {
        await foreach (var (key, value) in snapshot.ReadAllAsync(StoreLayout.AllLog, cancellationToken).ConfigureAwait(false))
            yield return LogRecord.Decode(StoreLayout.StampOfLogKey(key.Span), value);
    }

    /// <summary>Returns the transactions with the given stamps, in no particular order.</summary>
    public static async IAsyncEnumerable<LogTransaction> ReadAsync(
        IStorageSnapshot snapshot, VersionVector stamps, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        await foreach (var (key, value) in snapshot.ReadAllAsync(RangeOf(stamps), cancellationToken).ConfigureAwait(false))
        {
            foreach (var transaction in LogRecord.Decode(StoreLayout.StampOfLogKey(key.Span), value).Transactions)
            {
                if (stamps.Contains(transaction.Stamp))
                    yield return transaction;
            }
        }
    }

    /// <summary>Returns the transactions with the given stamps, in strictly descending order over all nodes.</summary>
    public static async IAsyncEnumerable<LogTransaction> ReadNewestFirstAsync(
        IStorageSnapshot snapshot, VersionVector stamps, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        // Records of several nodes overlap: a transaction waits here until none of the remaining records can contain a greater stamp.
        var waiting = new PriorityQueue<LogTransaction, ulong>();
        await foreach (var (key, value) in snapshot.ReadAllReverseAsync(RangeOf(stamps), cancellationToken).ConfigureAwait(false))
        {
            var first = StoreLayout.StampOfLogKey(key.Span);
            while (waiting.TryPeek(out var newest, out _) && newest.Stamp.Packed > first.Packed + LogRecord.MaxSpan)
                yield return waiting.Dequeue();
            foreach (var transaction in LogRecord.Decode(first, value).Transactions)
            {
                if (stamps.Contains(transaction.Stamp))
                    waiting.Enqueue(transaction, ulong.MaxValue - transaction.Stamp.Packed);
            }
        }
        while (waiting.TryDequeue(out var newest, out _))
            yield return newest;
    }

    /// <summary>Returns the encoded log record that contains a transaction, and the first stamp of the record.</summary>
    public static async ValueTask<(HlcTimestamp First, ReadOnlyMemory<byte> Encoded)?> FindAsync(IStorageSnapshot snapshot, HlcTimestamp stamp)
    {
        await foreach (var (key, value) in snapshot.ReadAllReverseAsync(RangeOf(stamp, stamp)).ConfigureAwait(false))
        {
            var first = StoreLayout.StampOfLogKey(key.Span);
            if (first.Node == stamp.Node)
                return LogRecord.StampsOf(first, value.Span).Contains(stamp) ? (first, value) : null;
        }
        return null;
    }

    static KeyRange RangeOf(VersionVector stamps)
    {
        var lowest = stamps.Top;
        foreach (byte node in stamps.Nodes)
            lowest = HlcTimestamp.Min(lowest, stamps[node][0].Low);
        return RangeOf(lowest, stamps.Top);
    }

    /// <summary>
    /// Returns the range of the log records that may contain stamps from <paramref name="lowest"/> to <paramref name="highest"/>.
    /// </summary>
    static KeyRange RangeOf(HlcTimestamp lowest, HlcTimestamp highest) =>
        StoreLayout.Log(new HlcTimestamp(lowest.Packed - Math.Min(lowest.Packed, LogRecord.MaxSpan + 1)), highest);
}
