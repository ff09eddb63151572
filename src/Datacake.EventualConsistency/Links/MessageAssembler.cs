namespace Datacake.EventualConsistency.Links;

/// <summary>
/// The assembly of a session's messages from the frames of its stream. It holds at most one incomplete message per lane, and for it at most
/// twice as much memory as has arrived, or as much as most messages need.
/// </summary>
sealed class MessageAssembler
{
    const int FirstLength = 256 * 1024;

    readonly Unfinished[] _lanes = new Unfinished[(int)MessageLane.Reply + 1];

    struct Unfinished
    {
        public byte[]? Bytes;
        public int Count;
        public int Rest;
    }

    /// <summary>Takes the next frame.</summary>
    /// <param name="frame">The frame.</param>
    /// <param name="message">
    /// The message that ends with the frame: a view of the frame if the frame has the whole message, or else of memory that the next
    /// message of the lane uses again; empty if the message is incomplete.
    /// </param>
    /// <returns>The lane of the message.</returns>
    /// <exception cref="InvalidDataException">The frame does not continue the preceding one of its lane.</exception>
    public MessageLane Take(ReadOnlyMemory<byte> frame, out ReadOnlyMemory<byte> message)
    {
        message = frame;
        if (!Fragment.IsOne(frame.Span))
            return MessageLane.Short;
        var fragment = Fragment.Read(frame.Span);
        ref var lane = ref _lanes[(int)fragment.Lane];
        if (fragment.IsFirst)
            lane = new Unfinished { Bytes = lane.Bytes ?? new byte[FirstLength], Rest = fragment.Rest };
        if (lane.Bytes is null || lane.Rest != fragment.Rest)
            throw new InvalidDataException($"A fragment says that {fragment.Rest} bytes of its message are left, but {lane.Rest} are expected.");
        int end = lane.Count + fragment.Bytes.Length;
        if (end > lane.Bytes.Length)
            Array.Resize(ref lane.Bytes, (int)Math.Min((long)lane.Count + lane.Rest, Math.Max(end, 2L * lane.Bytes.Length)));
        fragment.Bytes.CopyTo(lane.Bytes.AsSpan(lane.Count));
        lane.Count = end;
        lane.Rest -= fragment.Bytes.Length;
        message = default;
        if (lane.Rest == 0)
        {
            message = lane.Bytes.AsMemory(0, lane.Count);
            // Most parts of an answer to a pull are followed by another one; a large array for each was expensive to allocate and to collect.
            lane = new Unfinished { Bytes = lane.Bytes.Length == FirstLength ? lane.Bytes : null };
        }
        return fragment.Lane;
    }
}
