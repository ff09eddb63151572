using Datacake.Crdt;
using Datacake.EventualConsistency.Layout;
using MessagePack;

namespace Datacake.EventualConsistency.Replication.Messages;

/// <summary>Asks a replica which transactions it has.</summary>
/// <param name="Id">Names the question among the reads of the sender in this session.</param>
sealed record KnownRequest(ulong Id) : ReplicaMessage
{
    protected override void Write(ref MessagePackWriter writer) => writer.Write(Id);

    public static KnownRequest Read(ref MessagePackReader reader) => new(reader.ReadUInt64());
}

/// <summary>A replica's answer to the question which transactions it has.</summary>
/// <param name="Id">The question, as its request named it.</param>
/// <param name="Failure">Why there is no answer, as a clause without a full stop, or <see langword="null"/>.</param>
/// <param name="Known">What it has.</param>
sealed record KnownReply(ulong Id, string? Failure, VersionVector Known) : ReplicaMessage
{
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
