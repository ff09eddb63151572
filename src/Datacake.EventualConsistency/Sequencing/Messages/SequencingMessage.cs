using Datacake.EventualConsistency.Layout;
using Datacake.EventualConsistency.Replication.Messages;
using MessagePack;

namespace Datacake.EventualConsistency.Sequencing.Messages;

/// <summary>A message between sequencers, within a <see cref="SequenceMessage"/>: the kind, starting at 1, then the parts.</summary>
abstract record SequencingMessage
{
    const byte VoteRequestKind = 1, VoteReplyKind = 2, AppendKind = 3, BaseKind = 4, AppendReplyKind = 5, CommitRequestKind = 6, BarrierRequestKind = 7, ReplyKind = 8, PositionRequestKind = 9,
        PositionReplyKind = 10;

    SequenceMessage? _wrapped;

    /// <summary>True if storing the content of the message takes almost no space.</summary>
    protected virtual bool IsSmall => true;

    /// <summary>Returns the message as replicas send it. It is encoded once, even if it is sent to several peers.</summary>
    public SequenceMessage Wrap() => _wrapped ??= new SequenceMessage(IsSmall, Record.Encode(this, static (ref writer, message) =>
    {
        writer.Write(KindOf(message));
        message.Write(ref writer);
    }));

    /// <summary>Decodes a message. Anything that a later version appends is ignored.</summary>
    /// <exception cref="InvalidDataException">The bytes are not a valid message.</exception>
    public static SequencingMessage Decode(SequenceMessage message) => Record.DecodeBeginning<SequencingMessage>(message.Content, "a message of a sequencer", static (ref reader) =>
        reader.ReadByte() switch
        {
            VoteRequestKind => VoteRequest.Read(ref reader),
            VoteReplyKind => VoteReply.Read(ref reader),
            AppendKind => AppendRequest.Read(ref reader),
            BaseKind => BaseNotice.Read(ref reader),
            AppendReplyKind => AppendReply.Read(ref reader),
            CommitRequestKind => CommitRequest.Read(ref reader),
            BarrierRequestKind => BarrierRequest.Read(ref reader),
            ReplyKind => SequencerReply.Read(ref reader),
            PositionRequestKind => new PositionRequest(),
            PositionReplyKind => PositionReply.Read(ref reader),
            var kind => throw new InvalidDataException($"The kind {kind} of a message of a sequencer is unknown."),
        });

    protected abstract void Write(ref MessagePackWriter writer);

    static byte KindOf(SequencingMessage message) => message switch
    {
        VoteRequest => VoteRequestKind,
        VoteReply => VoteReplyKind,
        AppendRequest => AppendKind,
        BaseNotice => BaseKind,
        AppendReply => AppendReplyKind,
        CommitRequest => CommitRequestKind,
        BarrierRequest => BarrierRequestKind,
        SequencerReply => ReplyKind,
        PositionRequest => PositionRequestKind,
        PositionReply => PositionReplyKind,
        _ => throw new ArgumentException($"{message.GetType().Name} has no kind.", nameof(message)),
    };
}
