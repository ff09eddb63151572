using System.IO.Hashing;
using System.Numerics;
using Datacake.Crdt;
using Datacake.EventualConsistency.Layout;
using Datacake.Storage;

namespace Datacake.EventualConsistency.Caching;

/// <summary>
/// Documents that are read by key again and again, decoded: to find one in a storage and to check it costs many times as much as to have it here. It grows with
/// what is read, not with what is stored, and only up to its capacity. Any number of threads read it, without a lock; one commits.
/// </summary>
/// <remarks>
/// <para>
/// Commits are numbered, and so are snapshots: with the last commit that had succeeded before the snapshot was opened. It shows that one and all before, and
/// maybe later ones. Each slot has the number of the last commit that was begun with a key of the slot in it, set before the storage gets the commit.
/// A document that was read through snapshot r is served to snapshot s if the slot's number, read after the document was found, is above neither r's nor s's.
/// </para>
/// <para>
/// That is right. If r and s differ in the document, then by a commit that one of them shows and the other does not: its number n is above that of the other.
/// The one that shows it was opened after the storage had it, so after the slot was set to n, and both were open before the document was found: the slot's
/// number is then n or more, and the document is not served. A storage that shows a commit has ordered memory between who made it and who sees it, or it could
/// show a part of one; a reader puts a document into its slot by a release and finds it by an acquire. What a commit wrote counts as read through a snapshot
/// of its own number, once it has succeeded. The number of a commit that failed is not used again.
/// </para>
/// </remarks>
sealed class DocumentCache
{
    // When there is no room, only a document that is missed twice is added, if no other of its slot was in between: what is read once makes no garbage.
    readonly uint[] _missed;
    readonly Slot[] _slots;
    readonly long _capacity;
    readonly Dictionary<StorageKey, ReadOnlyMemory<byte>?> _replacing = [];     // what the commit under way writes of what was here
    long _length;           // Interlocked
    int _hand;              // Interlocked: where removal goes on
    long _begun;            // the last commit that was begun; of the committing thread
    long _succeeded;        // the last commit that has succeeded

    /// <param name="capacity">The bytes that documents may take.</param>
    public DocumentCache(long capacity)
    {
        _capacity = capacity;
        // Of small documents, a slot for each.
        _slots = new Slot[BitOperations.RoundUpToPowerOf2((uint)Math.Clamp(capacity / 256, 2, 1 << 26))];
        _missed = new uint[_slots.Length];
    }

    /// <summary>The number for a snapshot that is opened after this.</summary>
    public long Now => Volatile.Read(ref _succeeded);

    /// <summary>About how many bytes the documents take.</summary>
    public long Length => Volatile.Read(ref _length);

    /// <summary>A document as a snapshot shows it, if it is here.</summary>
    public CachedDocument? Find(ReadOnlySpan<byte> storageKey, long snapshot)
    {
        int home = HomeOf(HashOf(storageKey));
        return FindIn(home, home, storageKey, snapshot) ?? FindIn(home ^ 1, home, storageKey, snapshot);
    }

    /// <summary>Whether to <see cref="Add"/> a document that was not found here, and was then read from a snapshot.</summary>
    public bool Wants(ReadOnlySpan<byte> storageKey, int documentLength, long snapshot)
    {
        ulong hash = HashOf(storageKey);
        int home = HomeOf(hash);
        if (documentLength > MaxDocumentLength || Volatile.Read(ref _slots[home].Changed) > snapshot)
            return false;
        if (Length + documentLength <= _capacity && (_slots[home].Document is null || _slots[home ^ 1].Document is null))
            return true;
        uint rest = (uint)(hash >> 32);
        if (_missed[home] == rest)
            return true;
        _missed[home] = rest;
        return false;
    }

    /// <summary>Adds a document as a snapshot shows it.</summary>
    public void Add(byte[] storageKey, Document document, long snapshot)
    {
        var added = new CachedDocument(storageKey, document, snapshot);
        ref var slot = ref SlotFor(storageKey);
        var replaced = Interlocked.Exchange(ref slot.Document, added);
        Interlocked.Add(ref _length, added.Length - (replaced?.Length ?? 0));
        while (Length > _capacity)
            RemoveNext();
    }

    /// <summary>Before the storage gets a commit. Returns its number.</summary>
    public long Begin(WriteBatch batch)
    {
        long commit = ++_begun;
        _replacing.Clear();
        foreach (var (key, value) in batch.Operations)
        {
            if (!StoreLayout.IsDocumentKey(key.Span))
                continue;
            int home = HomeOf(HashOf(key.Span));
            Volatile.Write(ref _slots[home].Changed, commit);
            var held = Remove(home, key.Span) ?? Remove(home ^ 1, key.Span);
            if (held is not null)
                _replacing[new StorageKey(held.StorageKey)] = value;
            else if (_replacing.Count > 0 && _replacing.ContainsKey(new StorageKey(key)))
                _replacing[new StorageKey(key)] = value;
        }
        return commit;
    }

    /// <summary>The storage has made the commit that was begun: what is written over and over stays here.</summary>
    public void Complete(long commit)
    {
        Volatile.Write(ref _succeeded, commit);
        foreach (var (key, value) in _replacing)
        {
            if (value is { } written && written.Length <= MaxDocumentLength)
                Add(key.Bytes.ToArray(), Document.Parse(written.ToArray()), commit);
        }
        _replacing.Clear();
    }

    /// <summary>A larger one would take the place of too many others.</summary>
    long MaxDocumentLength => _capacity / 256;

    CachedDocument? FindIn(int slot, int home, ReadOnlySpan<byte> storageKey, long snapshot)
    {
        var found = Volatile.Read(ref _slots[slot].Document);
        if (found is null || !storageKey.SequenceEqual(found.StorageKey))
            return null;
        long changed = Volatile.Read(ref _slots[home].Changed);
        if (changed > found.ReadAt || changed > snapshot)
            return null;
        if (!found.WasUsed)
            found.WasUsed = true;
        return found;
    }

    /// <summary>Where to put a document: a key has two slots.</summary>
    ref Slot SlotFor(ReadOnlySpan<byte> storageKey)
    {
        int home = HomeOf(HashOf(storageKey));
        ref Slot first = ref _slots[home], second = ref _slots[home ^ 1];
        var (inFirst, inSecond) = (first.Document, second.Document);
        if (inFirst is null || storageKey.SequenceEqual(inFirst.StorageKey))
            return ref first;
        if (inSecond is null || storageKey.SequenceEqual(inSecond.StorageKey) || inFirst.WasUsed)
            return ref second;
        return ref first;
    }

    CachedDocument? Remove(int slot, ReadOnlySpan<byte> storageKey)
    {
        var held = Volatile.Read(ref _slots[slot].Document);
        if (held is null || !storageKey.SequenceEqual(held.StorageKey))
            return null;
        Remove(ref _slots[slot], held);
        return held;
    }

    /// <summary>Goes round, and removes the next document that was not used since it came by last.</summary>
    void RemoveNext()
    {
        ref var slot = ref _slots[Interlocked.Increment(ref _hand) & (_slots.Length - 1)];
        var held = Volatile.Read(ref slot.Document);
        if (held is null)
            return;
        if (held.WasUsed)
            held.WasUsed = false;
        else
            Remove(ref slot, held);
    }

    void Remove(ref Slot slot, CachedDocument held)
    {
        if (ReferenceEquals(Interlocked.CompareExchange(ref slot.Document, null, held), held))
            Interlocked.Add(ref _length, -held.Length);
    }

    int HomeOf(ulong hash) => (int)hash & (_slots.Length - 1);

    static ulong HashOf(ReadOnlySpan<byte> storageKey) => XxHash3.HashToUInt64(storageKey);

    struct Slot
    {
        public CachedDocument? Document;    // of this slot's keys, or of its neighbour's
        public long Changed;                // the last commit that was begun with a key of this slot in it
    }
}
