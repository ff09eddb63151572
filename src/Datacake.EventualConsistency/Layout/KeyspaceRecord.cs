using Datacake.Crdt;

namespace Datacake.EventualConsistency.Layout;

/// <summary>What the store keeps of a keyspace, besides its documents.</summary>
sealed record KeyspaceRecord(string Name, MergePolicy Policy, long Count, UInt128 Fingerprint)
{
    public byte[] Encode() => Record.Encode(this, static (ref writer, keyspace) =>
    {
        writer.Write(keyspace.Name);
        writer.Write((byte)keyspace.Policy);
        writer.Write(keyspace.Count);
        Record.WriteNumber(ref writer, keyspace.Fingerprint);
    });

    public static KeyspaceRecord Decode(ReadOnlyMemory<byte> encoded) => Record.Decode(encoded, "a keyspace's record", static (ref reader) =>
        new KeyspaceRecord(Record.ReadText(ref reader), (MergePolicy)reader.ReadByte(), reader.ReadInt64(),
            Record.ReadNumber(ref reader) ?? throw new InvalidDataException("The keyspace has no fingerprint.")));
}
