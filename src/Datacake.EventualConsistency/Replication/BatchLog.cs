using System.Runtime.InteropServices;
using Datacake.Crdt;
using Datacake.EventualConsistency.Layout;
using Datacake.Storage;

namespace Datacake.EventualConsistency.Replication;

/// <summary>
/// The transactions that a batch adds to the log, and the records that it removes. Consecutive transactions of one node share a record: a
/// separate record for each transaction was a sixth of the cost of a put. Not thread-safe.
/// </summary>
sealed class BatchLog
{
    readonly List<Added> _added = [];
    readonly List<ReadOnlyMemory<byte>> _keys = [];             // the document keys of all added transactions
    readonly List<HlcTimestamp> _removed = [];                  // the first stamps of the removed records

    readonly record struct Added(HlcTimestamp Previous, HlcTimestamp Stamp, int FirstKey, int KeyCount, int Length, bool MayPurge);

    /// <summary>Gets the number of changes.</summary>
    public int Count => _added.Count + _removed.Count;

    /// <summary>Gets the stamps of the added transactions.</summary>
    public IEnumerable<HlcTimestamp> Stamps => _added.Select(static added => added.Stamp);

    /// <summary>Adds a transaction. The keys' memory must not change until the batch is committed.</summary>
    /// <param name="previous">The preceding transaction of the same node, with no other between them; none if it is not known.</param>
    /// <param name="stamp">The stamp of the transaction.</param>
    /// <param name="documentKeys">The storage keys of the documents that the transaction touches.</param>
    /// <param name="mayPurge"><see cref="LogRecord.MayPurge"/></param>
    public void Add(HlcTimestamp previous, HlcTimestamp stamp, ReadOnlySpan<ReadOnlyMemory<byte>> documentKeys, bool mayPurge)
    {
        _added.Add(new Added(previous, stamp, _keys.Count, documentKeys.Length, LogRecord.LengthOf(documentKeys), mayPurge));
        _keys.AddRange(documentKeys);
    }

    /// <summary>Removes a stored record by its first stamp.</summary>
    public void Remove(HlcTimestamp first) => _removed.Add(first);

    /// <summary>
    /// Discards added transactions that are truncated: those of a stored record that the same batch had rewritten before it truncated the
    /// record.
    /// </summary>
    public void Truncate(VersionVector truncated) => _added.RemoveAll(added => truncated.Contains(added.Stamp));

    /// <summary>Sets <see cref="LogRecord.MayPurge"/> for an added transaction.</summary>
    public void SetMayPurge(HlcTimestamp stamp)
    {
        foreach (ref var added in CollectionsMarshal.AsSpan(_added))
        {
            if (added.Stamp == stamp)
                added = added with { MayPurge = true };
        }
    }

    /// <summary>Writes the changes to a storage batch, removals first.</summary>
    public void WriteTo(WriteBatch batch, BatchMemory memory)
    {
        foreach (var first in _removed)
            batch.Delete(KeyOf(first, memory));
        ReadOnlySpan<Added> rest = CollectionsMarshal.AsSpan(_added);
        while (!rest.IsEmpty)
        {
            var (count, length) = MeasureRecord(rest);
            var record = memory.Take(length);
            Write(record.Span, rest[..count]);
            batch.Put(KeyOf(rest[0].Stamp, memory), record);
            rest = rest[count..];
        }
    }

    public void Clear()
    {
        _added.Clear();
        _keys.Clear();
        _removed.Clear();
    }

    /// <summary>Returns the number of leading transactions that fit in one record, and the length of that record.</summary>
    static (int Count, int Length) MeasureRecord(ReadOnlySpan<Added> added)
    {
        var first = added[0];
        int count = 1, length = LogRecord.HeaderLength + first.Length;
        while (count < added.Length && added[count] is var next && next.Previous == added[count - 1].Stamp && next.MayPurge == first.MayPurge
            && next.Stamp.Packed - first.Stamp.Packed <= LogRecord.MaxSpan && length + next.Length <= LogRecord.MaxLength)
        {
            count++;
            length += next.Length;
        }
        return (count, length);
    }

    void Write(Span<byte> output, ReadOnlySpan<Added> transactions)
    {
        LogRecord.WriteHeader(output, transactions[^1].Stamp, transactions[0].MayPurge);
        output = output[LogRecord.HeaderLength..];
        var keys = CollectionsMarshal.AsSpan(_keys);
        foreach (var transaction in transactions)
            output = output[LogRecord.Write(output, transaction.Stamp, keys.Slice(transaction.FirstKey, transaction.KeyCount))..];
    }

    static ReadOnlyMemory<byte> KeyOf(HlcTimestamp first, BatchMemory memory)
    {
        var key = memory.Take(StoreLayout.LogKeyLength);
        StoreLayout.WriteLogKey(key.Span, first);
        return key;
    }
}
