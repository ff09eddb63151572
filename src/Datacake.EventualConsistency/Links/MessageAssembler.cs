namespace Datacake.EventualConsistency.Links;

/// <summary>
/// Puts the messages of a session together from the frames of its stream. It holds at most one unfinished message for each lane, and of each no more memory
/// than twice what has come, or than most messages need.
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
    /// The message that ends with it: a view of the frame if that has all of it, else of memory that the next message of the lane uses again; empty if the
    /// message goes on.
    /// </param>
    /// <returns>The lane of the message.</returns>
    /// <exception cref="InvalidDataException">The frame does not continue what came before it.</exception>
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
            throw new InvalidDataException($"A fragment says that {fragment.Rest} bytes of its message are left, where {lane.Rest} are.");
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
            // A part of an answer to a pull is mostly followed by another: a large array for each was expensive to allocate and to collect.
            lane = new Unfinished { Bytes = lane.Bytes.Length == FirstLength ? lane.Bytes : null };
        }
        return fragment.Lane;
    }
}
