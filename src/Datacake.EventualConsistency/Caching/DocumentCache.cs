using System.IO.Hashing;
using System.Numerics;
using Datacake.Crdt;
using Datacake.EventualConsistency.Layout;
using Datacake.EventualConsistency.Snapshots;
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
    /// <summary>How often in a row, without another key of its slot in between, a document has to be missed so as to take the place of another.</summary>
    const uint MissesForPlace = 4;

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
    }

    /// <summary>The number for a snapshot that is opened after this.</summary>
    public long Now => Volatile.Read(ref _succeeded);

    /// <summary>About how many bytes the documents take.</summary>
    public long Length => Volatile.Read(ref _length);

    /// <summary>A document as a snapshot shows it, if it is here.</summary>
    public CachedDocument? Find(ReadOnlySpan<byte> storageKey, long snapshot)
    {
        var place = PlaceOf(storageKey);
        var found = FindIn(place.First, place, storageKey) ?? FindIn(place.Second, place, storageKey);
        if (found is null)
            return null;
        long changed = Volatile.Read(ref _slots[place.First].Changed);
        if (changed > found.ReadAt || changed > snapshot)
            return null;
        if (!found.WasUsed)
            found.WasUsed = true;
        return found;
    }

    /// <summary>Whether to <see cref="Add"/> a document that was not found here, and was then read from a snapshot.</summary>
    public bool Wants(ReadOnlySpan<byte> storageKey, int documentLength, long snapshot)
    {
        var place = PlaceOf(storageKey);
        ref Slot first = ref _slots[place.First], second = ref _slots[place.Second];
        if (documentLength > MaxDocumentLength || Volatile.Read(ref first.Changed) > snapshot)
            return false;
        // Where there is no room, a document that is replaced soon again costs more than it spares: it is old by then, and so dear to collect.
        if (Length <= _capacity - (_capacity / 8) && (first.Document is null || second.Document is null))
            return true;
        if (first.CountMiss(place.Tag) < MissesForPlace)
            return false;
        if (first.Document is not { WasUsed: true } inFirst || second.Document is not { WasUsed: true } inSecond)
            return true;
        inFirst.WasUsed = inSecond.WasUsed = false;
        return false;
    }

    /// <summary>Adds a document as a snapshot shows it.</summary>
    public void Add(byte[] storageKey, Document document, long snapshot)
    {
        var place = PlaceOf(storageKey);
        var added = new CachedDocument(storageKey, document, snapshot);
        ref var slot = ref SlotFor(storageKey, place);
        var replaced = Interlocked.Exchange(ref slot.Document, added);
        slot.Tag = place.Tag;
        Interlocked.Add(ref _length, added.Length - (replaced?.Length ?? 0));
        while (Length > _capacity)
            RemoveNext();
    }

    /// <summary>Removes everything: what is here may not be in the storage any more.</summary>
    public void Clear()
    {
        for (int i = 0; i < _slots.Length; i++)
        {
            if (Interlocked.Exchange(ref _slots[i].Document, null) is { } removed)
                Interlocked.Add(ref _length, -removed.Length);
        }
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
            var place = PlaceOf(key.Span);
            Volatile.Write(ref _slots[place.First].Changed, commit);
            if ((Remove(place.First, place, key.Span) ?? Remove(place.Second, place, key.Span)) is { } removed)
                _replacing[new StorageKey(removed.StorageKey)] = value;
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

    /// <summary>A key has two slots, side by side; the first one is where its changes are counted.</summary>
    Place PlaceOf(ReadOnlySpan<byte> storageKey)
    {
        ulong hash = XxHash3.HashToUInt64(storageKey);
        return new Place((int)hash & (_slots.Length - 1), Tag: (uint)(hash >> 32));
    }

    CachedDocument? FindIn(int slot, Place place, ReadOnlySpan<byte> storageKey)
    {
        if (_slots[slot].Tag != place.Tag)
            return null;
        var found = Volatile.Read(ref _slots[slot].Document);
        return found is not null && storageKey.SequenceEqual(found.StorageKey) ? found : null;
    }

    /// <summary>Where to put a document: in the place of itself, of nothing, or of what was not used lately.</summary>
    ref Slot SlotFor(ReadOnlySpan<byte> storageKey, Place place)
    {
        ref Slot first = ref _slots[place.First], second = ref _slots[place.Second];
        if (FindIn(place.First, place, storageKey) is not null)
            return ref first;
        if (FindIn(place.Second, place, storageKey) is not null || (second.Document is null && first.Document is not null))
            return ref second;
        return ref first.Document is { WasUsed: true } ? ref second : ref first;
    }

    CachedDocument? Remove(int slot, Place place, ReadOnlySpan<byte> storageKey)
    {
        var found = FindIn(slot, place, storageKey);
        if (found is not null)
            Remove(ref _slots[slot], found);
        return found;
    }

    /// <summary>Goes round, and removes the next document that was not used since it came by last.</summary>
    void RemoveNext()
    {
        ref var slot = ref _slots[Interlocked.Increment(ref _hand) & (_slots.Length - 1)];
        var held = Volatile.Read(ref slot.Document);
        if (held is { WasUsed: true })
            held.WasUsed = false;
        else if (held is not null)
            Remove(ref slot, held);
    }

    void Remove(ref Slot slot, CachedDocument held)
    {
        if (ReferenceEquals(Interlocked.CompareExchange(ref slot.Document, null, held), held))
            Interlocked.Add(ref _length, -held.Length);
    }

    readonly record struct Place(int First, uint Tag)
    {
        public int Second => First ^ 1;
    }

    struct Slot
    {
        public CachedDocument? Document;    // of this slot's keys, or of its neighbour's
        public long Changed;                // the last commit that was begun with a key of this slot in it

        // Part of the hash of the document's key. Not exact, as it is not written at once with the document: it spares a look at others.
        public uint Tag;

        uint _missed;                       // part of the hash of the key that was missed last, and in the last bits how often in a row

        /// <summary>A key of this slot was missed. Returns how often in a row, up to <see cref="MissesForPlace"/>; threads may lose count of each other.</summary>
        public uint CountMiss(uint tag)
        {
            const uint Counted = 7;
            uint missed = _missed;
            uint count = (missed & ~Counted) == (tag & ~Counted) ? Math.Min((missed & Counted) + 1, MissesForPlace) : 1;
            _missed = (tag & ~Counted) | count;
            return count;
        }
    }
}
