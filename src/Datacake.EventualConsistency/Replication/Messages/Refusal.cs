using Datacake.Crdt;
using Datacake.EventualConsistency.Layout;
using MessagePack;

namespace Datacake.EventualConsistency.Replication.Messages;

/// <summary>
/// The message that ends a session, or answers a hello if no session is possible, with the reason for the peer's state and log [R6].
/// </summary>
/// <remarks>See PROTOCOL.md: refusal.</remarks>
/// <param name="Kind">The kind of the reason, for the peer's replica.</param>
/// <param name="Reason">The reason, as a clause for a message.</param>
/// <param name="Stamp">A stamp that belongs to the reason, or none.</param>
/// <param name="Proof">The operator's proof that the store is retired; empty if there is none.</param>
sealed record Refusal(RefusalKind Kind, string Reason, HlcTimestamp Stamp = default, ReadOnlyMemory<byte> Proof = default) : ReplicaMessage
{
    /// <summary>True if the refusal is routine and is not logged.</summary>
    public bool IsQuiet => Kind == RefusalKind.InSession;

    protected override MessageKind MessageKind => MessageKind.Refusal;

    protected override void Write(ref MessagePackWriter writer)
    {
        writer.Write((byte)Kind);
        writer.Write(Reason);
        Record.WriteStamp(ref writer, Stamp);
        writer.Write(Proof.Span);
    }

    public static Refusal Read(ref MessagePackReader reader) => new((RefusalKind)reader.ReadByte(), Record.ReadSentence(ref reader), Record.ReadStamp(ref reader), Record.ReadProof(ref reader));
}

/// <summary>The kind of reason for which a session is refused. An unknown kind counts as <see cref="Other"/>.</summary>
enum RefusalKind : byte
{
    /// <summary>Another reason, which the text gives.</summary>
    Other,

    /// <summary>The two nodes belong to different clusters.</summary>
    OtherCluster,

    /// <summary>Two nodes use the same node id.</summary>
    SameNode,

    /// <summary>The receiver's store was retired, or replaced by another store.</summary>
    Retired,

    /// <summary>A later run of the receiver's store is known: its files were copied, and the copy was started [R5].</summary>
    Superseded,

    /// <summary>The receiver's run is not above every stamp of its store that the sender knows: its files are an old copy [R5].</summary>
    OldCopy,

    /// <summary>The wall clocks differ too much, or the stamps lead by too much [R1].</summary>
    ClocksDiffer,

    /// <summary>A session between the two is already open and is kept [R6].</summary>
    InSession,

    /// <summary>
    /// The receiver's store is a stray: it joined with data of a store that was already retired and had not heard of that.
    /// </summary>
    Stray,

    /// <summary>The receiver dialed a different node from the one that it meant to reach [R6].</summary>
    OtherNode,

    /// <summary>The two nodes speak no common version of the protocol.</summary>
    Version,

    /// <summary>The receiver's node id is known with another store, which may have data that exists nowhere else [R19].</summary>
    IdTaken,

    /// <summary>The sender's own store is a stray, as the receiver's hello shows.</summary>
    SenderIsStray,

    /// <summary>The sender's own store was retired, or replaced by another store, and is refused by all members.</summary>
    SenderIsRetired,
}
