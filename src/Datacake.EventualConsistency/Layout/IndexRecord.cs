using Datacake.EventualConsistency.Indexes;

namespace Datacake.EventualConsistency.Layout;

/// <summary>The stored record of an index, which describes it apart from its entries.</summary>
/// <param name="Keyspace">The number of the keyspace.</param>
/// <param name="Name">The name of the index in its keyspace.</param>
/// <param name="Signature">A description of the indexed values, from the definition.</param>
/// <param name="Stage">The stage of the index.</param>
/// <param name="BuiltTo">The storage key of the last document that was added while building.</param>
/// <param name="Documents">The number of documents that were added while building.</param>
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
        new IndexRecord(reader.ReadUInt16(), Record.ReadText(ref reader), Record.ReadText(ref reader),
            (IndexStage)Record.ReadChoice(ref reader, (byte)IndexStage.Dropped, "stage of an index"), Record.ReadBytes(ref reader), reader.ReadInt64()));
}

/// <summary>The stage of an index.</summary>
enum IndexStage : byte
{
    /// <summary>The index receives all changes of documents, while the documents that existed before it are being added.</summary>
    Building,

    /// <summary>The index has all documents.</summary>
    Built,

    /// <summary>The index no longer receives changes, and its entries are being removed.</summary>
    Dropped,
}
