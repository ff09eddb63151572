using Datacake.Crdt;
using Datacake.EventualConsistency.Layout;
using MessagePack;

namespace Datacake.EventualConsistency.Sequencing.Messages;

/// <summary>The answer to a <see cref="VoteRequest"/> [S2].</summary>
/// <param name="Epoch">The epoch of the election, or the later one of the sender, who refuses.</param>
/// <param name="IsProbe">True if it answers a probe.</param>
/// <param name="IsGranted">True if the sender gives, or would give, its vote.</param>
/// <param name="Limit">The limit that the sender keeps [S5].</param>
/// <param name="Life">The life of the sender's records [S9].</param>
/// <param name="Founding">The founding of the sender's sequence [S9].</param>
sealed record VoteReply(ulong Epoch, bool IsProbe, bool IsGranted, HlcTimestamp Limit, ulong Life, Founding Founding) : SequencingMessage
{
    protected override void Write(ref MessagePackWriter writer)
    {
        writer.Write(Epoch);
        writer.Write(IsProbe);
        writer.Write(IsGranted);
        Record.WriteStamp(ref writer, Limit);
        writer.Write(Life);
        Founding.Write(ref writer);
    }

    public static VoteReply Read(ref MessagePackReader reader) => new(
        reader.ReadUInt64(), reader.ReadBoolean(), reader.ReadBoolean(), Record.ReadStamp(ref reader), reader.ReadUInt64(), Founding.Read(ref reader));
}
