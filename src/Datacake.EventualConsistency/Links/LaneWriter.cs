using Datacake.Rpc;

namespace Datacake.EventualConsistency.Links;

/// <summary>
/// The writer of the messages of one lane to a session's stream. Messages that fit into a frame are written as they are, longer ones in
/// fragments. Used by one caller at a time; other lanes write between the fragments.
/// </summary>
sealed class LaneWriter(RpcStream stream, MessageLane lane)
{
    byte[]? _frame;

    /// <summary>
    /// Writes a message. A cancellation leaves the stream intact: the next message of the lane replaces the incomplete one.
    /// </summary>
    /// <exception cref="RpcException">The stream is broken.</exception>
    /// <exception cref="InvalidDataException">The message is longer than <see cref="Fragment.MaxMessageLength"/>.</exception>
    public ValueTask WriteAsync(ReadOnlyMemory<byte> message, CancellationToken cancellationToken) =>
        message.Length <= Fragment.MaxFrameLength ? stream.WriteAsync(message, cancellationToken) : WriteFragmentsAsync(message, cancellationToken);

    async ValueTask WriteFragmentsAsync(ReadOnlyMemory<byte> message, CancellationToken cancellationToken)
    {
        if (message.Length > Fragment.MaxMessageLength)
            throw new InvalidDataException($"A message has {message.Length} bytes. The limit is {Fragment.MaxMessageLength}.");
        _frame ??= new byte[Fragment.MaxFrameLength];
        for (int offset = 0; offset < message.Length;)
        {
            var (length, count) = Fragment.Write(_frame, lane, message.Span, offset);
            await stream.WriteAsync(_frame.AsMemory(0, length), cancellationToken).ConfigureAwait(false);
            offset += count;
        }
    }
}
