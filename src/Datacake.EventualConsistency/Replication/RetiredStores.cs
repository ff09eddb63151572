using System.Collections;

namespace Datacake.EventualConsistency.Replication;

/// <summary>
/// The stores that were retired, in the order in which this replica learned of them. Bounded: beyond a number that only disk-less nodes reach, which
/// leave a retired store behind with each restart, the oldest is dropped. A dropped one that came back would still be refused, since its run is below
/// the newest one that is known of its node [R5].
/// </summary>
sealed class RetiredStores : IReadOnlyCollection<ulong>
{
    public const int Capacity = 1_024;

    readonly HashSet<ulong> _set = [];
    readonly Queue<ulong> _order = [];

    public int Count => _set.Count;

    /// <summary>A digest of the set, in whatever order its stores were added.</summary>
    public ulong Digest { get; private set; }

    public bool Contains(ulong storeId) => _set.Contains(storeId);

    /// <summary>Adds a store; returns false if it is there already.</summary>
    public bool Add(ulong storeId)
    {
        if (!_set.Add(storeId))
            return false;
        _order.Enqueue(storeId);
        Digest += Mix(storeId);
        if (_order.Count > Capacity)
        {
            ulong oldest = _order.Dequeue();
            _set.Remove(oldest);
            Digest -= Mix(oldest);
        }
        return true;
    }

    public IEnumerator<ulong> GetEnumerator() => _order.GetEnumerator();

    IEnumerator IEnumerable.GetEnumerator() => GetEnumerator();

    // Ids are random; the finalizer of SplitMix64 keeps sums of them apart all the same (Steele, Lea and Flood, Fast Splittable Pseudorandom Number Generators, 2014).
    static ulong Mix(ulong x)
    {
        x = (x ^ (x >> 30)) * 0xBF58476D1CE4E5B9;
        x = (x ^ (x >> 27)) * 0x94D049BB133111EB;
        return x ^ (x >> 31);
    }
}
