using System.Buffers.Binary;
using System.IO.Hashing;

namespace Datacake.EventualConsistency.Sequencing;

/// <summary>
/// The hash of the documents that a range shows: of their keys and contents, in ascending order of the range. A document that an index has under several values of
/// the range is added once for each. Not thread-safe.
/// </summary>
sealed class RangeHash
{
    readonly XxHash128 _hash = new();

    /// <summary>Gets the number of documents that were added.</summary>
    public int Count { get; private set; }

    /// <summary>Gets the hash of the documents that were added.</summary>
    public UInt128 Value => _hash.GetCurrentHashAsUInt128();

    /// <summary>Adds the next document.</summary>
    /// <param name="key">The encoded key.</param>
    /// <param name="content">The <see cref="ContentHash"/>.</param>
    public void Add(ReadOnlySpan<byte> key, UInt128 content)
    {
        const int ContentLength = 16;
        Span<byte> rest = stackalloc byte[ContentLength + sizeof(int)];
        BinaryPrimitives.WriteUInt128LittleEndian(rest, content);
        BinaryPrimitives.WriteInt32LittleEndian(rest[ContentLength..], key.Length);
        _hash.Append(key);
        _hash.Append(rest);
        Count++;
    }
}
