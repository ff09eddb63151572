using Datacake.EventualConsistency.Layout;
using MessagePack;

namespace Datacake.EventualConsistency.Replication.Messages;

/// <summary>A replica's view of the members, as it travels in hellos and reports.</summary>
sealed record MemberTable(IReadOnlyDictionary<byte, StoreMember> Members, IReadOnlySet<byte> Forgotten, IReadOnlySet<ulong> Retired)
{
    public static MemberTable Of(ReplicaIdentity identity) =>
        new(new Dictionary<byte, StoreMember>(identity.Members), new HashSet<byte>(identity.Forgotten), new HashSet<ulong>(identity.Retired));

    public void Write(ref MessagePackWriter writer)
    {
        writer.WriteArrayHeader(Members.Count);
        foreach (var (node, member) in Members)
        {
            writer.Write(node);
            writer.Write(member.StoreId);
            writer.Write(member.DataCenter);
        }
        writer.WriteArrayHeader(Forgotten.Count);
        foreach (byte node in Forgotten)
            writer.Write(node);
        writer.WriteArrayHeader(Retired.Count);
        foreach (ulong storeId in Retired)
            writer.Write(storeId);
    }

    public static MemberTable Read(ref MessagePackReader reader)
    {
        var members = new Dictionary<byte, StoreMember>();
        for (int i = Record.ReadCount(ref reader); i > 0; i--)
            members[reader.ReadByte()] = new StoreMember(reader.ReadUInt64(), Record.ReadText(ref reader));
        var forgotten = new HashSet<byte>();
        for (int i = Record.ReadCount(ref reader); i > 0; i--)
            forgotten.Add(reader.ReadByte());
        var retired = new HashSet<ulong>();
        for (int i = Record.ReadCount(ref reader); i > 0; i--)
            retired.Add(reader.ReadUInt64());
        return new MemberTable(members, forgotten, retired);
    }
}
