using Datacake.Crdt;
using Datacake.EventualConsistency.Layout;
using Datacake.EventualConsistency.Replication;
using Datacake.EventualConsistency.Replication.Messages;

namespace Datacake.EventualConsistency.Tests.Layout;

/// <summary>Decoding of stored records and of messages between replicas.</summary>
public class RecordTests
{
    static readonly KeyspaceRecord Keyspace = new("shop", MergePolicy.DeleteWins, 1, 2);
    static readonly IndexRecord Index = new(1, "Name", "2 Name", IndexStage.Dropped);

    [Fact]
    public void Record_with_an_unknown_choice_is_refused()
    {
        Assert.Equal(Keyspace, KeyspaceRecord.Decode(Keyspace.Encode()));
        Assert.Equal(Index.Stage, IndexRecord.Decode(Index.Encode()).Stage);

        Assert.Throws<InvalidDataException>(() => KeyspaceRecord.Decode((Keyspace with { Policy = MergePolicy.Serial + 1 }).Encode()));
        Assert.Throws<InvalidDataException>(() => IndexRecord.Decode((Index with { Stage = IndexStage.Dropped + 1 }).Encode()));
    }

    [Fact]
    public void Record_with_bytes_after_its_last_value_is_refused()
    {
        Refuse(Keyspace.Encode(), bytes => KeyspaceRecord.Decode(bytes));
        Refuse(Index.Encode(), bytes => IndexRecord.Decode(bytes));
        Refuse(ReplicaState.Empty.Encode(), bytes => ReplicaState.Decode(bytes));
        Refuse(new ReplicaIdentity(7).Encode(), bytes => ReplicaIdentity.Decode(bytes));

        static void Refuse(byte[] encoded, Action<ReadOnlyMemory<byte>> decode)
        {
            decode(encoded);
            Assert.Contains("unexpected bytes", Assert.Throws<InvalidDataException>(() => decode((byte[])[.. encoded, 0])).Message, StringComparison.Ordinal);
        }
    }

    [Fact]
    public void Values_that_a_newer_node_appends_to_a_message_are_ignored()
    {
        byte[] encoded = new PullDeclined(7).Encoded;
        using var output = new PooledWriter();
        var appended = output.GetSpan(encoded.Length);
        encoded.AsSpan(..^MessageChecksum.Length).CopyTo(appended);
        appended[encoded.Length - MessageChecksum.Length] = 0xC3;
        output.Advance(encoded.Length - MessageChecksum.Length + 1);
        MessageChecksum.Append(output, 0);
        Assert.Equal(7ul, Assert.IsType<PullDeclined>(ReplicaMessage.Decode(output.Written.ToArray())).Pull);
    }

    [Theory]
    [InlineData(2, 2)]
    [InlineData(3, 2)]
    public void Mutations_whose_stamps_do_not_ascend_are_refused(int first, int second)
    {
        var message = new Mutations([MutationOf(first), MutationOf(second)]);
        Assert.Throws<InvalidDataException>(() => ReplicaMessage.Decode(message.Encoded));
        Assert.IsType<Mutations>(ReplicaMessage.Decode(new Mutations([MutationOf(1), MutationOf(second)]).Encoded));

        static Mutation MutationOf(int number) => new(HlcTimestamp.None, new HlcTimestamp(((ulong)number << 8) | 1), []);
    }
}
