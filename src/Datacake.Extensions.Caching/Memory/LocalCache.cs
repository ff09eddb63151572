using System.Collections.Concurrent;
using Datacake.Crdt;
using Datacake.EventualConsistency;
using Datacake.Extensions.Caching.Records;

namespace Datacake.Extensions.Caching.Memory;

/// <summary>
/// The entries in the memory of this process, with a limit of their length. Reads take no lock. Entries that were not read since the last turn are dropped first (the CLOCK algorithm: Corbató, A
/// Paging Experiment with the Multics System, 1968). Thread-safe.
/// </summary>
/// <remarks>
/// An entry that was read from the store must not be added after its document has changed, or it would stay for long. Therefore each change is counted, and an entry is added only with a ticket
/// from before the read that no change has overtaken, except for the one that the entry is made of.
/// </remarks>
sealed class LocalCache
{
    const int StripeCount = 1024;

    /// <summary>The memory that an entry and a tag of it take beside their texts and bytes.</summary>
    const int OverheadPerEntry = 350, OverheadPerTag = 60;

    readonly long _maxLength;
    readonly Lock _lock = new();
    readonly ConcurrentDictionary<string, LocalEntry> _entries = new(StringComparer.Ordinal);   // written under the lock
    readonly ConcurrentDictionary<string, LocalEntry>.AlternateLookup<ReadOnlySpan<char>> _lookup;
    readonly Dictionary<DocumentKey, LocalEntry> _documents = [];                   // all below under the lock
    readonly LinkedList<LocalEntry> _order = [];
    readonly (int Changes, HlcTimestamp Last)[] _stripes = new (int, HlcTimestamp)[StripeCount];
    long _length;
    int _epoch;
    bool _isOpen;

    public LocalCache(long maxLength)
    {
        _maxLength = maxLength;
        _lookup = _entries.GetAlternateLookup<ReadOnlySpan<char>>();
    }

    /// <summary>Returns the memory that an entry takes, in bytes.</summary>
    /// <param name="key">The key.</param>
    /// <param name="tags">The tags.</param>
    /// <param name="valueLength">The length of the value in memory.</param>
    public static long LengthOf(string key, TagStamp[] tags, long valueLength)
    {
        // The key's text is in the document's key, too.
        long length = OverheadPerEntry + (3L * key.Length) + valueLength;
        foreach (var tag in tags)
            length += OverheadPerTag + tag.Tag.Encoded.Length;
        return length;
    }

    /// <summary>Gets the length of the entries in bytes, and their number.</summary>
    public (long Length, int Count) Size
    {
        get
        {
            lock (_lock)
                return (_length, _entries.Count);
        }
    }

    /// <summary>Returns an entry that is there at an instant, in ticks of UTC; null if there is none.</summary>
    public LocalEntry? Find(ReadOnlySpan<char> key, long now)
    {
        if (!_lookup.TryGetValue(key, out var entry))
            return null;
        if (entry.ExpiresAt <= now)
        {
            lock (_lock)
                RemoveIfPresent(entry);
            return null;
        }
        if (!entry.WasRead)
            entry.WasRead = true;
        return entry;
    }

    /// <summary>Returns the state before a document is read or written.</summary>
    public LocalTicket Begin(DocumentKey document)
    {
        lock (_lock)
            return new LocalTicket(_epoch, StripeOf(document).Changes);
    }

    /// <summary>Replaces an older entry, or adds one, unless its document has changed since the ticket was taken.</summary>
    /// <param name="entry">The entry.</param>
    /// <param name="ticket">The ticket.</param>
    /// <param name="isKept">False to remove an older entry and add none.</param>
    public void Add(LocalEntry entry, LocalTicket ticket, bool isKept)
    {
        lock (_lock)
        {
            var stripe = StripeOf(entry.Document);
            bool isCurrent = ticket.Epoch == _epoch && (stripe.Changes == ticket.Changes || (stripe.Changes == ticket.Changes + 1 && stripe.Last == entry.Stamp));
            if (_documents.TryGetValue(entry.Document, out var existing))
            {
                if (existing.Stamp > entry.Stamp)
                    return;
                Remove(existing);
            }
            if (!isKept || !_isOpen || !isCurrent || entry.Length > _maxLength)
                return;
            _entries[entry.Key] = entry;
            _documents[entry.Document] = entry;
            entry.Place = _order.AddLast(entry);
            _length += entry.Length;
            Evict();
        }
    }

    /// <summary>Removes the entry of a document that has changed, unless the entry is of that change or a later one.</summary>
    /// <param name="document">The document.</param>
    /// <param name="stamp">The stamp of its put; none if it is no longer there.</param>
    public void OnChange(DocumentKey document, HlcTimestamp stamp)
    {
        lock (_lock)
        {
            ref var stripe = ref StripeOf(document);
            stripe = (stripe.Changes + 1, stamp);
            if (_documents.TryGetValue(document, out var entry) && (stamp.IsNone || entry.Stamp < stamp))
                Remove(entry);
        }
    }

    /// <summary>Removes all entries, and accepts new ones.</summary>
    public void Open() => Clear(isOpen: true);

    /// <summary>Removes all entries, and accepts no new ones, because changes are not seen.</summary>
    public void Close() => Clear(isOpen: false);

    void Clear(bool isOpen)
    {
        lock (_lock)
        {
            _isOpen = isOpen;
            _epoch++;
            _entries.Clear();
            _documents.Clear();
            _order.Clear();
            _length = 0;
        }
    }

    void Evict()
    {
        while (_length > _maxLength && _order.First is { } place)
        {
            var oldest = place.Value;
            if (oldest.WasRead)
            {
                oldest.WasRead = false;
                _order.RemoveFirst();
                _order.AddLast(place);
            }
            else
            {
                Remove(oldest);
            }
        }
    }

    ref (int Changes, HlcTimestamp Last) StripeOf(DocumentKey document) => ref _stripes[(uint)document.GetHashCode() % StripeCount];

    bool IsPresent(LocalEntry entry) => _documents.TryGetValue(entry.Document, out var present) && ReferenceEquals(present, entry);

    void RemoveIfPresent(LocalEntry entry)
    {
        if (IsPresent(entry))
            Remove(entry);
    }

    void Remove(LocalEntry entry)
    {
        _entries.TryRemove(new KeyValuePair<string, LocalEntry>(entry.Key, entry));
        _documents.Remove(entry.Document);
        _order.Remove(entry.Place!);
        entry.Place = null;
        _length -= entry.Length;
    }
}
