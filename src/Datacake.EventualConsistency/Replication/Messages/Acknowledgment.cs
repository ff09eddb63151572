using Datacake.Crdt;
using Datacake.EventualConsistency.Layout;
using MessagePack;

namespace Datacake.EventualConsistency.Replication.Messages;

/// <summary>The acknowledgment of transactions of the receiver, which the sender has applied durably [R7].</summary>
/// <remarks>See PROTOCOL.md: acknowledgment.</remarks>
sealed record Acknowledgment(StampInterval[] Applied) : ReplicaMessage
{
    /// <summary>The maximum number of intervals in a message; far fewer ever wait to be sent.</summary>
    const int MaxIntervals = 100_000;

    protected override MessageKind MessageKind => MessageKind.Acknowledgment;

    protected override void Write(ref MessagePackWriter writer)
    {
        writer.WriteArrayHeader(Applied.Length);
        foreach (var interval in Applied)
        {
            Record.WriteStamp(ref writer, interval.Low);
            Record.WriteStamp(ref writer, interval.High);
        }
    }

    public static Acknowledgment Read(ref MessagePackReader reader)
    {
        var applied = new StampInterval[Record.ReadCount(ref reader, MaxIntervals, "acknowledged intervals")];
        for (int i = 0; i < applied.Length; i++)
            applied[i] = new StampInterval(Record.ReadStamp(ref reader), Record.ReadStamp(ref reader));
        return new Acknowledgment(applied);
    }
}
