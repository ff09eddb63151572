using Datacake.EventualConsistency.Layout;
using MessagePack;

namespace Datacake.EventualConsistency.Sequencing.Messages;

/// <summary>Entries for a member to append, or none: then it is a heartbeat [S3].</summary>
/// <param name="Status">What the sequencer says of itself.</param>
/// <param name="Previous">The index of the entry before the first one.</param>
/// <param name="PreviousEpoch">The epoch of that entry.</param>
/// <param name="Entries">The entries.</param>
/// <param name="NoVoteAt">
/// The willingness at which the receiver has said that it must not vote [S9], if it is no voter by now, decided, and does not become one; otherwise 0.
/// </param>
sealed record AppendRequest(SequencerStatus Status, ulong Previous, ulong PreviousEpoch, IReadOnlyList<SequenceEntry> Entries, ulong NoVoteAt = 0) : SequencingMessage
{
    const int MaxEntries = 100_000;

    protected override bool IsSmall => Entries.Count == 0;

    protected override void Write(ref MessagePackWriter writer)
    {
        Status.Write(ref writer);
        writer.Write(Previous);
        writer.Write(PreviousEpoch);
        writer.WriteArrayHeader(Entries.Count);
        foreach (var entry in Entries)
            writer.Write(entry.Encoded);
        writer.Write(NoVoteAt);
    }

    public static AppendRequest Read(ref MessagePackReader reader)
    {
        var status = SequencerStatus.Read(ref reader);
        ulong previous = reader.ReadUInt64(), previousEpoch = reader.ReadUInt64();
        var entries = new SequenceEntry[Record.ReadCount(ref reader, MaxEntries, "entries")];
        for (int i = 0; i < entries.Length; i++)
            entries[i] = SequenceEntry.Decode(Record.ReadView(ref reader));
        return new AppendRequest(status, previous, previousEpoch, entries, reader.ReadUInt64());
    }
}
