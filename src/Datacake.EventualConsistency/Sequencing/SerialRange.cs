using System.IO.Hashing;
using System.Runtime.InteropServices;
using Datacake.EventualConsistency.Indexes;
using Datacake.EventualConsistency.Keyspaces;
using Datacake.EventualConsistency.Layout;
using Datacake.Storage;
using MessagePack;

namespace Datacake.EventualConsistency.Sequencing;

/// <summary>
/// A condition of a serial transaction: a range of a keyspace shows exactly the documents that the caller has read, so that none appears or disappears meanwhile.
/// </summary>
/// <param name="Keyspace">The keyspace.</param>
/// <param name="Index">The name of the index whose positions are in the range; null if it is a range of encoded keys.</param>
/// <param name="Signature">The <see cref="SignatureOf"/> the index; 0 if it is a range of keys.</param>
/// <param name="Range">The range of encoded keys, or of positions in the index: an encoded value, followed by an encoded key.</param>
/// <param name="Count">The number of documents that were read.</param>
/// <param name="Hash">The <see cref="RangeHash"/> of the documents that were read.</param>
readonly record struct SerialRange(string Keyspace, string? Index, UInt128 Signature, KeyRange Range, int Count, UInt128 Hash)
{
    public const int MaxRanges = 10_000;

    const int MaxBoundLength = 1 + DocumentIndex.MaxValueLength + DocumentKey.MaxLength;

    /// <summary>Creates the condition on a range of keys.</summary>
    public static SerialRange OfKeys(string keyspace, KeyRange keys, RangeHash read) => new(keyspace, null, 0, keys, read.Count, read.Value);

    /// <summary>Creates the condition on a range of an index.</summary>
    public static SerialRange OfIndex(string keyspace, DocumentIndex index, KeyRange positions, RangeHash read) =>
        new(keyspace, index.Name, SignatureOf(index), positions, read.Count, read.Value);

    /// <summary>Returns the hash of the signature of an index, by which another store sees whether it has the same one.</summary>
    public static UInt128 SignatureOf(DocumentIndex index) => XxHash128.HashToUInt128(MemoryMarshal.AsBytes(index.Signature.AsSpan()));

    public void Write(ref MessagePackWriter writer)
    {
        writer.Write(Keyspace);
        writer.Write(Index);
        Record.WriteNumber(ref writer, Signature);
        writer.Write(Range.Start.Span);
        if (Range.End is { } end)
            writer.Write(end.Span);
        else
            writer.WriteNil();
        writer.Write(Count);
        Record.WriteNumber(ref writer, Hash);
    }

    public static SerialRange Read(ref MessagePackReader reader)
    {
        string keyspace = Record.ReadText(ref reader);
        KeyspaceCatalog.CheckName(keyspace);
        string? index = reader.TryReadNil() ? null : Record.ReadText(ref reader);
        var signature = Record.ReadNumber(ref reader) ?? throw new InvalidDataException("A range has no signature of its index.");
        var start = ReadBound(ref reader);
        // A plain null would become empty bytes, by the conversion from an array.
        var end = reader.TryReadNil() ? default(ReadOnlyMemory<byte>?) : ReadBound(ref reader);
        int count = reader.ReadInt32();
        if (count < 0)
            throw new InvalidDataException($"A range claims to show {count} documents.");
        var hash = Record.ReadNumber(ref reader) ?? throw new InvalidDataException("A range has no hash of its documents.");
        return new SerialRange(keyspace, index, signature, new KeyRange(start, end), count, hash);
    }

    static ReadOnlyMemory<byte> ReadBound(ref MessagePackReader reader) => Record.ReadBytes(ref reader) is { Length: <= MaxBoundLength } bound
        ? bound
        : throw new InvalidDataException($"The bound of a range is longer than {MaxBoundLength} bytes.");
}
