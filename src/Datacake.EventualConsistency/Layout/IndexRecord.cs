namespace Datacake.EventualConsistency.Layout;

/// <summary>What the store keeps of an index, besides its entries.</summary>
sealed record IndexRecord(ushort Keyspace, string Name, string Signature)
{
    public byte[] Encode() => Record.Encode((ref writer) =>
    {
        writer.Write(Keyspace);
        writer.Write(Name);
        writer.Write(Signature);
    });

    public static IndexRecord Decode(ReadOnlyMemory<byte> encoded) => Record.Decode(encoded, "an index's record", static (ref reader) =>
        new IndexRecord(reader.ReadUInt16(), Record.ReadText(ref reader), Record.ReadText(ref reader)));
}
