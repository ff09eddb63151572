using Datacake.EventualConsistency.Layout;
using MessagePack;

namespace Datacake.EventualConsistency.Replication.Messages;

/// <summary>
/// A message between replicas within a session. On the wire: the kind, from 1 on, then the message's own parts, as MessagePack, and a checksum of all that, so that nothing
/// between the two stores changes a byte unseen [R18].
/// </summary>
abstract record ReplicaMessage
{
    const byte HelloKind = 1, MutationsKind = 2, AcknowledgementKind = 3, RollCallKind = 4, ReportKind = 5, PullRequestKind = 6, ChunkKind = 7,
        SnapshotPageKind = 8, RefusalKind = 9, PullDeclinedKind = 10, ReadRequestKind = 11, ReadReplyKind = 12, RepairHintKind = 13, KnownRequestKind = 14, KnownReplyKind = 15;

    static readonly Record.Writing<ReplicaMessage> Encoding = static (ref writer, message) =>
    {
        writer.Write(KindOf(message));
        message.Write(ref writer);
    };

    byte[]? _encoded;

    /// <summary>The bytes, encoded once however many peers they go to.</summary>
    public byte[] Encoded => _encoded ??= Encode();

    /// <summary>Writes the bytes of a message that goes to one peer, once.</summary>
    public void EncodeTo(PooledWriter output)
    {
        int start = output.Written.Length;
        Record.Encode(this, output, Encoding);
        MessageChecksum.Append(output, start);
    }

    /// <exception cref="InvalidDataException">The bytes are no message, or not what was sent.</exception>
    public static ReplicaMessage Decode(ReadOnlyMemory<byte> encoded) => MessageChecksum.IsRight(encoded.Span)
        ? DecodeContents(encoded[..^MessageChecksum.Length])
        : throw new InvalidDataException("A message was changed on its way: its checksum is wrong.");

    byte[] Encode()
    {
        using var output = new PooledWriter();
        EncodeTo(output);
        return output.Written.ToArray();
    }

    static ReplicaMessage DecodeContents(ReadOnlyMemory<byte> contents) => Record.Decode<ReplicaMessage>(contents, "a message", static (ref reader) =>
        reader.ReadByte() switch
        {
            HelloKind => Hello.Read(ref reader),
            MutationsKind => Mutations.Read(ref reader),
            AcknowledgementKind => Acknowledgement.Read(ref reader),
            RollCallKind => RollCall.Read(ref reader),
            ReportKind => Report.Read(ref reader),
            PullRequestKind => PullRequest.Read(ref reader),
            ChunkKind => Chunk.Read(ref reader),
            SnapshotPageKind => SnapshotPage.Read(ref reader),
            RefusalKind => Refusal.Read(ref reader),
            PullDeclinedKind => PullDeclined.Read(ref reader),
            ReadRequestKind => ReadRequest.Read(ref reader),
            ReadReplyKind => ReadReply.Read(ref reader),
            RepairHintKind => RepairHint.Read(ref reader),
            KnownRequestKind => KnownRequest.Read(ref reader),
            KnownReplyKind => KnownReply.Read(ref reader),
            var kind => throw new InvalidDataException($"There is no message of kind {kind}."),
        });

    /// <summary>True if to store what it says takes next to no room, so that it is received also where the storage is full for everything else.</summary>
    public virtual bool MayUseReserve => true;

    protected abstract void Write(ref MessagePackWriter writer);

    static byte KindOf(ReplicaMessage message) => message switch
    {
        Hello => HelloKind,
        Mutations => MutationsKind,
        Acknowledgement => AcknowledgementKind,
        RollCall => RollCallKind,
        Report => ReportKind,
        PullRequest => PullRequestKind,
        Chunk => ChunkKind,
        SnapshotPage => SnapshotPageKind,
        Refusal => RefusalKind,
        PullDeclined => PullDeclinedKind,
        ReadRequest => ReadRequestKind,
        ReadReply => ReadReplyKind,
        RepairHint => RepairHintKind,
        KnownRequest => KnownRequestKind,
        KnownReply => KnownReplyKind,
        _ => throw new ArgumentException($"{message.GetType().Name} has no kind.", nameof(message)),
    };
}
