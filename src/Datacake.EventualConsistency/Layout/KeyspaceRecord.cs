using Datacake.Crdt;

namespace Datacake.EventualConsistency.Layout;

/// <summary>What the store keeps of a keyspace, besides its documents.</summary>
/// <param name="Name">Its name.</param>
/// <param name="Policy">Which of its documents are alive.</param>
/// <param name="Count">The number of living documents.</param>
/// <param name="Fingerprint">A sum over everything that readers see.</param>
/// <param name="MustCount">True if both, and the indexes, have to be computed again, since damaged documents were replaced by what others have.</param>
/// <param name="IsRemoved">True if the keyspace is removed, and only its number is left, for another one.</param>
sealed record KeyspaceRecord(string Name, MergePolicy Policy, long Count, UInt128 Fingerprint, bool MustCount = false, bool IsRemoved = false)
{
    public byte[] Encode() => Record.Encode(this, static (ref writer, keyspace) =>
    {
        writer.Write(keyspace.Name);
        writer.Write((byte)keyspace.Policy);
        writer.Write(keyspace.Count);
        Record.WriteNumber(ref writer, keyspace.Fingerprint);
        writer.Write(keyspace.MustCount);
        writer.Write(keyspace.IsRemoved);
    });

    public static KeyspaceRecord Decode(ReadOnlyMemory<byte> encoded) => Record.Decode(encoded, "a keyspace's record", static (ref reader) =>
        new KeyspaceRecord(Record.ReadText(ref reader), (MergePolicy)reader.ReadByte(), reader.ReadInt64(),
            Record.ReadNumber(ref reader) ?? throw new InvalidDataException("The keyspace has no fingerprint."), reader.ReadBoolean(), reader.ReadBoolean()));
}
