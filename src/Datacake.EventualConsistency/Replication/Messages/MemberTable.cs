using System.Collections.ObjectModel;
using Datacake.EventualConsistency.Layout;
using MessagePack;

namespace Datacake.EventualConsistency.Replication.Messages;

/// <summary>A replica's view of the members, as it is sent in hellos and reports.</summary>
/// <param name="Members">The members by their node ids.</param>
/// <param name="Forgotten">The members that the sender no longer waits for.</param>
/// <param name="Retired">
/// The retired stores, each with the operator's proof or an empty one. Left empty if the receiver is known to have the same ones, so that
/// reports do not grow with retired stores.
/// </param>
/// <param name="RetiredDigest">
/// A digest of all retired stores that the sender knows; equal digests mean that two replicas know the same ones.
/// </param>
sealed record MemberTable(
    IReadOnlyDictionary<byte, StoreMember> Members, IReadOnlySet<byte> Forgotten, IReadOnlyDictionary<ulong, ReadOnlyMemory<byte>> Retired, ulong RetiredDigest)
{
    /// <summary>The number of possible node ids.</summary>
    const int MaxNodes = 256;

    public static MemberTable Of(ReplicaIdentity identity, bool withRetired = true) => new(
        new Dictionary<byte, StoreMember>(identity.Members), new HashSet<byte>(identity.Forgotten),
        withRetired ? identity.Retired.ToDictionary() : ReadOnlyDictionary<ulong, ReadOnlyMemory<byte>>.Empty, identity.Retired.Digest);

    public void Write(ref MessagePackWriter writer)
    {
        writer.WriteArrayHeader(Members.Count);
        foreach (var (node, member) in Members)
        {
            writer.Write(node);
            member.Write(ref writer);
        }
        writer.WriteArrayHeader(Forgotten.Count);
        foreach (byte node in Forgotten)
            writer.Write(node);
        RetiredStores.Write(ref writer, Retired);
        writer.Write(RetiredDigest);
    }

    public static MemberTable Read(ref MessagePackReader reader)
    {
        var members = new Dictionary<byte, StoreMember>();
        for (int i = Record.ReadCount(ref reader, MaxNodes, "members"); i > 0; i--)
            members[reader.ReadByte()] = StoreMember.Read(ref reader);
        var forgotten = new HashSet<byte>();
        for (int i = Record.ReadCount(ref reader, MaxNodes, "forgotten members"); i > 0; i--)
            forgotten.Add(reader.ReadByte());
        var retired = new Dictionary<ulong, ReadOnlyMemory<byte>>();
        foreach (var (storeId, proof) in RetiredStores.Read(ref reader))
            retired[storeId] = proof;
        return new MemberTable(members, forgotten, retired, reader.ReadUInt64());
    }
}
