using Datacake.Rpc.Sealing;

namespace Datacake.Rpc.Tests.Sealing;

public sealed class DatagramSealTests : IDisposable
{
    const string Secret = "the secret of the cluster";

    const string NextSecret = "the next secret of the cluster";

    readonly List<DatagramSeal> _seals = [];
    readonly DatagramSeal _a;
    readonly DatagramSeal _b;

    public DatagramSealTests() => (_a, _b) = (NewSeal(Secret), NewSeal(Secret));

    static byte[] Hello => "hello, node"u8.ToArray();

    public void Dispose() => _seals.ForEach(seal => seal.Dispose());

    [Fact]
    public void Node_learns_the_life_of_its_peer_and_is_then_heard()
    {
        var question = _a.Seal(Hello, 0, out var number);
        var asked = _b.Open(question);
        Assert.Equal((DatagramKind.Outdated, number), (asked.Kind, asked.Number));
        var told = _a.Open(_b.TellLife(asked, question.Length)!);
        Assert.Equal((DatagramKind.Life, number), (told.Kind, told.Number));
        var heard = _b.Open(_a.Seal(Hello, told.Sender, out _));
        Assert.Equal((DatagramKind.Message, asked.Sender), (heard.Kind, heard.Sender));
        Assert.Equal(Hello, heard.Contents);
    }

    [Fact]
    public void Answer_with_a_life_is_no_longer_than_the_question()
    {
        for (var length = 0; length < 20; length++)
        {
            var question = _a.Seal(new byte[length], 0, out _);
            var answer = _b.TellLife(_b.Open(question), question.Length);
            Assert.InRange(answer?.Length ?? 0, 0, question.Length);
            Assert.Equal(length >= sizeof(ulong), answer is not null);
        }
    }

    [Fact]
    public void Datagram_with_any_changed_byte_is_refused()
    {
        var datagram = _a.Seal(Hello, LifeOf(_b), out _);
        for (var bit = 0; bit < 8 * datagram.Length; bit++)
        {
            var changed = (byte[])datagram.Clone();
            changed[bit / 8] ^= (byte)(1 << (bit % 8));
            Assert.Equal(DatagramKind.Refused, _b.Open(changed).Kind);
        }

        for (var length = 0; length < datagram.Length; length++)
            Assert.Equal(DatagramKind.Refused, _b.Open(datagram.AsSpan(0, length)).Kind);
        Assert.Equal(DatagramKind.Message, _b.Open(datagram).Kind);
    }

    [Fact]
    public void Replayed_datagram_is_refused_by_the_same_life_and_outdated_for_the_next()
    {
        var datagram = _a.Seal(Hello, LifeOf(_b), out _);
        Assert.Equal(DatagramKind.Message, _b.Open(datagram).Kind);
        Assert.Equal(DatagramKind.Refused, _b.Open(datagram).Kind);
        Assert.Equal(DatagramKind.Outdated, NewSeal(Secret).Open(datagram).Kind);
    }

    [Fact]
    public void Datagram_for_another_node_consumes_no_number_of_its_sender()
    {
        var datagrams = Enumerable.Range(0, 100).Select(number => _a.Seal(Hello, LifeOf(_b), out _)).ToList();
        var forOthers = _a.Seal(Hello, LifeOf(NewSeal(Secret)), out _);
        Assert.Equal(DatagramKind.Outdated, _b.Open(forOthers).Kind);
        Assert.Equal(DatagramKind.Message, _b.Open(datagrams[^1]).Kind);
        Assert.Equal(DatagramKind.Message, _b.Open(datagrams[^2]).Kind);
    }

    [Fact]
    public void Datagrams_can_arrive_out_of_order()
    {
        var datagrams = Enumerable.Range(0, 300).Select(number => _a.Seal(Hello, LifeOf(_b), out _)).ToArray();
        var random = new Random(1);
        for (var i = 0; i + 1 < datagrams.Length; i++)
        {
            if (random.Next(2) == 0)
                (datagrams[i], datagrams[i + 1]) = (datagrams[i + 1], datagrams[i]);
        }

        Assert.All(datagrams, datagram => Assert.Equal(DatagramKind.Message, _b.Open(datagram).Kind));
        Assert.All(datagrams, datagram => Assert.Equal(DatagramKind.Refused, _b.Open(datagram).Kind));
    }

    [Fact]
    public void Nodes_that_change_their_secret_hear_each_other_but_not_strangers()
    {
        var changing = NewSeal(NextSecret, Secret);
        Assert.Equal(DatagramKind.Message, changing.Open(_a.Seal(Hello, LifeOf(changing), out _)).Kind);
        Assert.Equal(DatagramKind.Refused, _a.Open(changing.Seal(Hello, LifeOf(_a), out _)).Kind);
        Assert.Equal(DatagramKind.Refused, _a.Open(NewSeal("a secret of somebody else").Seal(Hello, LifeOf(_a), out _)).Kind);
    }

    [Fact]
    public void More_lives_than_are_remembered_are_heard_and_no_datagram_is_accepted_twice()
    {
        var life = LifeOf(_b);
        var recorded = new List<byte[]>();
        for (var i = 0; i < 1_100; i++)
        {
            using var other = new DatagramSeal(ClusterSecrets.Of(Secret, []));
            var datagram = other.Seal(Hello, life, out _);
            recorded.Add(datagram);
            if (_b.Open(datagram) is { Kind: DatagramKind.Outdated } outdated)
            {
                life = other.Open(_b.TellLife(outdated, datagram.Length)).Sender;
                Assert.Equal(DatagramKind.Message, _b.Open(other.Seal(Hello, life, out _)).Kind);
            }
        }

        Assert.All(recorded, datagram => Assert.NotEqual(DatagramKind.Message, _b.Open(datagram).Kind));
    }

    // A node reports its life to any node that does not know it.
    UInt128 LifeOf(DatagramSeal seal)
    {
        var asking = NewSeal(Secret, NextSecret);
        var question = asking.Seal(Hello, 0, out _);
        var told = asking.Open(seal.TellLife(seal.Open(question), question.Length)!);
        return told.Kind == DatagramKind.Life ? told.Sender : throw new InvalidOperationException("The node did not answer with its life.");
    }

    DatagramSeal NewSeal(string secret, params string[] accepted)
    {
        var seal = new DatagramSeal(ClusterSecrets.Of(secret, accepted));
        _seals.Add(seal);
        return seal;
    }
}
