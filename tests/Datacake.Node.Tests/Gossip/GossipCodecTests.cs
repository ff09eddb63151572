using System.Net;
using CsCheck;
using Datacake.Node.Gossip;

namespace Datacake.Node.Tests;

public sealed class GossipCodecTests : IDisposable
{
    readonly GossipCodec _codec = new();

    static readonly GossipId Node1 = new("node-1", 1, IPEndPoint.Parse("127.0.0.1:21001"));
    static readonly GossipId Node2 = new("node-2", 2, IPEndPoint.Parse("127.0.0.1:21002"));

    public void Dispose() => _codec.Dispose();

    [Fact]
    public void The_captured_syn_is_read_and_written_byte_for_byte()
    {
        var syn = Assert.IsType<GossipMessage.Syn>(Decode(WorkedPackets.Syn));
        Assert.Equal("demo", syn.ClusterId);
        Assert.Equal(new DigestEntry(Node2, 2, 0, 1), Assert.Single(syn.Digest.Entries));
        Assert.Null(syn.Sender);
        Assert.Equal(WorkedPackets.Syn, _codec.Encode(syn));
    }

    [Fact]
    public void The_captured_syn_ack_is_read()
    {
        var synAck = Assert.IsType<GossipMessage.SynAck>(Decode(WorkedPackets.SynAck));
        Assert.Equal([new DigestEntry(Node1, 2, 0, 2), new DigestEntry(Node2, 2, 0, 0)], synAck.Digest.Entries);
        var section = Assert.Single(synAck.Delta.Nodes);
        Assert.Equal((Node1, 0UL, 0UL, 2UL), (section.Id, section.LastGcVersion, section.FromVersionExcluded, section.MaxVersion));
        Assert.Equal(
            [new DeltaEntry("service", "searcher", 1, EntryStatus.Set), new DeltaEntry("grpc_addr", "127.0.0.1:7281", 2, EntryStatus.Set)],
            section.Entries);
    }

    [Fact]
    public void The_captured_ack_with_a_stored_block_is_read_and_written_byte_for_byte()
    {
        var ack = Assert.IsType<GossipMessage.Ack>(Decode(WorkedPackets.Ack));
        var section = Assert.Single(ack.Delta.Nodes);
        Assert.Equal(Node2, section.Id);
        Assert.Equal(new DeltaEntry("service", "indexer", 1, EntryStatus.Set), Assert.Single(section.Entries));
        Assert.Equal(WorkedPackets.Ack, _codec.Encode(ack));
    }

    [Fact]
    public void The_captured_empty_messages_are_read_and_written_byte_for_byte()
    {
        Assert.Empty(Assert.IsType<GossipMessage.Ack>(Decode(WorkedPackets.EmptyAck)).Delta.Nodes);
        Assert.IsType<GossipMessage.BadCluster>(Decode(WorkedPackets.BadCluster));
        Assert.Equal(WorkedPackets.EmptyAck, _codec.Encode(Decode(WorkedPackets.EmptyAck)));
        Assert.Equal(WorkedPackets.BadCluster, _codec.Encode(Decode(WorkedPackets.BadCluster)));
    }

    [Fact]
    public void The_captured_delete_is_read_as_a_tombstone()
    {
        var section = Assert.Single(Assert.IsType<GossipMessage.Ack>(Decode(WorkedPackets.Delete)).Delta.Nodes);
        Assert.Equal(1UL, section.FromVersionExcluded);
        Assert.Equal(new DeltaEntry("color", "", 2, EntryStatus.Deleted), Assert.Single(section.Entries));
        Assert.Equal(WorkedPackets.Delete, _codec.Encode(Decode(WorkedPackets.Delete)));
    }

    [Fact]
    public void The_captured_collected_state_over_IPv6_is_read()
    {
        var synAck = Assert.IsType<GossipMessage.SynAck>(Decode(WorkedPackets.MaxVersion));
        var node1 = new GossipId("node-1", 1, IPEndPoint.Parse("[::1]:23001"));
        Assert.Equal(new DigestEntry(node1, 7, 2, 2), synAck.Digest.Entries[0]);
        var section = Assert.Single(synAck.Delta.Nodes);
        Assert.Equal(
            (node1, 2UL, 0UL, (ulong?)2), (section.Id, section.LastGcVersion, section.FromVersionExcluded, section.ExplicitMaxVersion));
        Assert.Empty(section.Entries);
    }

    [Fact]
    public void Captured_packet_keeps_its_meaning_when_read_and_written()
    {
        foreach (var packet in WorkedPackets.All)
        {
            var written = _codec.Encode(Decode(packet));
            Assert.Equal(Describe(Decode(packet)), Describe(Decode(written)));
        }
    }

    [Fact]
    public void Message_is_readable_for_an_implementation_that_ignores_the_trailer()
    {
        var sender = new GossipSender(Node2, "demo", 42, WallClock: 43, Exchange: 44, Store: 45, HoldsReceiverRetired: true);
        var ours = _codec.Encode(Decode(WorkedPackets.Syn) with { Sender = sender });
        Assert.Equal(WorkedPackets.Syn, ours[..WorkedPackets.Syn.Length]);
        Assert.Equal(sender, Decode(ours).Sender);
    }

    [Fact]
    public void Message_of_a_sender_without_a_wall_clock_is_read()
    {
        var sender = new GossipSender(Node2, "demo", 42);
        Assert.Equal(sender, Decode(_codec.Encode(new GossipMessage.BadCluster(sender))).Sender);
        Assert.Null(sender.WallClock);
    }

    [Fact]
    public void Unreadable_trailer_does_not_affect_the_message()
    {
        var message = Assert.IsType<GossipMessage.Syn>(Decode([.. WorkedPackets.Syn, 0xDC, 1, 0xFF, 0xFF]));
        Assert.Null(message.Sender);
        Assert.False(message.Digest.IsPartial);
    }

    [Theory]
    [InlineData("", "ends 2 bytes early")]
    [InlineData("54b00000", "not a gossip message")]
    [InlineData("53b00100", "format version is 1")]
    [InlineData("53b00009", "9 is not a valid message type")]
    [InlineData("53b00002070000", "7 is not a valid block type")]
    [InlineData("53b000020201000900", "9 is not a valid delta operation")]
    [InlineData("53b00002020900020500000000000000 00", "does not belong to a node")]
    [InlineData("53b00002010400deadbeef00", "cannot be inflated")]
    public void Malformed_message_is_rejected_with_the_reason(string hex, string reason)
    {
        var bytes = Convert.FromHexString(hex.Replace(" ", "", StringComparison.Ordinal));
        Assert.False(_codec.TryDecode(bytes, out var message, out var error));
        Assert.Null(message);
        Assert.Contains(reason, error, StringComparison.Ordinal);
    }

    [Fact]
    public void Message_whose_maximum_version_is_below_an_entry_is_rejected()
    {
        var section = new NodeDelta(Node1, 0, 0, [new DeltaEntry("x", "y", 10, EntryStatus.Set)], ExplicitMaxVersion: 5);
        AssertRefused(new GossipMessage.Ack(new Delta([section])), "is below that of its last entry");
    }

    [Fact]
    public void Message_with_versions_out_of_order_is_rejected()
    {
        var section = new NodeDelta(
            Node1, 0, 0, [new DeltaEntry("x", "y", 2, EntryStatus.Set), new DeltaEntry("z", "y", 2, EntryStatus.Set)]);
        AssertRefused(new GossipMessage.Ack(new Delta([section])), "do not ascend");
        section = section with { Entries = [new DeltaEntry("x", "y", 0, EntryStatus.Set)] };
        AssertRefused(new GossipMessage.Ack(new Delta([section])), "do not ascend");
    }

    [Fact]
    public void Message_with_two_sections_for_one_node_is_rejected()
    {
        var section = new NodeDelta(Node1, 0, 0, []);
        AssertRefused(new GossipMessage.Ack(new Delta([section, section])), "two sections");
    }

    [Fact]
    public void Message_with_an_unknown_status_is_rejected()
    {
        var section = new NodeDelta(Node1, 0, 0, [new DeltaEntry("x", "y", 1, (EntryStatus)3)]);
        AssertRefused(new GossipMessage.Ack(new Delta([section])), "3 is not a valid entry status");
    }

    [Fact]
    public void A_small_message_that_claims_gigabytes_is_not_inflated()
    {
        using var compressor = new ZstdSharp.Compressor();
        var block = compressor.Wrap(new byte[65_535]).ToArray();
        byte[] head = [0x53, 0xB0, 0, 2];
        byte[] message =
            [.. head, .. Enumerable.Range(0, 20_000).SelectMany(_ => (byte[])[1, (byte)block.Length, (byte)(block.Length >> 8), .. block]), 0];
        var before = GC.GetAllocatedBytesForCurrentThread();
        _codec.TryDecode(message, out _, out _);
        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, 8L * WireFormat.MaxInflatedDeltaLength);
    }

    [Fact]
    public void Delta_that_inflates_beyond_the_limit_is_read_in_parts()
    {
        var entries = Enumerable.Range(1, 4_000)
            .Select(version => new DeltaEntry($"key-{version}", new string('x', 3_000), (ulong)version, EntryStatus.Set))
            .ToArray();
        var state = new NodeState(Node1, new VirtualTime());
        var parts = 0;
        for (; state.MaxVersion < 4_000 && parts < 4; parts++)
        {
            var missing = entries.Where(entry => entry.Version > state.MaxVersion).ToArray();
            var sender = new GossipSender(Node2, "demo", 1);
            var read = Decode(_codec.Encode(new GossipMessage.Ack(new Delta([new NodeDelta(Node1, 0, state.MaxVersion, missing)]), sender)));
            Assert.Equal(sender, read.Sender);
            state.Apply(Assert.Single(Assert.IsType<GossipMessage.Ack>(read).Delta.Nodes));
        }
        Assert.Equal(2, parts);
        Assert.Equal(4_000, state.CountAbove(0));
    }

    [Fact]
    public void Delta_of_many_blocks_round_trips()
    {
        var random = new Random(1);
        var entries = Enumerable.Range(1, 3_000)
            .Select(version => new DeltaEntry(
                $"key-{version}", Convert.ToHexString(BitConverter.GetBytes(random.NextInt64())), (ulong)version, EntryStatus.Set))
            .ToArray();
        var message = new GossipMessage.Ack(new Delta([new NodeDelta(Node1, 3, 0, entries)]));
        var bytes = _codec.Encode(message);
        Assert.Equal(Describe(message), Describe(Decode(bytes)));
        Assert.True(bytes.Length < entries.Sum(entry => WireFormat.EncodedLength(entry)), "zstd made nothing smaller");
    }

    [Fact]
    public void Any_message_round_trips() => GossipGen.Message.Sample(
        message =>
        {
            using var codec = new GossipCodec();
            Assert.True(codec.TryDecode(codec.Encode(message), out var read, out var error), error);
            Assert.Equal(Describe(message), Describe(read));
        },
        iter: 2_000);

    [Fact]
    public void Encoded_message_is_never_longer_than_the_computed_length_of_its_parts()
        => GossipGen.Message.Sample(
            message =>
            {
                using var codec = new GossipCodec();
                if (message is not GossipMessage.SynAck synAck)
                    return;
                var operations = synAck.Delta.Nodes.Sum(section => WireFormat.EncodedLength(section)
                    + section.Entries.Sum(entry => WireFormat.EncodedLength(entry))
                    + (section.ExplicitMaxVersion is null ? 0 : WireFormat.MaxVersionLength));
                var bound = WireFormat.HeaderLength + 2 + synAck.Digest.Entries.Sum(entry => entry.EncodedLength)
                    + WireFormat.DeltaLengthAtMost(operations) + WireFormat.EncodedLength(synAck.Sender);
                Assert.InRange(codec.Encode(message).Length, 1, bound);
            },
            iter: 2_000);

    [Fact]
    public void Random_bytes_never_throw() => Gen.Byte.Array[0, 300].Sample(
        bytes =>
        {
            using var codec = new GossipCodec();
            Assert.Equal(codec.TryDecode([0x53, 0xB0, 0, .. bytes], out var message, out var error), message is not null);
            Assert.Equal(message is null, error is not null);
        },
        iter: 20_000);

    [Fact]
    public void Mutated_packets_never_throw()
    {
        var random = new Random(7);
        for (var i = 0; i < 100_000; i++)
        {
            var bytes = WorkedPackets.All[random.Next(WorkedPackets.All.Length)].ToArray();
            for (var flips = random.Next(1, 4); flips > 0; flips--)
                bytes[random.Next(bytes.Length)] = (byte)random.Next(256);
            var cut = random.Next(4) == 0 ? random.Next(bytes.Length) : bytes.Length;
            if (_codec.TryDecode(bytes.AsSpan(0, cut), out var message, out _))
                _codec.Encode(message);
        }
    }

    GossipMessage Decode(byte[] bytes)
    {
        Assert.True(_codec.TryDecode(bytes, out var message, out var error), error);
        return message;
    }

    void AssertRefused(GossipMessage message, string reason)
    {
        Assert.False(_codec.TryDecode(_codec.Encode(message), out _, out var error));
        Assert.Contains(reason, error, StringComparison.Ordinal);
    }

    static string Describe(GossipMessage message) => message switch
    {
        GossipMessage.Syn syn => $"Syn {Describe(syn.Digest)} {syn.ClusterId} {syn.Sender}",
        GossipMessage.SynAck synAck => $"SynAck {Describe(synAck.Digest)} {Describe(synAck.Delta)} {synAck.Sender}",
        GossipMessage.Ack ack => $"Ack {Describe(ack.Delta)} {ack.Sender}",
        _ => $"BadCluster {message.Sender}",
    };

    static string Describe(Digest digest) => $"{(digest.IsPartial ? "part" : "all")}: {string.Join(", ", digest.Entries)}";

    static string Describe(Delta delta) => string.Join(
        "; ",
        delta.Nodes.Select(node =>
            $"{node.Id} {node.LastGcVersion} {node.FromVersionExcluded} {node.MaxVersion}: {string.Join(", ", node.Entries)}"));
}
