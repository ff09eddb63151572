using System.Buffers.Binary;
using System.IO.Hashing;
using System.Text;
using Datacake.Crdt;

namespace Datacake.EventualConsistency.Layout;

/// <summary>
/// The fingerprint of documents and keyspaces [R15]. The fingerprint of a document is the sum, modulo 2^128, of a hash for each visible
/// cell and a hash for its put. Sums do not depend on the order, so the fingerprint of a keyspace is maintained by adding and subtracting
/// documents.
/// </summary>
/// <remarks>See PROTOCOL.md: fingerprint.</remarks>
static class Fingerprint
{
    const int FixedLength = (2 * HlcTimestamp.Size) + (2 * sizeof(int));

    // Short inputs are hashed on the stack: a separate hash object for each document was a tenth of everything that a put allocated.
    const int MaxOnStack = 512;

    /// <summary>Returns the fingerprint of a document, which is 0 if it is not alive or expires: replicas remove such documents at different times [R20].</summary>
    public static UInt128 Of(ReadOnlySpan<byte> key, Document document, MergePolicy policy) =>
        document.Expires.IsNone && document.IsAlive(policy) ? OfShown(key, document) : 0;

    /// <summary>Returns the fingerprint of what a document shows while it is alive.</summary>
    public static UInt128 OfShown(ReadOnlySpan<byte> key, Document document)
    {
        Span<byte> scratch = stackalloc byte[MaxOnStack];
        UInt128 sum = Hash(scratch, key, document.Born, [], default);
        foreach (var cell in document.Cells)
        {
            if (cell.IsShown(document.Born))
                sum += Hash(scratch, key, document.Born, cell.EncodedPath, cell.Stamp);
        }
        return sum;
    }

    /// <summary>
    /// Returns a keyspace's contribution to the fingerprint of all keyspaces. It is 0 for a keyspace that shows nothing, because other
    /// nodes may not know it.
    /// </summary>
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
        // The lengths distinguish different splits of the same bytes.
        BinaryPrimitives.WriteInt32LittleEndian(input[16..], key.Length);
        BinaryPrimitives.WriteInt32LittleEndian(input[20..], path.Length);
        key.CopyTo(input[FixedLength..]);
        path.CopyTo(input[(FixedLength + key.Length)..]);
        return XxHash128.HashToUInt128(input);
    }
}
