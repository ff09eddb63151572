using System.Collections;
using System.Runtime.InteropServices;

namespace Datacake.Crdt;

/// <summary>
/// A set of keys that replicas insert into and delete from independently. For each key, the operation with the greatest stamp wins; a
/// deletion wins over an insertion with the same stamp. Merging is a join: neither order nor repetition matters. Not thread-safe.
/// </summary>
/// <remarks>
/// A deletion leaves a tombstone until no older operation can arrive and <see cref="PurgeTombstones"/> removes it. From then on,
/// <see cref="PurgeMark"/> stands for the deletion, as the version vector does in an optimized observed-remove set (Bieniusa et al., An
/// Optimized Conflict-free Replicated Set, 2012): a key that the set does not hold counts as deleted at the mark, so late operations do
/// not revive purged keys. Each key takes about 20 to 30 bytes in addition to its own size.
/// </remarks>
public sealed class OrSwotSet<TKey> : IReadOnlyCollection<KeyValuePair<TKey, HlcTimestamp>>
    where TKey : notnull
{
    // A key is in at most one of the two dictionaries.
    readonly Dictionary<TKey, HlcTimestamp> _entries = [];
    readonly Dictionary<TKey, HlcTimestamp> _tombstones = [];

    // For each source, by node id: the stamp up to which the set already reflects all operations that the source can still deliver.
    readonly HlcTimestamp[][] _observed;

    /// <summary>Creates an empty set.</summary>
    /// <param name="sources">The number of independent sources that deliver operations; see <see cref="Observe"/>.</param>
    /// <exception cref="ArgumentOutOfRangeException">The number of sources is less than 1.</exception>
    public OrSwotSet(int sources = 1)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(sources, 1);
        _observed = new HlcTimestamp[sources][];
        foreach (ref var observed in _observed.AsSpan())
            observed = new HlcTimestamp[byte.MaxValue + 1];
    }

    /// <summary>Restores a stored or received set. The observed stamps are not part of it: call <see cref="Observe"/> anew.</summary>
    /// <param name="entries">The keys of the set with their stamps.</param>
    /// <param name="tombstones">The value of <see cref="Tombstones"/>.</param>
    /// <param name="purgeMark">The value of <see cref="PurgeMark"/>.</param>
    /// <param name="sources">The number of independent sources that deliver operations; see <see cref="Observe"/>.</param>
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

    /// <summary>Gets the number of keys in the set.</summary>
    public int Count => _entries.Count;

    /// <summary>Gets the deleted keys that are not yet purged, with the stamps of their deletions.</summary>
    public IReadOnlyDictionary<TKey, HlcTimestamp> Tombstones => _tombstones;

    /// <summary>Gets the stamp at which keys count as deleted that are neither in the set nor among the tombstones.</summary>
    public HlcTimestamp PurgeMark { get; private set; }

    /// <summary>Returns true if a key is in the set.</summary>
    public bool Contains(TKey key) => _entries.ContainsKey(key);

    /// <summary>Gets the stamp of a key's latest insertion. Returns false if the key is not in the set.</summary>
    public bool TryGetStamp(TKey key, out HlcTimestamp stamp) => _entries.TryGetValue(key, out stamp);

    /// <summary>
    /// Inserts a key, unless a later operation on the key is known. Returns true if the set or the key's stamp has changed.
    /// </summary>
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

    /// <summary>
    /// Deletes a key, unless a later operation on the key is known. Returns true if the set or its tombstones have changed.
    /// </summary>
    public bool Delete(TKey key, HlcTimestamp stamp)
    {
        if (!IsDeletedBy(key, stamp))
            return false;
        _entries.Remove(key);
        _tombstones[key] = stamp;
        return true;
    }

    /// <summary>
    /// Records that the set already reflects all operations of the stamp's node, up to the stamp, that a source can still deliver. If a
    /// source delivers the operations of each node in order, call this for each operation after applying it, and for the clock of an
    /// idle node.
    /// </summary>
    /// <param name="stamp">The greatest stamp that is known to be reflected.</param>
    /// <param name="source">The index of the source.</param>
    /// <exception cref="ArgumentOutOfRangeException">The source does not exist.</exception>
    public void Observe(HlcTimestamp stamp, int source = 0)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(source);
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual(source, _observed.Length);
        ref var observed = ref _observed[source][stamp.Node];
        observed = HlcTimestamp.Max(observed, stamp);
    }

    /// <summary>Applies all operations that another set reflects, and takes over the stamps that the other set has observed.</summary>
    public void Merge(OrSwotSet<TKey> other)
    {
        if (ReferenceEquals(this, other))
            return;

        // A key that the other set does not hold counts as deleted at the other's mark. If that is the greater of the two marks, the merged
        // mark stands for the deletion. Otherwise a tombstone has to.
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
    /// Returns the insertions and deletions that this set lacks. Applied to this set, they lead to the same keys and stamps as a merge with
    /// the other set.
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
    /// Purges the tombstones up to the greatest stamp that was observed from every source for every one of the nodes. Returns their keys.
    /// </summary>
    /// <param name="nodes">
    /// All nodes that may have operations in flight. If another node's operation at or below the new <see cref="PurgeMark"/> arrives later,
    /// it is lost.
    /// </param>
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

    /// <summary>Returns the keys of the set with the stamps of their latest insertions, in no particular order.</summary>
    public Dictionary<TKey, HlcTimestamp>.Enumerator GetEnumerator() => _entries.GetEnumerator();

    IEnumerator<KeyValuePair<TKey, HlcTimestamp>> IEnumerable<KeyValuePair<TKey, HlcTimestamp>>.GetEnumerator() => GetEnumerator();

    IEnumerator IEnumerable.GetEnumerator() => GetEnumerator();

    bool IsHeld(TKey key) => _entries.ContainsKey(key) || _tombstones.ContainsKey(key);

    /// <summary>Returns the stamp of the latest operation on a key, or the purge mark if the set does not hold the key.</summary>
    HlcTimestamp LatestOf(TKey key) =>
        _entries.TryGetValue(key, out var stamp) || _tombstones.TryGetValue(key, out stamp) ? stamp : PurgeMark;

    bool IsDeletedBy(TKey key, HlcTimestamp stamp)
    {
        var latest = LatestOf(key);
        return stamp > latest || (stamp == latest && _entries.ContainsKey(key));
    }

    static IEnumerable<TKey> KeysPurgedIn(OrSwotSet<TKey> other, IEnumerable<KeyValuePair<TKey, HlcTimestamp>> held) =>
        other.PurgeMark.IsNone ? [] : held.Where(item => item.Value <= other.PurgeMark && !other.IsHeld(item.Key)).Select(item => item.Key);

    /// <summary>
    /// Adds a tombstone at this set's mark for a key that the set does not hold, if a merge is about to raise the mark. Otherwise the key
    /// would count as deleted at the raised mark.
    /// </summary>
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
