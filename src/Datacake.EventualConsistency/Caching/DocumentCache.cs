using System.IO.Hashing;
using System.Numerics;
using Datacake.Crdt;
using Datacake.EventualConsistency.Layout;
using Datacake.EventualConsistency.Snapshots;
using Datacake.Storage;

namespace Datacake.EventualConsistency.Caching;

/// <summary>
/// A cache of decoded documents that are read by key repeatedly, because finding a document in the storage and checking it costs many times
/// as much as finding it here. The cache grows with what is read, not with what is stored, and only up to its capacity. Any number of
/// threads read it without a lock; one thread commits.
/// </summary>
/// <remarks>
/// <para>
/// Commits are numbered. A snapshot has the number of the last commit that had succeeded before the snapshot was opened; it shows that
/// commit and all earlier ones, and possibly later ones. Each slot has the number of the last commit that was begun and writes a key of the
/// slot; the number is set before the storage gets the commit. A document that was read through snapshot r is served to snapshot s if the
/// number of the slot, read after the document was found, exceeds neither the number of r nor the number of s.
/// </para>
/// <para>
/// This is correct. If r and s differ in the document, one of them shows a commit n of the document that the other does not show, and n
/// exceeds the number of the other. The one that shows the commit was opened after the storage had it, and therefore after the slot was set
/// to n. Both snapshots were open before the document was found, so the number that is read from the slot is at least n, and the document is
/// not served. Memory ordering: a storage that shows a commit has ordered memory between the thread that made the commit and the thread that
/// sees it, or it could show part of a commit. A reader puts a document into its slot with release semantics and finds it with acquire
/// semantics. Once a commit has succeeded, the documents that it wrote count as read through a snapshot with the number of the commit. The
/// number of a failed commit is not used again.
/// </para>
/// <para>
/// The table grows with the number of documents, because a node may hold a thousand stores. A larger table takes over the numbers of the slots, and then the
/// documents, under a lock that the beginning of a commit takes, too. A reader that still looks into the earlier table has opened its snapshot before, and
/// finds there only what others with such snapshots have read; no commit that has begun since matters to them.
/// </para>
/// </remarks>
sealed class DocumentCache
{
    /// <summary>
    /// The number of times in a row that a document must be missed, without another key of its slot in between, to take the place of
    /// another document.
    /// </summary>
    const uint MissesToReplace = 4;

    const int FirstSlots = 256, Growth = 4;

    readonly Lock _growing = new();
    readonly int _maxSlots;
    readonly long _capacity;
    volatile Slot[] _slots;     // replaced by a larger table under the lock
    int _count;             // Interlocked: the number of documents
    readonly Dictionary<StorageKey, ReadOnlyMemory<byte>?> _replacing = [];     // the new values of cached documents that the current commit writes
    long _length;           // Interlocked
    int _hand;              // Interlocked: where removal continues
    long _begun;            // the number of the last commit that was begun; used by the committing thread alone
    long _succeeded;        // the number of the last commit that has succeeded

    /// <param name="capacity">The maximum memory, in bytes, that documents may take.</param>
    public DocumentCache(long capacity)
    {
        _capacity = capacity;
        // As many slots as small documents fit into the cache.
        _maxSlots = (int)BitOperations.RoundUpToPowerOf2((uint)Math.Clamp(capacity / 256, 2, 1 << 26));
        _slots = new Slot[Math.Min(FirstSlots, _maxSlots)];
    }

    /// <summary>Gets the number for a snapshot that is opened after this call.</summary>
    public long Now => Volatile.Read(ref _succeeded);

    /// <summary>Gets the approximate memory, in bytes, that the cached documents take.</summary>
    public long Length => Volatile.Read(ref _length);

    /// <summary>Returns a document as a snapshot shows it, or null if it is not in the cache.</summary>
    public CachedDocument? Find(ReadOnlySpan<byte> storageKey, long snapshot)
    {
        var slots = _slots;
        var place = PlaceOf(storageKey, slots);
        var found = FindIn(slots, place.First, place, storageKey) ?? FindIn(slots, place.Second, place, storageKey);
        if (found is null)
            return null;
        long changed = Volatile.Read(ref slots[place.First].Changed);
        if (changed > found.ReadAt || changed > snapshot)
            return null;
        if (!found.WasUsed)
            found.WasUsed = true;
        return found;
    }

    /// <summary>
    /// Returns true if a document that was not found in the cache, and was then read from a snapshot, should be passed to
    /// <see cref="Add"/>.
    /// </summary>
    public bool Wants(ReadOnlySpan<byte> storageKey, int documentLength, long snapshot)
    {
        var slots = _slots;
        var place = PlaceOf(storageKey, slots);
        ref Slot first = ref slots[place.First], second = ref slots[place.Second];
        if (documentLength > MaxDocumentLength || Volatile.Read(ref first.Changed) > snapshot)
            return false;
        // If the cache is full, a document that is soon replaced costs more than it saves: by then it is in an old generation, where garbage
        // collection is expensive.
        if (Length <= _capacity - (_capacity / 8) && (first.Document is null || second.Document is null))
            return true;
        if (first.CountMiss(place.Tag) < MissesToReplace)
            return false;
        if (first.Document is not { WasUsed: true } inFirst || second.Document is not { WasUsed: true } inSecond)
            return true;
        inFirst.WasUsed = inSecond.WasUsed = false;
        return false;
    }

    /// <summary>Adds a document as a snapshot shows it.</summary>
    public void Add(byte[] storageKey, Document document, long snapshot)
    {
        var slots = _slots;
        var added = new CachedDocument(storageKey, document, snapshot);
        ref var slot = ref Put(slots, added);
        // A document that came too late to be taken over into a larger table is lost, and must not count.
        if (slots != _slots)
            Remove(ref slot, added);
        else if (Volatile.Read(ref _count) > slots.Length / 4 && slots.Length < _maxSlots)
            Grow();
        while (Length > _capacity)
            RemoveNext();
    }

    /// <summary>Removes everything, because cached documents may no longer be in the storage.</summary>
    public void Clear()
    {
        lock (_growing)
        {
            foreach (ref var slot in _slots.AsSpan())
            {
                if (Volatile.Read(ref slot.Document) is { } held)
                    Remove(ref slot, held);
            }
        }
    }

    /// <summary>
    /// Begins a commit, before the storage gets it, and removes the documents that the commit writes. Returns the number of the commit.
    /// </summary>
    public long Begin(WriteBatch batch)
    {
        long commit = ++_begun;
        _replacing.Clear();
        lock (_growing)
        {
            var slots = _slots;
            foreach (var (key, value) in batch.Operations)
            {
                if (!StoreLayout.IsDocumentKey(key.Span))
                    continue;
                var place = PlaceOf(key.Span, slots);
                Volatile.Write(ref slots[place.First].Changed, commit);
                if ((Remove(slots, place.First, place, key.Span) ?? Remove(slots, place.Second, place, key.Span)) is { } removed)
                    _replacing[new StorageKey(removed.StorageKey)] = value;
                else if (_replacing.Count > 0 && _replacing.ContainsKey(new StorageKey(key)))
                    _replacing[new StorageKey(key)] = value;
            }
        }
        return commit;
    }

    /// <summary>
    /// Completes a commit that the storage has made. The new values of documents that were cached are cached again, so that documents that
    /// are written repeatedly stay here.
    /// </summary>
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

    /// <summary>Gets the maximum length of a cached document. A longer one would take the place of too many others.</summary>
    long MaxDocumentLength => _capacity / 256;

    /// <summary>Returns the two adjacent slots of a key. The changes of the key are counted in the first one.</summary>
    static Place PlaceOf(ReadOnlySpan<byte> storageKey, Slot[] slots)
    {
        ulong hash = XxHash3.HashToUInt64(storageKey);
        return new Place((int)hash & (slots.Length - 1), Tag: (uint)(hash >> 32));
    }

    static CachedDocument? FindIn(Slot[] slots, int slot, Place place, ReadOnlySpan<byte> storageKey)
    {
        if (slots[slot].Tag != place.Tag)
            return null;
        var found = Volatile.Read(ref slots[slot].Document);
        return found is not null && storageKey.SequenceEqual(found.StorageKey) ? found : null;
    }

    /// <summary>
    /// Returns the slot in which to put a document: its present slot, an empty one, or the slot of a document that was not used lately.
    /// </summary>
    static ref Slot SlotFor(Slot[] slots, ReadOnlySpan<byte> storageKey, Place place)
    {
        ref Slot first = ref slots[place.First], second = ref slots[place.Second];
        if (FindIn(slots, place.First, place, storageKey) is not null)
            return ref first;
        if (FindIn(slots, place.Second, place, storageKey) is not null || (second.Document is null && first.Document is not null))
            return ref second;
        return ref first.Document is { WasUsed: true } ? ref second : ref first;
    }

    /// <summary>Puts a document into a table, and counts it. Returns its slot.</summary>
    ref Slot Put(Slot[] slots, CachedDocument added)
    {
        var place = PlaceOf(added.StorageKey, slots);
        ref var slot = ref SlotFor(slots, added.StorageKey, place);
        var replaced = Interlocked.Exchange(ref slot.Document, added);
        slot.Tag = place.Tag;
        Interlocked.Add(ref _length, added.Length - (replaced?.Length ?? 0));
        if (replaced is null)
            Interlocked.Increment(ref _count);
        return ref slot;
    }

    /// <summary>Replaces the table by a larger one with the same documents.</summary>
    void Grow()
    {
        lock (_growing)
        {
            var slots = _slots;
            if (Volatile.Read(ref _count) <= slots.Length / 4 || slots.Length == _maxSlots)
                return;
            var larger = new Slot[(int)Math.Min((long)slots.Length * Growth, _maxSlots)];
            for (int i = 0; i < larger.Length; i++)
                larger[i].Changed = slots[i & (slots.Length - 1)].Changed;
            _slots = larger;
            // Whoever puts a document into a slot that was passed sees the larger table.
            Interlocked.MemoryBarrier();
            foreach (ref var slot in slots.AsSpan())
            {
                if (Volatile.Read(ref slot.Document) is not { } moved)
                    continue;
                Remove(ref slot, moved);
                Put(larger, moved);
            }
        }
    }

    CachedDocument? Remove(Slot[] slots, int slot, Place place, ReadOnlySpan<byte> storageKey)
    {
        var found = FindIn(slots, slot, place, storageKey);
        if (found is not null)
            Remove(ref slots[slot], found);
        return found;
    }

    /// <summary>
    /// Advances the hand to the next slot, and removes the document there unless it was used since the hand last passed (the CLOCK
    /// algorithm).
    /// </summary>
    void RemoveNext()
    {
        var slots = _slots;
        ref var slot = ref slots[Interlocked.Increment(ref _hand) & (slots.Length - 1)];
        var held = Volatile.Read(ref slot.Document);
        if (held is { WasUsed: true })
            held.WasUsed = false;
        else if (held is not null)
            Remove(ref slot, held);
    }

    void Remove(ref Slot slot, CachedDocument held)
    {
        if (!ReferenceEquals(Interlocked.CompareExchange(ref slot.Document, null, held), held))
            return;
        Interlocked.Add(ref _length, -held.Length);
        Interlocked.Decrement(ref _count);
    }

    readonly record struct Place(int First, uint Tag)
    {
        public int Second => First ^ 1;
    }

    struct Slot
    {
        public CachedDocument? Document;    // its key belongs to this slot or to its neighbor
        public long Changed;                // the number of the last commit that was begun and writes a key of this slot

        // Part of the hash of the document's key, which saves looking at other documents. Not exact, because it is not written atomically
        // with the document.
        public uint Tag;

        uint _missed;                       // part of the hash of the key that was missed last; in the lowest bits, how often in a row

        /// <summary>
        /// Counts a miss of a key of this slot. Returns the number of misses in a row, up to <see cref="MissesToReplace"/>; concurrent
        /// threads may lose counts.
        /// </summary>
        public uint CountMiss(uint tag)
        {
            const uint Counted = 7;
            uint missed = _missed;
            uint count = (missed & ~Counted) == (tag & ~Counted) ? Math.Min((missed & Counted) + 1, MissesToReplace) : 1;
            _missed = (tag & ~Counted) | count;
            return count;
        }
    }
}
