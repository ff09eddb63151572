using System.Collections;
using Datacake.EventualConsistency.Layout;
using MessagePack;

namespace Datacake.EventualConsistency.Replication;

/// <summary>
/// The retired stores, each with the operator's proof if there is one, in the order in which this replica learned of them.
/// </summary>
/// <remarks>
/// The number of stores is bounded. Only nodes without a disk reach the bound, because each of their restarts leaves a retired store
/// behind. Beyond it, the oldest store is dropped; those without a proof go first, because a liar can make up any number of them. A dropped
/// store that returned would still be refused, because its run is below the newest known run of its node [R5].
/// See PROTOCOL.md: digest of the retired stores, retired.
/// </remarks>
sealed class RetiredStores : IReadOnlyCollection<ulong>
{
    public const int Capacity = 1_024;

    readonly Dictionary<ulong, ReadOnlyMemory<byte>> _proofs = [];
    readonly LinkedList<ulong> _order = [];

    public int Count => _proofs.Count;

    /// <summary>Gets a digest of the set, which does not depend on the order in which stores were added.</summary>
    public ulong Digest { get; private set; }

    public bool Contains(ulong storeId) => _proofs.ContainsKey(storeId);

    /// <summary>Returns the operator's proof that a store is retired; empty if there is none.</summary>
    public ReadOnlyMemory<byte> ProofOf(ulong storeId) => _proofs.GetValueOrDefault(storeId);

    /// <summary>Adds a store, or adds a proof to a store that has none. Returns false if nothing changes.</summary>
    public bool Add(ulong storeId, ReadOnlyMemory<byte> proof)
    {
        if (_proofs.TryGetValue(storeId, out var known))
        {
            if (proof.IsEmpty || !known.IsEmpty)
                return false;
            Digest -= DigestOf(storeId);
        }
        else
        {
            _order.AddLast(storeId);
        }
        _proofs[storeId] = proof;
        Digest += DigestOf(storeId);
        if (_order.Count > Capacity)
            Remove(_order.Where(store => _proofs[store].IsEmpty).DefaultIfEmpty(_order.First!.Value).First());
        return true;
    }

    /// <summary>Removes the proof of a store. Returns false if nothing changes.</summary>
    public bool DropProof(ulong storeId)
    {
        if (ProofOf(storeId).IsEmpty)
            return false;
        Digest -= DigestOf(storeId);
        _proofs[storeId] = default;
        Digest += DigestOf(storeId);
        return true;
    }

    void Remove(ulong storeId)
    {
        Digest -= DigestOf(storeId);
        _proofs.Remove(storeId);
        _order.Remove(storeId);
    }

    /// <summary>Returns a copy of the stores with their proofs.</summary>
    public IReadOnlyDictionary<ulong, ReadOnlyMemory<byte>> ToDictionary() => new Dictionary<ulong, ReadOnlyMemory<byte>>(_proofs);

    public static void Write(ref MessagePackWriter writer, IReadOnlyCollection<KeyValuePair<ulong, ReadOnlyMemory<byte>>> stores)
    {
        writer.WriteArrayHeader(stores.Count);
        foreach (var (storeId, proof) in stores)
        {
            writer.Write(storeId);
            writer.Write(proof.Span);
        }
    }

    public void Write(ref MessagePackWriter writer) => Write(ref writer, [.. _order.Select(store => KeyValuePair.Create(store, _proofs[store]))]);

    /// <summary>Reads stores with their proofs, in order.</summary>
    public static IReadOnlyList<KeyValuePair<ulong, ReadOnlyMemory<byte>>> Read(ref MessagePackReader reader)
    {
        var stores = new List<KeyValuePair<ulong, ReadOnlyMemory<byte>>>();
        for (int i = Record.ReadCount(ref reader, Capacity, "retired stores"); i > 0; i--)
            stores.Add(KeyValuePair.Create(reader.ReadUInt64(), Record.ReadProof(ref reader)));
        return stores;
    }

    public IEnumerator<ulong> GetEnumerator() => _order.GetEnumerator();

    IEnumerator IEnumerable.GetEnumerator() => GetEnumerator();

    ulong DigestOf(ulong storeId) => _proofs[storeId].IsEmpty ? Mix(storeId) : Mix(~storeId);

    // Store ids are random, but mixing them first keeps their sums apart all the same. This is the finalizer of SplitMix64
    // (Steele, Lea and Flood, Fast Splittable Pseudorandom Number Generators, 2014).
    static ulong Mix(ulong x)
    {
        x = (x ^ (x >> 30)) * 0xBF58476D1CE4E5B9;
        x = (x ^ (x >> 27)) * 0x94D049BB133111EB;
        return x ^ (x >> 31);
    }
}
