using System.Buffers.Binary;
using Datacake.Crdt;

namespace Datacake.EventualConsistency.Layout;

/// <summary>What the store keeps of a keyspace, besides its documents.</summary>
sealed record KeyspaceRecord(string Name, MergePolicy Policy, long Count, UInt128 Fingerprint)
{
    public byte[] Encode() => Record.Encode((ref writer) =>
    {
        writer.Write(Name);
        writer.Write((byte)Policy);
        writer.Write(Count);
        var fingerprint = new byte[16];
        BinaryPrimitives.WriteUInt128LittleEndian(fingerprint, Fingerprint);
        writer.Write(fingerprint);
    });

    public static KeyspaceRecord Decode(ReadOnlyMemory<byte> encoded) => Record.Decode(encoded, "a keyspace's record", static (ref reader) =>
        new KeyspaceRecord(Record.ReadText(ref reader), (MergePolicy)reader.ReadByte(), reader.ReadInt64(),
            BinaryPrimitives.ReadUInt128LittleEndian(Record.ReadBytes(ref reader).Span)));
}
