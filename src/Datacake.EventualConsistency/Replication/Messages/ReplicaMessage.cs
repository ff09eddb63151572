using Datacake.EventualConsistency.Layout;
using MessagePack;

namespace Datacake.EventualConsistency.Replication.Messages;

/// <summary>
/// A message between replicas within a session. On the wire: the kind, starting at 1, then the parts of the message, in MessagePack, and a
/// checksum of all that, so that a byte that is changed between the two stores is detected [R18].
/// </summary>
abstract record ReplicaMessage
{
    static readonly Record.Writing<ReplicaMessage> Encoding = static (ref writer, message) =>
    {
        writer.Write((byte)message.MessageKind);
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

    /// <summary>Decodes a message.</summary>
    /// <exception cref="InvalidDataException">
    /// The bytes are not a valid message of a known kind, or are not the bytes that were sent.
    /// </exception>
    public static ReplicaMessage Decode(ReadOnlyMemory<byte> encoded) =>
        TryDecode(encoded, out var kind) ?? throw new InvalidDataException($"The message kind {kind} is unknown.");

    /// <summary>
    /// Decodes a message, or returns <see langword="null"/> if its kind is unknown. A peer of a later version may send one.
    /// </summary>
    /// <param name="encoded">The bytes that were received.</param>
    /// <param name="kind">The kind of the message.</param>
    /// <exception cref="InvalidDataException">The bytes are not a valid message, or are not the bytes that were sent.</exception>
    public static ReplicaMessage? TryDecode(ReadOnlyMemory<byte> encoded, out MessageKind kind)
    {
        if (!MessageChecksum.IsRight(encoded.Span))
            throw new InvalidDataException("The checksum of a message is wrong: its bytes were changed in transit.");
        (kind, var message) = DecodeContents(encoded[..^MessageChecksum.Length]);
        return message;
    }

    byte[] Encode()
    {
        using var output = new PooledWriter();
        EncodeTo(output);
        return output.Written.ToArray();
    }

    static (MessageKind Kind, ReplicaMessage? Message) DecodeContents(ReadOnlyMemory<byte> contents) => Record.DecodeBeginning<(MessageKind, ReplicaMessage?)>(contents, "a message", static (ref reader) =>
    {
        var kind = (MessageKind)reader.ReadByte();
        return (kind, kind switch
        {
            MessageKind.Hello => Hello.Read(ref reader),
            MessageKind.Mutations => Mutations.Read(ref reader),
            MessageKind.Acknowledgment => Acknowledgment.Read(ref reader),
            MessageKind.RollCall => RollCall.Read(ref reader),
            MessageKind.Report => Report.Read(ref reader),
            MessageKind.PullRequest => PullRequest.Read(ref reader),
            MessageKind.Chunk => Chunk.Read(ref reader),
            MessageKind.SnapshotPage => SnapshotPage.Read(ref reader),
            MessageKind.Refusal => Refusal.Read(ref reader),
            MessageKind.PullDeclined => PullDeclined.Read(ref reader),
            MessageKind.ReadRequest => ReadRequest.Read(ref reader),
            MessageKind.ReadReply => ReadReply.Read(ref reader),
            MessageKind.RepairHint => RepairHint.Read(ref reader),
            MessageKind.KnownRequest => KnownRequest.Read(ref reader),
            MessageKind.KnownReply => KnownReply.Read(ref reader),
            MessageKind.Sequence => SequenceMessage.Read(ref reader),
            MessageKind.RightsRequest => RightsRequest.Read(ref reader),
            MessageKind.FollowRequest => FollowRequest.Read(ref reader),
            MessageKind.SourceState => SourceState.Read(ref reader),
            MessageKind.LeaveRequest => LeaveRequest.Read(ref reader),
            _ => null,
        });
    });

    /// <summary>
    /// True if storing the content of the message takes almost no space, so that it is received even while the storage is full.
    /// </summary>
    public virtual bool MayUseReserve => true;

    /// <summary>Gets the number that the encoded message begins with.</summary>
    protected abstract MessageKind MessageKind { get; }

    /// <summary>
    /// Returns the form in which the message is sent to a peer: the message itself, an older form of it that the peer can read, or
    /// <see langword="null"/> if the peer must not receive it. Hellos and refusals are sent before the version is known, so they have one
    /// form only.
    /// </summary>
    /// <param name="shared">The version and the capabilities that this node shares with the peer.</param>
    public virtual ReplicaMessage? FormFor(ProtocolVersion shared) => this;

    protected abstract void Write(ref MessagePackWriter writer);
}
