using Datacake.Crdt;
using Datacake.EventualConsistency.Layout;
using MessagePack;

namespace Datacake.EventualConsistency.Replication.Messages;

/// <summary>Ends a session, or answers a hello where no session can be: says why, for the peer's state and log.</summary>
/// <param name="Kind">Why, for the peer's replica.</param>
/// <param name="Reason">Why, as a clause for a message.</param>
/// <param name="Stamp">A stamp that belongs to the reason, or none.</param>
/// <param name="Proof">The operator's proof that the store is retired; empty if there is none.</param>
sealed record Refusal(RefusalKind Kind, string Reason, HlcTimestamp Stamp = default, ReadOnlyMemory<byte> Proof = default) : ReplicaMessage
{
    /// <summary>True if the refusal is part of the ordinary course of things and worth no line in a log.</summary>
    public bool IsQuiet => Kind == RefusalKind.InSession;

    protected override void Write(ref MessagePackWriter writer)
    {
        writer.Write((byte)Kind);
        writer.Write(Reason);
        Record.WriteStamp(ref writer, Stamp);
        writer.Write(Proof.Span);
    }

    public static Refusal Read(ref MessagePackReader reader) => new((RefusalKind)reader.ReadByte(), Record.ReadSentence(ref reader), Record.ReadStamp(ref reader), Record.ReadProof(ref reader));
}

/// <summary>Why a session is refused. A kind that is not known here counts as <see cref="Other"/>.</summary>
enum RefusalKind : byte
{
    /// <summary>For a reason that the text gives.</summary>
    Other,

    /// <summary>The two are of different clusters.</summary>
    OtherCluster,

    /// <summary>Both have the same node id.</summary>
    SameNode,

    /// <summary>The receiver's store was retired, or replaced by another.</summary>
    Retired,

    /// <summary>A later run of the receiver's store is known: its files were copied, and the copy was started [R5].</summary>
    Superseded,

    /// <summary>The receiver's run lies below stamps of its store that the sender knows, up to the stamp of the refusal: its files are an old copy [R5].</summary>
    OldCopy,

    /// <summary>The wall clocks differ too much [R1].</summary>
    ClocksDiffer,

    /// <summary>A session between the two is open already, and stays [R6].</summary>
    InSession,

    /// <summary>The receiver's store joined over one that was retired, and that had not heard of it.</summary>
    Stray,

    /// <summary>The receiver has dialed another node than it meant to [R6].</summary>
    OtherNode,

    /// <summary>The two speak no common version of the protocol.</summary>
    Version,

    /// <summary>The receiver's node id is known with another store, which may have what exists nowhere else [R19].</summary>
    IdTaken,
}
