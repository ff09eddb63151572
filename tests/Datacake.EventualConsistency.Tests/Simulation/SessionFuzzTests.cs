using System.Buffers;
using System.Globalization;
using Datacake.Crdt;
using Datacake.EventualConsistency.Layout;
using Datacake.EventualConsistency.Replication;
using Datacake.EventualConsistency.Replication.Messages;

namespace Datacake.EventualConsistency.Tests.Simulation;

/// <summary>
/// Mutated messages within open sessions. Their checksums are valid, so that they reach the state machine and its storage. DATACAKE_FUZZ sets their number.
/// </summary>
public sealed class SessionFuzzTests
{
    const int InputsOfRound = 500, Nodes = 3;

    [Fact]
    public async Task Mutated_messages_are_accepted_or_refused_and_leave_every_store_sound()
    {
        int inputs = int.TryParse(Environment.GetEnvironmentVariable("DATACAKE_FUZZ"), CultureInfo.InvariantCulture, out int asked) ? asked : 20_000;
        int seed = int.TryParse(Environment.GetEnvironmentVariable("DATACAKE_FUZZ_SEED"), CultureInfo.InvariantCulture, out int chosen) ? chosen : Random.Shared.Next();
        int unreadable = 0, refused = 0, taken = 0, round = 0;
        for (int done = 0; done < inputs; done += InputsOfRound, round++)
        {
            var random = new Random(seed + round);
            await using var stage = await Stage.StartAsync(Nodes);
            var corpus = await MakeCorpusAsync(stage, random);
            for (int i = 0; i < InputsOfRound; i++)
            {
                var (from, to, sent) = corpus[random.Next(corpus.Count)];
                byte[] input = Mutate(sent, corpus[random.Next(corpus.Count)].Bytes, random);
                try
                {
                    if (Decode(input) is not { } message)
                        unreadable++;
                    else if (await DeliverAsync(stage, from, to, message))
                        taken++;
                    else
                        refused++;
                }
                catch (Exception e)
                {
                    Assert.Fail($"Seed {seed + round}, input {i} from node {from} to node {to}: {Convert.ToHexString(input)}: {e}");
                }
            }
            for (byte node = 1; node <= Nodes; node++)
                Assert.Equal([], await stage[node].FindingsAsync());
        }
        TestContext.Current.SendDiagnosticMessage(
            "{0} inputs from seed {1}: {2} unreadable, {3} refused, {4} taken.", unreadable + refused + taken, seed, unreadable, refused, taken);
        Assert.True(taken > 0 && refused > 0 && unreadable > 0);
    }

    /// <summary>Collects messages of every kind as the nodes send them.</summary>
    static async Task<List<(byte From, byte To, byte[] Bytes)>> MakeCorpusAsync(Stage stage, Random random)
    {
        var corpus = new List<(byte, byte, byte[])>();
        for (int write = 0; write < 6; write++)
        {
            byte from = (byte)random.Next(1, Nodes + 1), to = (byte)((from % Nodes) + 1);
            var mutations = await stage[from].WriteAsync(transaction =>
            {
                var content = new DocumentContentBuilder();
                content.Set(DocumentPath.OfProperty("p").Encoded.Span, BitConverter.GetBytes(random.Next()));
                transaction.Put("cakes", DocumentKey.Of(random.Next(4)), content.Build(), [new CounterIncrement("n", random.Next(9))]);
                if (write % 2 == 0)
                    transaction.Delete("strict", DocumentKey.Of(random.Next(4)));
            });
            Add(from, to, mutations);
            if (write % 2 == 0)
                await stage.DeliverAsync(from, to, mutations);
            Add(from, to, await stage[from].ReportAsync());
        }
        for (byte node = 1; node <= Nodes; node++)
        {
            byte other = (byte)((node % Nodes) + 1);
            ulong stream = 100u + node;
            var state = stage[node].Replica.State;
            foreach (bool isJoining in (bool[])[false, true])
            {
                var request = new PullRequest(1, isJoining ? VersionVector.Empty : state.Truncated, state.Truncated, isJoining);
                Add(node, other, request);
                foreach (var part in await stage[other].AnswerAsync(request, stream++, maxPartLength: 50))
                    Add(other, node, part);
            }
            Add(node, other, new RollCall((ulong)random.Next(3)));
            Add(node, other, new PullDeclined(1));
            Add(node, other, new Acknowledgment([new StampInterval(HlcTimestamp.None, state.Known.Top)]));
            Add(node, other, new ReadRequest(1, "cakes", [DocumentKey.Of(1), DocumentKey.Of(2)]));
            Add(node, other, new Refusal(RefusalKind.Other, "no reason", state.Known.Top));
            Add(node, other, stage[node].Replica.Hello(other));
            // A pull is in progress, so that mutated answers are parts of it.
            await stage[node].CommitAsync(batch => stage[node].Replica.StartPull(batch, other));
        }
        return corpus;

        void Add(byte from, byte to, ReplicaMessage message) => corpus.Add((from, to, message.Encoded));
    }

    /// <summary>Changes some bytes, or replaces the rest with bytes of another message, and corrects the checksum.</summary>
    static byte[] Mutate(byte[] sent, byte[] other, Random random)
    {
        var contents = new List<byte>(sent[..^MessageChecksum.Length]);
        for (int change = random.Next(4); change >= 0; change--)
        {
            int at = random.Next(contents.Count);
            switch (random.Next(6))
            {
                case 0:
                    contents.Insert(at, (byte)random.Next(256));
                    break;
                case 1 when contents.Count > 1:
                    contents.RemoveAt(at);
                    break;
                case 2:
                    contents = [.. contents[..at], .. other[Math.Min(at, other.Length)..]];
                    if (contents.Count == 0)
                        contents.Add(2);
                    break;
                case 3:
                    contents[at] ^= (byte)(1 << random.Next(8));
                    break;
                default:
                    contents[at] = (byte)(random.Next(3) switch { 0 => 0, 1 => 0xFF, _ => random.Next(256) });
                    break;
            }
        }
        using var writer = new PooledWriter();
        writer.Write(contents.ToArray());
        MessageChecksum.Append(writer, 0);
        return writer.Written.ToArray();
    }

    static ReplicaMessage? Decode(byte[] input)
    {
        try
        {
            return ReplicaMessage.Decode(input);
        }
        catch (InvalidDataException)
        {
            return null;
        }
    }

    /// <summary>Delivers a message to a node as its session would. Returns false if the node refuses it.</summary>
    static async Task<bool> DeliverAsync(Stage stage, byte from, byte to, ReplicaMessage message)
    {
        var replica = stage[to].Replica;
        if (!replica.Sessions.TryGetValue(from, out var session))
        {
            // An earlier input ended the session, so the two nodes meet again.
            if (replica.Refuse(stage[from].Replica.Hello(to), isDialer: false) is not null || stage[from].Replica.Refuse(replica.Hello(from), isDialer: true) is not null)
                return false;
            await stage.MeetAsync(from, to);
            session = replica.Sessions[from];
        }
        bool isTaken = true;
        switch (message)
        {
            case PullRequest request:
                await stage[to].AnswerAsync(request, 99, maxPartLength: 1_000);
                break;
            case Hello hello:
                await stage[to].CommitAsync(_ => isTaken = IsTaken(() => replica.Refuse(hello, isDialer: false)));
                break;
            case Refusal refusal when refusal.Kind is not (RefusalKind.Retired or RefusalKind.Superseded or RefusalKind.OldCopy):
                await stage[to].CommitAsync(_ => replica.OnRefused(from, refusal));
                break;
            case Refusal or Acknowledgment or ReadRequest or ReadReply or RepairHint:
                break;
            default:
                await stage[to].CommitAsync(async batch =>
                {
                    try
                    {
                        await replica.ReceiveAsync(batch, from, session.Id, message, default);
                    }
                    catch (Exception e) when (e is InvalidDataException or ClockDriftException)
                    {
                        isTaken = false;
                        replica.CloseSession(from, session.Id);
                    }
                });
                break;
        }
        return isTaken;
    }

    static bool IsTaken(Action action)
    {
        try
        {
            action();
            return true;
        }
        catch (Exception e) when (e is InvalidDataException or ClockDriftException)
        {
            return false;
        }
    }
}
