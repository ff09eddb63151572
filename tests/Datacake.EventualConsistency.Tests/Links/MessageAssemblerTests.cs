using Datacake.EventualConsistency.Links;

namespace Datacake.EventualConsistency.Tests.Links;

/// <summary>Messages that are split into fragments and reassembled.</summary>
public sealed class MessageAssemblerTests
{
    readonly MessageAssembler _assembler = new();

    [Theory]
    [InlineData(1)]
    [InlineData(Fragment.MaxFrameLength)]
    [InlineData(Fragment.MaxFrameLength + 1)]
    [InlineData(3_000_000)]
    public void Message_of_any_length_is_reassembled_from_its_fragments(int length)
    {
        byte[] message = MessageOf(length, 7);
        var frames = FramesOf(message, MessageLane.Long);
        Assert.All(frames, frame => Assert.InRange(frame.Length, 1, Fragment.MaxFrameLength));
        foreach (byte[] frame in frames[..^1])
            Assert.Empty(Take(frame));
        Assert.Equal(message, Take(frames[^1]));
    }

    [Fact]
    public void Fragments_of_all_lanes_and_whole_messages_can_be_interleaved()
    {
        var random = new Random(4711);
        var waiting = Enum.GetValues<MessageLane>().Select(lane => (Lane: lane, Message: MessageOf(random.Next(100_000, 400_000), (byte)(lane + 1)))).ToList();
        var frames = waiting.ToDictionary(sent => sent.Lane, sent => new Queue<byte[]>(FramesOf(sent.Message, sent.Lane)));
        var received = new Dictionary<MessageLane, byte[]>();
        while (frames.Values.Any(queue => queue.Count > 0))
        {
            var lane = frames.Where(queue => queue.Value.Count > 0).ElementAt(random.Next(frames.Count(queue => queue.Value.Count > 0))).Key;
            Assert.Equal(lane, _assembler.Take(frames[lane].Dequeue(), out var message));
            if (!message.IsEmpty)
                received.Add(lane, message.ToArray());
            byte[] whole = MessageOf(random.Next(1, 100), 99);
            Assert.Equal(whole, Take(whole));
        }
        foreach (var (lane, message) in waiting)
            Assert.Equal(message, received[lane]);
    }

    [Fact]
    public void Abandoned_message_is_replaced_by_the_next_one_of_its_lane()
    {
        foreach (byte[] frame in FramesOf(MessageOf(1_000_000, 1), MessageLane.Answer)[..^1])
            Assert.Empty(Take(frame));
        byte[] next = MessageOf(200_000, 2);
        var frames = FramesOf(next, MessageLane.Answer);
        foreach (byte[] frame in frames[..^1])
            Assert.Empty(Take(frame));
        Assert.Equal(next, Take(frames[^1]));
    }

    [Fact]
    public void Fragment_that_does_not_continue_its_message_is_refused()
    {
        var frames = FramesOf(MessageOf(1_000_000, 1), MessageLane.Long);
        Take(frames[0]);
        Assert.Throws<InvalidDataException>(() => Take(frames[2]));
        Assert.Throws<InvalidDataException>(() => new MessageAssembler().Take(frames[1], out _));
    }

    [Theory]
    [InlineData(new byte[] { 0 })]
    [InlineData(new byte[] { 0, 1, 1, 0, 0, 0, 5 })]                    // no bytes
    [InlineData(new byte[] { 0, 9, 1, 0, 0, 0, 5, 1 })]                 // an unknown lane
    [InlineData(new byte[] { 0, 1, 2, 0, 0, 0, 5, 1 })]                 // an unknown flag
    [InlineData(new byte[] { 0, 1, 1, 0, 0, 0, 0, 1 })]                 // more bytes than announced
    [InlineData(new byte[] { 0, 1, 1, 0x7F, 0xFF, 0xFF, 0xFF, 1 })]     // a message beyond the limit
    [InlineData(new byte[] { 0, 1, 1, 0xFF, 0xFF, 0xFF, 0xFF, 1 })]     // a negative length
    public void Frame_with_a_damaged_header_is_refused(byte[] frame) => Assert.Throws<InvalidDataException>(() => Take(frame));

    [Fact]
    public void Announced_length_allocates_no_memory_before_its_bytes_arrive()
    {
        byte[] frame = FramesOf(MessageOf(100_000, 1), MessageLane.Long)[0];
        System.Buffers.Binary.BinaryPrimitives.WriteInt32BigEndian(frame.AsSpan(3), Fragment.MaxMessageLength);
        long before = GC.GetAllocatedBytesForCurrentThread();
        Take(frame);
        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, 2 * 1024 * 1024);
    }

    [Fact]
    public void Long_messages_of_a_lane_share_their_memory()
    {
        var frames = FramesOf(MessageOf(200_000, 1), MessageLane.Answer);
        Receive();
        long before = GC.GetAllocatedBytesForCurrentThread();
        Receive();
        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, 10_000);

        void Receive()
        {
            foreach (byte[] frame in frames)
                _assembler.Take(frame, out _);
        }
    }

    byte[] Take(byte[] frame)
    {
        _assembler.Take(frame, out var message);
        return message.ToArray();
    }

    static byte[] MessageOf(int length, byte first)
    {
        byte[] message = new byte[length];
        new Random(length).NextBytes(message);
        message[0] = first;
        return message;
    }

    static List<byte[]> FramesOf(byte[] message, MessageLane lane)
    {
        if (message.Length <= Fragment.MaxFrameLength)
            return [message];
        var frames = new List<byte[]>();
        for (int offset = 0; offset < message.Length;)
        {
            byte[] frame = new byte[Fragment.MaxFrameLength];
            var (length, count) = Fragment.Write(frame, lane, message, offset);
            frames.Add(frame[..length]);
            offset += count;
        }
        return frames;
    }
}
