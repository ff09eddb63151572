using Datacake.Crdt;
using Datacake.EventualConsistency.Layout;
using Datacake.Storage;

namespace Datacake.EventualConsistency.Keyspaces;

/// <summary>The entries of an index in the store.</summary>
sealed record IndexEntrySet(ushort Number, DocumentIndex Definition)
{
    /// <summary>Adds the entries of a document.</summary>
    public void Add(WriteBatch batch, ReadOnlySpan<byte> key, Document document)
    {
        foreach (byte[] value in ValuesOf(document))
            Add(batch, key, value);
    }

    /// <summary>Adds and removes what differs between a document and what it was; null is one that is not alive.</summary>
    public void Update(WriteBatch batch, ReadOnlySpan<byte> key, Document? before, Document? after)
    {
        IReadOnlyList<byte[]> old = ValuesOf(before), @new = ValuesOf(after);
        for (int i = 0; i < old.Count; i++)
        {
            if (!Has(@new, old[i]))
                batch.Delete(StoreLayout.IndexEntryKey(Number, old[i], key));
        }
        for (int i = 0; i < @new.Count; i++)
        {
            if (!Has(old, @new[i]))
                Add(batch, key, @new[i]);
        }
    }

    /// <summary>The values under which a document is found.</summary>
    public IReadOnlyList<byte[]> ValuesOf(Document? document)
    {
        if (document is null)
            return [];
        var values = new IndexValues();
        Definition.Extract(document, values);
        return values.Take();
    }

    void Add(WriteBatch batch, ReadOnlySpan<byte> key, byte[] value) =>
        batch.Put(StoreLayout.IndexEntryKey(Number, value, key), new[] { (byte)key.Length });

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
