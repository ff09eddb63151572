using Datacake.Crdt;
using Datacake.EventualConsistency.Caching;

namespace Datacake.EventualConsistency.Snapshots;

/// <summary>A document in a <see cref="DocumentCache"/>, as the snapshot with the number <paramref name="readAt"/> showed it.</summary>
sealed class CachedDocument(byte[] storageKey, Document document, long readAt)
{
    // The approximate size of the objects around the bytes of the key and of the document.
    const int ObjectOverhead = 176;

    public byte[] StorageKey => storageKey;

    public Document Document => document;

    public long ReadAt => readAt;

    /// <summary>True if the document was read since it was last considered for removal. Written by any reader; need not be exact.</summary>
    public bool WasUsed { get; set; }

    /// <summary>Gets the approximate memory, in bytes, that the document takes.</summary>
    public int Length => ObjectOverhead + storageKey.Length + document.Encoded.Length;
}
