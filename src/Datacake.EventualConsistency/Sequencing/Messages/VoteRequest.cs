using MessagePack;

namespace Datacake.EventualConsistency.Sequencing.Messages;

/// <summary>A request for a vote, or the question whether there would be one [S2].</summary>
/// <param name="Epoch">The epoch of the election.</param>
/// <param name="IsProbe">True if the sender only asks whether it would get the vote, which changes nothing.</param>
/// <param name="Last">The index of the sender's last entry.</param>
/// <param name="LastEpoch">The epoch of that entry.</param>
/// <param name="Life">The life of the sender's records [S9].</param>
/// <param name="Founding">The founding of the sender's sequence [S9].</param>
sealed record VoteRequest(ulong Epoch, bool IsProbe, ulong Last, ulong LastEpoch, ulong Life = 0, Founding Founding = default) : SequencingMessage
{
    protected override void Write(ref MessagePackWriter writer)
    {
        writer.Write(Epoch);
        writer.Write(IsProbe);
        writer.Write(Last);
        writer.Write(LastEpoch);
        writer.Write(Life);
        Founding.Write(ref writer);
    }

    public static VoteRequest Read(ref MessagePackReader reader) => new(
        reader.ReadUInt64(), reader.ReadBoolean(), reader.ReadUInt64(), reader.ReadUInt64(), reader.ReadUInt64(), Founding.Read(ref reader));
}
