using Datacake.Crdt;
using Datacake.EventualConsistency.Layout;
using MessagePack;

namespace Datacake.EventualConsistency.Sequencing.Messages;

/// <summary>The answer of a member to an <see cref="AppendRequest"/> or a <see cref="BaseNotice"/> [S3].</summary>
/// <param name="Epoch">The epoch of the member: a later one than the sequencer's deposes the sequencer.</param>
/// <param name="IsTaken">True if the member has, flushed, everything up to <paramref name="Match"/>.</param>
/// <param name="Match">The index up to which the member agrees with the sequencer; if it did not take the entries, the greatest that it may agree to.</param>
/// <param name="Round">The round that is answered.</param>
/// <param name="Limit">The limit that the member keeps, flushed [S5].</param>
/// <param name="Willingness">A number that grows whenever the member changes its mind: even while it may become a voter, odd while it must not.</param>
/// <param name="Life">The life of the member's records [S9].</param>
/// <param name="Founding">The founding that the member follows [S9].</param>
sealed record AppendReply(ulong Epoch, bool IsTaken, ulong Match, ulong Round, HlcTimestamp Limit, ulong Willingness, ulong Life, Founding Founding)
    : SequencingMessage
{
    protected override void Write(ref MessagePackWriter writer)
    {
        writer.Write(Epoch);
        writer.Write(IsTaken);
        writer.Write(Match);
        writer.Write(Round);
        Record.WriteStamp(ref writer, Limit);
        writer.Write(Willingness);
        writer.Write(Life);
        Founding.Write(ref writer);
    }

    public static AppendReply Read(ref MessagePackReader reader) => new(
        reader.ReadUInt64(), reader.ReadBoolean(), reader.ReadUInt64(), reader.ReadUInt64(), Record.ReadStamp(ref reader), reader.ReadUInt64(),
        reader.ReadUInt64(), Founding.Read(ref reader));
}
