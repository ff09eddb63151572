using System.Collections;
using System.Runtime.InteropServices;

namespace Datacake.Crdt;

/// <summary>
/// A set of keys that replicas insert into and delete from independently: for each key the operation with the greatest stamp holds, of an
/// insertion and a deletion with one stamp the deletion. Merging is a join: neither order nor repetition matters. Not thread-safe.
/// </summary>
/// <remarks>
/// A deletion leaves a tombstone until <see cref="PurgeTombstones"/> knows that no older operation can arrive any more. From then on
/// <see cref="PurgeMark"/> stands for it, as the version vector does in an optimized observed-remove set (Bieniusa et al., An Optimized
/// Conflict-free Replicated Set, 2012): a key that the set does not hold counts as deleted at the mark, so that nothing purged is revived.
/// A key takes the key's size and about 20 to 30 bytes.
/// </remarks>
public sealed class OrSwotSet<TKey> : IReadOnlyCollection<KeyValuePair<TKey, HlcTimestamp>>
    where TKey : notnull
{
    // A key is in one of the two or in neither.
    readonly Dictionary<TKey, HlcTimestamp> _entries = [];
    readonly Dictionary<TKey, HlcTimestamp> _tombstones = [];

    // For each source, by node id: the stamp up to which it brings nothing that the set does not reflect.
    readonly HlcTimestamp[][] _observed;

    /// <summary>Creates an empty set, to which operations come from so many independent sources.</summary>
    /// <exception cref="ArgumentOutOfRangeException">There is no source.</exception>
    public OrSwotSet(int sources = 1)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(sources, 1);
        _observed = new HlcTimestamp[sources][];
        foreach (ref var observed in _observed.AsSpan())
            observed = new HlcTimestamp[byte.MaxValue + 1];
    }

    /// <summary>Restores a stored or received set from what its properties showed. What sources brought has to be observed anew.</summary>
    public OrSwotSet(
        IEnumerable<KeyValuePair<TKey, HlcTimestamp>> entries,
        IEnumerable<KeyValuePair<TKey, HlcTimestamp>> tombstones,
        HlcTimestamp purgeMark,
        int sources = 1)
        : this(sources)
    {
        foreach (var (key, stamp) in entries)
            Insert(key, stamp);
        foreach (var (key, stamp) in tombstones)
            Delete(key, stamp);
        PurgeMark = purgeMark;
    }

    /// <summary>How many keys are in the set.</summary>
    public int Count => _entries.Count;

    /// <summary>The deleted keys that are not purged yet, with the stamps of their deletions.</summary>
    public IReadOnlyDictionary<TKey, HlcTimestamp> Tombstones => _tombstones;

    /// <summary>Keys that are neither in the set nor among the tombstones count as deleted at this stamp.</summary>
    public HlcTimestamp PurgeMark { get; private set; }

    /// <summary>Whether a key is in the set.</summary>
    public bool Contains(TKey key) => _entries.ContainsKey(key);

    /// <summary>Finds the stamp of a key's latest insertion, if the key is in the set.</summary>
    public bool TryGetStamp(TKey key, out HlcTimestamp stamp) => _entries.TryGetValue(key, out stamp);

    /// <summary>Inserts a key, unless a later operation on it is known. Returns whether that changed the set or the key's stamp.</summary>
    public bool Insert(TKey key, HlcTimestamp stamp)
    {
        if (_tombstones.Count > 0 && _tombstones.TryGetValue(key, out var died))
        {
            if (stamp <= died)
                return false;
            _tombstones.Remove(key);
        }
        else if (stamp <= PurgeMark && !_entries.ContainsKey(key))
        {
            return false;
        }
        ref var held = ref CollectionsMarshal.GetValueRefOrAddDefault(_entries, key, out bool exists);
        if (exists && stamp <= held)
            return false;
        held = stamp;
        return true;
    }

    /// <summary>Deletes a key, unless a later operation on it is known. Returns whether that changed the set or its tombstones.</summary>
    public bool Delete(TKey key, HlcTimestamp stamp)
    {
        if (!IsDeletedBy(key, stamp))
            return false;
        _entries.Remove(key);
        _tombstones[key] = stamp;
        return true;
    }

    /// <summary>
    /// States that <paramref name="source"/> will bring no operation of the stamp's node, at or below the stamp, that this set does not
    /// reflect already. A source that delivers the operations of each node in order can say so of each operation once it is applied, and of
    /// the clock of an idle node.
    /// </summary>
    /// <exception cref="ArgumentOutOfRangeException">There is no such source.</exception>
    public void Observe(HlcTimestamp stamp, int source = 0)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(source);
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual(source, _observed.Length);
        ref var observed = ref _observed[source][stamp.Node];
        observed = HlcTimestamp.Max(observed, stamp);
    }

    /// <summary>Makes this set reflect all that the other does; it has then observed all that the other has.</summary>
    public void Merge(OrSwotSet<TKey> other)
    {
        if (ReferenceEquals(this, other))
            return;

        // What the other does not hold, it deleted at its mark, which the greater of both marks stands for, unless it is this set's.
        foreach (var key in KeysPurgedIn(other, _entries.Concat(_tombstones)).ToList())
        {
            _entries.Remove(key);
            _tombstones.Remove(key);
            if (other.PurgeMark < PurgeMark)
                _tombstones[key] = other.PurgeMark;
        }
        foreach (var (key, stamp) in other._entries)
        {
            if (!Insert(key, stamp))
                KeepDeleted(key, other.PurgeMark);
        }
        foreach (var (key, stamp) in other._tombstones)
        {
            if (!Delete(key, stamp))
                KeepDeleted(key, other.PurgeMark);
        }
        PurgeMark = HlcTimestamp.Max(PurgeMark, other.PurgeMark);

        for (int node = 0; node <= byte.MaxValue; node++)
        {
            var reflected = other.ObservedFromAllSources((byte)node);
            foreach (var observed in _observed)
                observed[node] = HlcTimestamp.Max(observed[node], reflected);
        }
    }

    /// <summary>
    /// What the other set has and this one lacks: the insertions and deletions that, applied to this set, make it hold the keys and stamps
    /// that a merge with the other would.
    /// </summary>
    public (IReadOnlyList<KeyValuePair<TKey, HlcTimestamp>> Changes, IReadOnlyList<KeyValuePair<TKey, HlcTimestamp>> Removals) Diff(
        OrSwotSet<TKey> other)
    {
        var changes = other._entries.Where(entry => entry.Value > LatestOf(entry.Key)).ToList();
        var removals = other._tombstones.Where(tombstone => IsDeletedBy(tombstone.Key, tombstone.Value)).ToList();
        removals.AddRange(KeysPurgedIn(other, _entries).Select(key => KeyValuePair.Create(key, other.PurgeMark)));
        return (changes, removals);
    }

    /// <summary>
    /// Forgets the tombstones at or below what has been observed, from all sources, of all the <paramref name="nodes"/>, and returns
    /// their keys. Name all nodes that may have operations under way: one of another node that comes late, at or below the mark, is lost.
    /// </summary>
    public IReadOnlyList<TKey> PurgeTombstones(params ReadOnlySpan<byte> nodes)
    {
        if (nodes.IsEmpty)
            return [];
        var mark = new HlcTimestamp(ulong.MaxValue);
        foreach (byte node in nodes)
            mark = HlcTimestamp.Min(mark, ObservedFromAllSources(node));
        PurgeMark = HlcTimestamp.Max(PurgeMark, mark);

        var purged = _tombstones.Where(tombstone => tombstone.Value <= PurgeMark).Select(tombstone => tombstone.Key).ToList();
        foreach (var key in purged)
            _tombstones.Remove(key);
        return purged;
    }

    /// <summary>Makes room for so many keys in all, which spares copying as they come in, and memory that growing leaves unused.</summary>
    public void EnsureCapacity(int count) => _entries.EnsureCapacity(count);

    /// <summary>The keys of the set, with the stamps of their latest insertions, in no order.</summary>
    public Dictionary<TKey, HlcTimestamp>.Enumerator GetEnumerator() => _entries.GetEnumerator();

    IEnumerator<KeyValuePair<TKey, HlcTimestamp>> IEnumerable<KeyValuePair<TKey, HlcTimestamp>>.GetEnumerator() => GetEnumerator();

    IEnumerator IEnumerable.GetEnumerator() => GetEnumerator();

    bool IsHeld(TKey key) => _entries.ContainsKey(key) || _tombstones.ContainsKey(key);

    /// <summary>The stamp of the latest operation on a key; the mark, if the key is not held.</summary>
    HlcTimestamp LatestOf(TKey key) =>
        _entries.TryGetValue(key, out var stamp) || _tombstones.TryGetValue(key, out stamp) ? stamp : PurgeMark;

    bool IsDeletedBy(TKey key, HlcTimestamp stamp)
    {
        var latest = LatestOf(key);
        return stamp > latest || (stamp == latest && _entries.ContainsKey(key));
    }

    static IEnumerable<TKey> KeysPurgedIn(OrSwotSet<TKey> other, IEnumerable<KeyValuePair<TKey, HlcTimestamp>> held) =>
        other.PurgeMark.IsNone ? [] : held.Where(item => item.Value <= other.PurgeMark && !other.IsHeld(item.Key)).Select(item => item.Key);

    /// <summary>A key that this set does not hold stays deleted at its mark also where a merge raises the mark.</summary>
    void KeepDeleted(TKey key, HlcTimestamp otherMark)
    {
        if (PurgeMark < otherMark && !IsHeld(key))
            _tombstones[key] = PurgeMark;
    }

    HlcTimestamp ObservedFromAllSources(byte node)
    {
        var least = _observed[0][node];
        foreach (var observed in _observed)
            least = HlcTimestamp.Min(least, observed[node]);
        return least;
    }
}
