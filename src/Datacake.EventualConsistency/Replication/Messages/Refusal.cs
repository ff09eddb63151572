using Datacake.EventualConsistency.Layout;
using MessagePack;

namespace Datacake.EventualConsistency.Replication.Messages;

/// <summary>Answers a hello where no session can be: says why, for the peer's log.</summary>
sealed record Refusal(string Reason) : ReplicaMessage
{
    protected override void Write(ref MessagePackWriter writer) => writer.Write(Reason);

    public static Refusal Read(ref MessagePackReader reader) => new(Record.ReadText(ref reader));
}
