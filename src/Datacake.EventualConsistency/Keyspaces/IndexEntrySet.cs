using Datacake.Crdt;
using Datacake.EventualConsistency.Indexes;
using Datacake.EventualConsistency.Layout;
using Datacake.Storage;

namespace Datacake.EventualConsistency.Keyspaces;

/// <summary>The stored entries of an index. Entries that it adds to a batch use the memory of the batch.</summary>
sealed record IndexEntrySet(ushort Number, DocumentIndex Definition)
{
    // The value of an entry is one byte: the length of the document's key. It is a slice of this table.
    static readonly ReadOnlyMemory<byte> Lengths = Enumerable.Range(0, DocumentKey.MaxLength + 1).Select(length => (byte)length).ToArray();

    /// <summary>Adds the entries of a document.</summary>
    public void Add(WriteBatch batch, BatchMemory memory, IndexValues values, ReadOnlySpan<byte> key, Document document)
    {
        foreach (byte[] value in ValuesOf(key, document, values))
            Add(batch, memory, key, value);
    }

    /// <summary>
    /// Adds and removes the entries that differ between two versions of a document. Null stands for a document that is not alive.
    /// </summary>
    public void Update(WriteBatch batch, BatchMemory memory, IndexValues values, ReadOnlySpan<byte> key, Document? before, Document? after)
    {
        if (before is not null && after is not null && Definition.IsUnchanged?.Invoke(before, after) == true)
            return;
        IReadOnlyList<byte[]> old = ValuesOf(key, before, values), @new = ValuesOf(key, after, values);
        for (int i = 0; i < old.Count; i++)
        {
            if (!Has(@new, old[i]))
                batch.Delete(KeyOf(memory, old[i], key));
        }
        for (int i = 0; i < @new.Count; i++)
        {
            if (!Has(old, @new[i]))
                Add(batch, memory, key, @new[i]);
        }
    }

    /// <summary>Returns the values under which a document is found. <paramref name="values"/> is used as a buffer.</summary>
    public IReadOnlyList<byte[]> ValuesOf(ReadOnlySpan<byte> key, Document? document, IndexValues values)
    {
        if (document is null)
            return [];
        values.Begin(key);
        Definition.Extract(document, values);
        return values.Take();
    }

    void Add(WriteBatch batch, BatchMemory memory, ReadOnlySpan<byte> key, byte[] value) =>
        batch.Put(KeyOf(memory, value, key), Lengths.Slice(key.Length, 1));

    ReadOnlyMemory<byte> KeyOf(BatchMemory memory, byte[] value, ReadOnlySpan<byte> key)
    {
        var entryKey = memory.Take(StoreLayout.IndexEntryPrefixLength + value.Length + key.Length);
        StoreLayout.WriteIndexEntryKey(entryKey.Span, Number, value, key);
        return entryKey;
    }

    static bool Has(IReadOnlyList<byte[]> values, byte[] value)
    {
        for (int i = 0; i < values.Count; i++)
        {
            if (values[i].AsSpan().SequenceEqual(value))
                return true;
        }
        return false;
    }
}
