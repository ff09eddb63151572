using Datacake.Crdt;
using Datacake.EventualConsistency.Layout;
using MessagePack;

namespace Datacake.EventualConsistency.Sequencing;

/// <summary>
/// The identity of a serial transaction, under which it is sent again until its outcome is known [S8]. A lane has one transaction at a time, with
/// ascending numbers, so that the greatest number that is done says all about a lane.
/// </summary>
/// <param name="Store">The store id of the caller.</param>
/// <param name="Run">The run of the caller's store.</param>
/// <param name="Lane">The number of the lane among those of the run.</param>
/// <param name="Number">The number of the transaction in its lane, from 1.</param>
readonly record struct TransactionId(ulong Store, HlcTimestamp Run, uint Lane, ulong Number)
{
    /// <summary>Gets the lane of the transaction.</summary>
    public CallerLane Caller => new(Store, Run, Lane);

    public void Write(ref MessagePackWriter writer)
    {
        writer.Write(Store);
        Record.WriteStamp(ref writer, Run);
        writer.Write(Lane);
        writer.Write(Number);
    }

    public static TransactionId Read(ref MessagePackReader reader) => new(reader.ReadUInt64(), Record.ReadStamp(ref reader), reader.ReadUInt32(), reader.ReadUInt64());

    public override string ToString() => $"{Store:x}/{Run}/{Lane}/{Number}";
}
