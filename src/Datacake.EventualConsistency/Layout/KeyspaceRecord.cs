using Datacake.Crdt;
using MessagePack;

namespace Datacake.EventualConsistency.Layout;

/// <summary>The stored record of a keyspace, which describes it apart from its documents.</summary>
/// <param name="Name">The name of the keyspace.</param>
/// <param name="Policy">The merge policy, which determines the documents that are alive.</param>
/// <param name="Count">The number of live documents.</param>
/// <param name="Fingerprint">The fingerprint of everything that readers can see [R15].</param>
/// <param name="MustCount">
/// True if the count, the fingerprint and the indexes must be recomputed, because damaged documents were replaced.
/// </param>
/// <param name="IsRemoved">True if the keyspace is removed, and only its number is kept, for reuse by another keyspace.</param>
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
        new KeyspaceRecord(Record.ReadText(ref reader), ReadPolicy(ref reader), reader.ReadInt64(),
            Record.ReadNumber(ref reader) ?? throw new InvalidDataException("The keyspace has no fingerprint."), reader.ReadBoolean(), reader.ReadBoolean()));

    /// <summary>Reads a merge policy.</summary>
    /// <exception cref="InvalidDataException">The policy is unknown.</exception>
    public static MergePolicy ReadPolicy(ref MessagePackReader reader) => (MergePolicy)Record.ReadChoice(ref reader, (byte)MergePolicy.Serial, "merge policy");
}
