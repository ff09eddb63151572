using Datacake.EventualConsistency.Layout;
using MessagePack;

namespace Datacake.EventualConsistency.Replication.Messages;

/// <summary>
/// A message between replicas within a session. On the wire: the kind, starting at 1, then the parts of the message, in MessagePack, and a
/// checksum of all that, so that a byte that is changed between the two stores is detected [R18].
/// </summary>
abstract record ReplicaMessage
{
    const byte HelloKind = 1, MutationsKind = 2, AcknowledgmentKind = 3, RollCallKind = 4, ReportKind = 5, PullRequestKind = 6, ChunkKind = 7,
        SnapshotPageKind = 8, RefusalKind = 9, PullDeclinedKind = 10, ReadRequestKind = 11, ReadReplyKind = 12, RepairHintKind = 13, KnownRequestKind = 14, KnownReplyKind = 15;

    static readonly Record.Writing<ReplicaMessage> Encoding = static (ref writer, message) =>
    {
        writer.Write(KindOf(message));
        message.Write(ref writer);
    };

    byte[]? _encoded;

    /// <summary>Gets the encoded message, which is encoded only once even if it is sent to several peers.</summary>
    public byte[] Encoded => _encoded ??= Encode();

    /// <summary>Writes the encoded message to an output, for a message that is sent to one peer only.</summary>
    public void EncodeTo(PooledWriter output)
    {
        int start = output.Written.Length;
        Record.Encode(this, output, Encoding);
        MessageChecksum.Append(output, start);
    }

    /// <exception cref="InvalidDataException">The bytes are not a valid message, or are not the bytes that were sent.</exception>
    public static ReplicaMessage Decode(ReadOnlyMemory<byte> encoded) => MessageChecksum.IsRight(encoded.Span)
        ? DecodeContents(encoded[..^MessageChecksum.Length])
        : throw new InvalidDataException("The checksum of a message is wrong: its bytes were changed in transit.");

    byte[] Encode()
    {
        using var output = new PooledWriter();
        EncodeTo(output);
        return output.Written.ToArray();
    }

    static ReplicaMessage DecodeContents(ReadOnlyMemory<byte> contents) => Record.DecodeBeginning<ReplicaMessage>(contents, "a message", static (ref reader) =>
        reader.ReadByte() switch
        {
            HelloKind => Hello.Read(ref reader),
            MutationsKind => Mutations.Read(ref reader),
            AcknowledgmentKind => Acknowledgment.Read(ref reader),
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
            var kind => throw new InvalidDataException($"The message kind {kind} is unknown."),
        });

    /// <summary>
    /// True if storing the content of the message takes almost no space, so that it is received even while the storage is full.
    /// </summary>
    public virtual bool MayUseReserve => true;

    protected abstract void Write(ref MessagePackWriter writer);

    static byte KindOf(ReplicaMessage message) => message switch
    {
        Hello => HelloKind,
        Mutations => MutationsKind,
        Acknowledgment => AcknowledgmentKind,
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
        _ => throw new ArgumentException($"{message.GetType().Name} has no message kind.", nameof(message)),
    };
}
