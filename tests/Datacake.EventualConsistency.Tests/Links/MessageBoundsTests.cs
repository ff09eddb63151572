using System.Buffers;
using Datacake.Crdt;
using Datacake.EventualConsistency.Layout;
using Datacake.EventualConsistency.Replication;
using Datacake.EventualConsistency.Replication.Messages;
using Datacake.EventualConsistency.Tests.Simulation;
using MessagePack;

namespace Datacake.EventualConsistency.Tests.Links;

/// <summary>Limits of a peer's messages. Decoding a message takes at most a small multiple of the memory of its bytes.</summary>
public sealed class MessageBoundsTests
{
    const int Length = 16 * 1024 * 1024;

    [Theory]
    [InlineData("mutations")]
    [InlineData("deltas")]
    [InlineData("acknowledgment")]
    [InlineData("records")]
    [InlineData("names")]
    [InlineData("documents")]
    public void Lists_that_claim_too_many_elements_allocate_no_more_than_the_received_bytes_justify(string list)
    {
        byte[] message = WithChecksum((ref writer) =>
        {
            switch (list)
            {
                case "mutations":
                    writer.Write(2);
                    break;
                case "deltas":
                    writer.Write(2);
                    writer.WriteArrayHeader(1);
                    writer.Write(1);
                    writer.Write(2);
                    break;
                case "acknowledgment":
                    writer.Write(3);
                    break;
                default:
                    writer.Write(7);
                    for (int field = 0; field < 3; field++)
                        writer.Write(1);
                    writer.Write((byte[])[0]);
                    writer.WriteArrayHeader(0);
                    if (list == "names")
                    {
                        writer.WriteArrayHeader(1);
                        writer.Write(1);
                    }
                    else if (list == "documents")
                    {
                        writer.WriteArrayHeader(0);
                    }
                    break;
            }
            writer.WriteArrayHeader(Length - 200);
            writer.Flush();
        });
        long before = GC.GetAllocatedBytesForCurrentThread();

        Assert.Throws<InvalidDataException>(() => ReplicaMessage.Decode(message));

        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, 4L * Length);
    }

    [Fact]
    public async Task Names_and_sets_of_member_tables_are_limited()
    {
        await using var stage = await Stage.StartAsync(1);
        var hello = stage[1].Replica.Hello();
        var member = new StoreMember(1, "eu", HasJoined: true, IsVolatile: false, TakesOver: false);
        Refuses(hello with { DataCenter = new string('x', 300) });
        Refuses(hello with { ClusterId = "shop\n2026-01-01 Information: all is well" });
        Refuses(hello with { Table = hello.Table with { Members = new Dictionary<byte, StoreMember> { [2] = member with { DataCenter = new string('x', 300) } } } });
        Refuses(hello with { Table = hello.Table with { Retired = Enumerable.Range(0, RetiredStores.Capacity + 1).ToDictionary(store => (ulong)store, _ => default(ReadOnlyMemory<byte>)) } });
        Refuses(hello with { Ancestors = [.. Enumerable.Range(0, 10_000).Select(store => (ulong)store)] });
        Refuses(hello with { OwnRuns = [.. Enumerable.Range(1, 2_000).Select(run => new HlcTimestamp((ulong)run << 8 | 1))] });
        ReplicaMessage.Decode(hello.Encoded);

        static void Refuses(Hello hello) => Assert.Throws<InvalidDataException>(() => ReplicaMessage.Decode(hello.Encoded));
    }

    [Fact]
    public void Read_request_that_names_a_document_twice_is_refused() =>
        Assert.Throws<InvalidDataException>(() => ReplicaMessage.Decode(new ReadRequest(1, "cakes", [DocumentKey.Of(1), DocumentKey.Of(1)]).Encoded));

    [Fact]
    public void Reasons_of_a_peer_are_truncated_and_stripped_of_control_characters()
    {
        var refusal = new Refusal(RefusalKind.Other, "stop\n12:00 Information: all is well" + new string('!', 10_000));

        string reason = Assert.IsType<Refusal>(ReplicaMessage.Decode(refusal.Encoded)).Reason;

        Assert.StartsWith("stop 12:00 Information: all is well!", reason, StringComparison.Ordinal);
        Assert.InRange(reason.Length, 1_000, 2_001);
    }

    [Fact]
    public void Message_with_a_flipped_bit_is_refused()
    {
        byte[] sent = new RollCall(77).Encoded;
        for (int bit = 0; bit < 8 * sent.Length; bit++)
        {
            byte[] changed = [.. sent];
            changed[bit / 8] ^= (byte)(1 << (bit % 8));
            var failure = Assert.Throws<InvalidDataException>(() => ReplicaMessage.Decode(changed));
            Assert.Contains("changed in transit", failure.Message, StringComparison.Ordinal);
        }
    }

    delegate void Writing(ref MessagePackWriter writer);

    static byte[] WithChecksum(Writing write)
    {
        using var output = new PooledWriter();
        var writer = new MessagePackWriter(output);
        write(ref writer);
        output.Write(new byte[Length - output.Written.Length]);
        MessageChecksum.Append(output, 0);
        return output.Written.ToArray();
    }
}
