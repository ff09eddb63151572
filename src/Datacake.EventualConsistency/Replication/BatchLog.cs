using System.Runtime.InteropServices;
using Datacake.Crdt;
using Datacake.EventualConsistency.Layout;
using Datacake.Storage;

namespace Datacake.EventualConsistency.Replication;

/// <summary>
/// What a batch adds to the transaction log, and removes from it. Transactions of one node that it adds one after the other become one record: a record
/// for each was a sixth of what a put cost. Not thread-safe.
/// </summary>
sealed class BatchLog
{
    readonly List<Added> _added = [];
    readonly List<ReadOnlyMemory<byte>> _keys = [];             // of the documents of all that is added
    readonly List<HlcTimestamp> _removed = [];                  // the first stamps of records

    readonly record struct Added(HlcTimestamp Previous, HlcTimestamp Stamp, int FirstKey, int KeyCount, int Length, bool MayPurge);

    /// <summary>How many changes there are.</summary>
    public int Count => _added.Count + _removed.Count;

    /// <summary>Gets the stamps of the transactions that are added.</summary>
    public IEnumerable<HlcTimestamp> Stamps => _added.Select(static added => added.Stamp);

    /// <summary>Adds a transaction. The keys' memory must not change until the batch is committed.</summary>
    /// <param name="previous">The transaction of that node before it, with none between them; none if that is not known.</param>
    /// <param name="stamp">Its stamp.</param>
    /// <param name="documentKeys">The documents that it touches.</param>
    /// <param name="mayPurge"><see cref="LogRecord.MayPurge"/></param>
    public void Add(HlcTimestamp previous, HlcTimestamp stamp, ReadOnlySpan<ReadOnlyMemory<byte>> documentKeys, bool mayPurge)
    {
        _added.Add(new Added(previous, stamp, _keys.Count, documentKeys.Length, LogRecord.LengthOf(documentKeys), mayPurge));
        _keys.AddRange(documentKeys);
    }

    /// <summary>Removes a stored record by its first stamp.</summary>
    public void Remove(HlcTimestamp first) => _removed.Add(first);

    /// <summary>Leaves out what is truncated of what is added: a stored record that the same batch has put anew, before it came to truncate it.</summary>
    public void Truncate(VersionVector truncated) => _added.RemoveAll(added => truncated.Contains(added.Stamp));

    /// <summary>Makes the record of a transaction that is added say <see cref="LogRecord.MayPurge"/>.</summary>
    public void SetMayPurge(HlcTimestamp stamp)
    {
        foreach (ref var added in CollectionsMarshal.AsSpan(_added))
        {
            if (added.Stamp == stamp)
                added = added with { MayPurge = true };
        }
    }

    /// <summary>Writes the changes into a storage batch: what is removed first.</summary>
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

    /// <summary>How many of the first transactions make up one record, and its length.</summary>
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
