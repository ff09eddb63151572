using Datacake.EventualConsistency.Layout;

namespace Datacake.EventualConsistency.Replication;

/// <summary>The record that a store has a whole copy of what it follows, and of what [R21].</summary>
/// <remarks>See PROTOCOL.md: follower.</remarks>
/// <param name="Keyspaces">The keyspaces that were copied, in ordinal order; none for all.</param>
sealed record FollowedCopy(IReadOnlyList<string> Keyspaces)
{
    public byte[] Encode() => Record.Encode(this, static (ref writer, copy) =>
    {
        writer.WriteArrayHeader(copy.Keyspaces.Count);
        foreach (string keyspace in copy.Keyspaces)
            writer.Write(keyspace);
    });

    public static FollowedCopy Decode(ReadOnlyMemory<byte> encoded) => Record.Decode(encoded, "the copy of a follower", static (ref reader) =>
    {
        var keyspaces = new string[Record.ReadCount(ref reader)];
        for (int i = 0; i < keyspaces.Length; i++)
            keyspaces[i] = Record.ReadName(ref reader);
        return new FollowedCopy(keyspaces);
    });
}
