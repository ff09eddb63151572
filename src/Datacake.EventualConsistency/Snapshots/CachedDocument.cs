using Datacake.Crdt;
using Datacake.EventualConsistency.Caching;

namespace Datacake.EventualConsistency.Snapshots;

/// <summary>A document as a snapshot of the number <paramref name="readAt"/> showed it, in a <see cref="DocumentCache"/>.</summary>
sealed class CachedDocument(byte[] storageKey, Document document, long readAt)
{
    // The objects around the bytes of the key and of the document.
    const int LengthOfObjects = 176;

    public byte[] StorageKey => storageKey;

    public Document Document => document;

    public long ReadAt => readAt;

    /// <summary>Whether it was read since it was last considered for removal. Written by any reader, and need not be exact.</summary>
    public bool WasUsed { get; set; }

    /// <summary>The bytes of memory that it takes, about.</summary>
    public int Length => LengthOfObjects + storageKey.Length + document.Encoded.Length;
}
