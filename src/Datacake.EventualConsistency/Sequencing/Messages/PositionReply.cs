using Datacake.Crdt;
using Datacake.EventualConsistency.Layout;
using MessagePack;

namespace Datacake.EventualConsistency.Sequencing.Messages;

/// <summary>The answer to a <see cref="PositionRequest"/>.</summary>
/// <param name="Founding">The founding that the sender follows.</param>
/// <param name="Life">The life of the sender's records.</param>
/// <param name="Epoch">The epoch of the sender.</param>
/// <param name="Last">The index of its last entry.</param>
/// <param name="LastEpoch">The epoch of that entry.</param>
/// <param name="Limit">The limit that it keeps [S5].</param>
/// <param name="Voters">The voters of its newest configuration.</param>
/// <param name="Known">The stamps that its store knows.</param>
/// <param name="MayStand">True if it may be elected.</param>
sealed record PositionReply(
    Founding Founding, ulong Life, ulong Epoch, ulong Last, ulong LastEpoch, HlcTimestamp Limit, IReadOnlyList<Voter> Voters, VersionVector Known, bool MayStand) : SequencingMessage
{
    protected override void Write(ref MessagePackWriter writer)
    {
        Founding.Write(ref writer);
        writer.Write(Life);
        writer.Write(Epoch);
        writer.Write(Last);
        writer.Write(LastEpoch);
        Record.WriteStamp(ref writer, Limit);
        Voter.WriteAll(ref writer, Voters);
        Record.WriteVector(ref writer, Known);
        writer.Write(MayStand);
    }

    public static PositionReply Read(ref MessagePackReader reader) => new(
        Founding.Read(ref reader), reader.ReadUInt64(), reader.ReadUInt64(), reader.ReadUInt64(), reader.ReadUInt64(), Record.ReadStamp(ref reader), Voter.ReadAll(ref reader),
        Record.ReadVector(ref reader), reader.ReadBoolean());
}
