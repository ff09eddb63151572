namespace Datacake.EventualConsistency.Layout;

/// <summary>What the store keeps of an index, besides its entries.</summary>
/// <param name="Keyspace">The number of its keyspace.</param>
/// <param name="Name">Its name in the keyspace.</param>
/// <param name="Signature">What it holds, as its definition says.</param>
/// <param name="Stage">Whether its entries are all there.</param>
/// <param name="BuiltTo">The storage key of the last document that the building has come to.</param>
/// <param name="Documents">How many documents the building has come to.</param>
sealed record IndexRecord(
    ushort Keyspace, string Name, string Signature, IndexStage Stage, ReadOnlyMemory<byte> BuiltTo = default, long Documents = 0)
{
    public bool IsOf(DocumentIndex definition) => Name == definition.Name && Signature == definition.Signature;

    public byte[] Encode() => Record.Encode(this, static (ref writer, index) =>
    {
        writer.Write(index.Keyspace);
        writer.Write(index.Name);
        writer.Write(index.Signature);
        writer.Write((byte)index.Stage);
        writer.Write(index.BuiltTo.Span);
        writer.Write(index.Documents);
    });

    public static IndexRecord Decode(ReadOnlyMemory<byte> encoded) => Record.Decode(encoded, "an index's record", static (ref reader) =>
        new IndexRecord(reader.ReadUInt16(), Record.ReadText(ref reader), Record.ReadText(ref reader), (IndexStage)reader.ReadByte(),
            Record.ReadBytes(ref reader), reader.ReadInt64()));
}

/// <summary>Whether the entries of an index are all there.</summary>
enum IndexStage : byte
{
    /// <summary>Changes of documents go into it, and the documents that were there before are being added.</summary>
    Building,

    /// <summary>It has all.</summary>
    Built,

    /// <summary>Changes do not go into it; its entries are being removed.</summary>
    Dropped,
}
