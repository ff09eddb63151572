using System.Buffers.Binary;
using System.IO.Hashing;
using Datacake.Crdt;

namespace Datacake.EventualConsistency.Replication;

/// <summary>
/// A document's part of its keyspace's fingerprint [R15]: the sum, modulo 2^128, of a hash for each cell that readers see and one for its put.
/// Sums do not depend on order, so a keyspace's fingerprint is kept up by adding and subtracting documents.
/// </summary>
static class Fingerprint
{
    public static UInt128 Of(ReadOnlySpan<byte> key, Document document, MergePolicy policy)
    {
        if (!document.IsAlive(policy))
            return 0;
        var hash = new XxHash128();
        UInt128 sum = Hash(hash, key, document.Born, [], default);
        foreach (var cell in document.Cells)
        {
            if (cell.IsShown(document.Born))
                sum += Hash(hash, key, document.Born, cell.EncodedPath, cell.Stamp);
        }
        return sum;
    }

    static UInt128 Hash(XxHash128 hash, ReadOnlySpan<byte> key, HlcTimestamp born, ReadOnlySpan<byte> path, HlcTimestamp stamp)
    {
        // The lengths keep different splits of the same bytes apart.
        Span<byte> fixedParts = stackalloc byte[(2 * HlcTimestamp.Size) + 8];
        born.Write(fixedParts);
        stamp.Write(fixedParts[HlcTimestamp.Size..]);
        BinaryPrimitives.WriteInt32LittleEndian(fixedParts[16..], key.Length);
        BinaryPrimitives.WriteInt32LittleEndian(fixedParts[20..], path.Length);
        hash.Append(fixedParts);
        hash.Append(key);
        hash.Append(path);
        Span<byte> result = stackalloc byte[16];
        hash.GetHashAndReset(result);
        return BinaryPrimitives.ReadUInt128BigEndian(result);
    }
}
