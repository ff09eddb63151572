using Datacake.Crdt;
using Datacake.EventualConsistency.Layout;
using MessagePack;

namespace Datacake.EventualConsistency.Sequencing;

/// <summary>
/// The beginning of a sequence: that of the cluster, or a later one, after the voters of the earlier sequence were lost for good [S9]. Indexes and epochs of
/// different foundings have nothing to do with each other.
/// </summary>
/// <param name="Stamp">The stamp of a later founding, under which nothing is written; none for the first.</param>
/// <param name="Store">The store that has founded it anew; 0 for the first.</param>
/// <param name="IsForced">True if an operator has said so. Otherwise, the store was the only voter, and has come back from a backup.</param>
readonly record struct Founding(HlcTimestamp Stamp, ulong Store, bool IsForced)
{
    const int NodeBits = 8;

    /// <summary>True for the founding of the cluster.</summary>
    public bool IsFirst => Stamp.IsNone;

    /// <summary>
    /// Gets a number that is greater than all numbers that were counted under earlier foundings, of which the last ones may be lost: the instant of the stamp, with its
    /// counter. A count that begins above it is not faster than the clock.
    /// </summary>
    public long TokenFloor => (long)(Stamp.Packed >> NodeBits);

    /// <summary>Returns true if a member of another founding has to give up its own for this one, whatever it knows.</summary>
    public bool Outranks(Founding other) => IsForced && (!other.IsForced || Stamp > other.Stamp);

    public void Write(ref MessagePackWriter writer)
    {
        Record.WriteStamp(ref writer, Stamp);
        writer.Write(Store);
        writer.Write(IsForced);
    }

    public static Founding Read(ref MessagePackReader reader) => new(Record.ReadStamp(ref reader), reader.ReadUInt64(), reader.ReadBoolean());

    public override string ToString() => IsFirst ? "first" : $"{Stamp}{(IsForced ? ", forced" : "")}";
}
