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
        foreach (byte[] value in old)
        {
            if (!Has(@new, value))
                batch.Delete(StoreLayout.IndexEntryKey(Number, value, key));
        }
        foreach (byte[] value in @new)
        {
            if (!Has(old, value))
                Add(batch, key, value);
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

    static bool Has(IReadOnlyList<byte[]> values, byte[] value) => values.Any(had => had.AsSpan().SequenceEqual(value));
}
