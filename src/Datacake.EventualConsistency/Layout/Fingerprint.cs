using System.Buffers.Binary;
using System.IO.Hashing;
using System.Text;
using Datacake.Crdt;

namespace Datacake.EventualConsistency.Layout;

/// <summary>
/// A document's part of its keyspace's fingerprint [R15]: the sum, modulo 2^128, of a hash for each cell that readers see and one for its put.
/// Sums do not depend on order, so a keyspace's fingerprint is kept up by adding and subtracting documents.
/// </summary>
static class Fingerprint
{
    const int FixedLength = (2 * HlcTimestamp.Size) + (2 * sizeof(int));

    // What fits is hashed on the stack: a hash object of its own for each document was a tenth of all that a put allocated.
    const int MaxOnStack = 512;

    public static UInt128 Of(ReadOnlySpan<byte> key, Document document, MergePolicy policy)
    {
        if (!document.IsAlive(policy))
            return 0;
        Span<byte> scratch = stackalloc byte[MaxOnStack];
        UInt128 sum = Hash(scratch, key, document.Born, [], default);
        foreach (var cell in document.Cells)
        {
            if (cell.IsShown(document.Born))
                sum += Hash(scratch, key, document.Born, cell.EncodedPath, cell.Stamp);
        }
        return sum;
    }

    /// <summary>A keyspace's part of the fingerprint of all; none of one that shows nothing, for other nodes may not have heard of it.</summary>
    public static UInt128 Of(string keyspace, UInt128 fingerprint)
    {
        if (fingerprint == 0)
            return 0;
        var hash = new XxHash128();
        hash.Append(Encoding.UTF8.GetBytes(keyspace));
        Span<byte> bytes = stackalloc byte[16];
        BinaryPrimitives.WriteUInt128LittleEndian(bytes, fingerprint);
        hash.Append(bytes);
        return hash.GetCurrentHashAsUInt128();
    }

    static UInt128 Hash(Span<byte> scratch, ReadOnlySpan<byte> key, HlcTimestamp born, ReadOnlySpan<byte> path, HlcTimestamp stamp)
    {
        int length = FixedLength + key.Length + path.Length;
        var input = length <= scratch.Length ? scratch[..length] : new byte[length];
        born.Write(input);
        stamp.Write(input[HlcTimestamp.Size..]);
        // The lengths keep different splits of the same bytes apart.
        BinaryPrimitives.WriteInt32LittleEndian(input[16..], key.Length);
        BinaryPrimitives.WriteInt32LittleEndian(input[20..], path.Length);
        key.CopyTo(input[FixedLength..]);
        path.CopyTo(input[(FixedLength + key.Length)..]);
        return XxHash128.HashToUInt128(input);
    }
}
