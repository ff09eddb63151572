using Datacake.Crdt;
using Datacake.EventualConsistency.Layout;
using MessagePack;

namespace Datacake.EventualConsistency.Replication.Messages;

/// <summary>A reply with the transactions that a replica has.</summary>
/// <param name="Id">The number of the request.</param>
/// <param name="Failure">The reason why there is no answer, as a clause without a full stop, or <see langword="null"/>.</param>
/// <param name="Known">The transactions that the replica has.</param>
sealed record KnownReply(ulong Id, string? Failure, VersionVector Known) : ReplicaMessage
{
    protected override MessageKind MessageKind => MessageKind.KnownReply;

    protected override void Write(ref MessagePackWriter writer)
    {
        writer.Write(Id);
        writer.Write(Failure);
        Record.WriteVector(ref writer, Known);
    }

    public static KnownReply Read(ref MessagePackReader reader)
    {
        ulong id = reader.ReadUInt64();
        string? failure = reader.TryReadNil() ? null : Record.ReadSentence(ref reader);
        return new KnownReply(id, failure, Record.ReadVector(ref reader));
    }
}
