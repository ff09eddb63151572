using System.Buffers;
using Datacake.Crdt;
using Datacake.EventualConsistency.Layout;
using Datacake.EventualConsistency.Replication.Messages;

namespace Datacake.EventualConsistency.Tests.Simulation;

/// <summary>Nodes of neighboring protocol versions side by side.</summary>
public sealed class ProtocolVersionTests
{
    static readonly ProtocolVersion Next = new(ProtocolVersion.Current.Version + 1, ProtocolVersion.Current.Version, Capabilities: 9);

    [Fact]
    public async Task Node_of_the_next_version_opens_a_session_in_the_common_version()
    {
        await using var stage = await Stage.StartAsync(1);
        await stage.AddAsync(2);
        var hello = stage[2].Replica.Hello() with { Protocol = Next };

        await stage[1].OpenAsync(hello);

        var session = stage[1].Replica.Sessions[2];
        Assert.Equal(new ProtocolVersion(ProtocolVersion.Current.Version, ProtocolVersion.Current.Version, Capabilities: 0), session.Protocol);
    }

    [Fact]
    public async Task Node_that_no_longer_supports_this_version_is_refused_by_name()
    {
        await using var stage = await Stage.StartAsync(1);
        await stage.AddAsync(2);
        var far = new ProtocolVersion(Next.Version, Next.Version, Capabilities: 0);

        var refusal = stage[1].Replica.Refuse(stage[2].Replica.Hello() with { Protocol = far }, isDialer: false);

        Assert.Equal(RefusalKind.Version, refusal!.Kind);
        Assert.Contains($"version {Next.Version}", refusal.Reason, StringComparison.Ordinal);
        Assert.Contains("update", refusal.Reason, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Replicas_of_neighboring_versions_replicate_in_both_directions()
    {
        await using var stage = await Stage.StartAsync(1);
        await stage.AddAsync(2, protocol: Next);
        await stage.JoinAsync(2, 1);
        await stage.ReportAsync(2, 1);
        var shared = new ProtocolVersion(ProtocolVersion.Current.Version, ProtocolVersion.Current.Version, Capabilities: 0);
        Assert.Equal((shared, shared), (stage[1].Replica.Sessions[2].Protocol, stage[2].Replica.Sessions[1].Protocol));

        await stage.DeliverAsync(1, 2, await stage[1].WriteAsync(static transaction => transaction.Put("cakes", DocumentKey.Of(1), new DocumentContentBuilder().Build())));
        await stage.DeliverAsync(2, 1, await stage[2].WriteAsync(static transaction => transaction.Put("cakes", DocumentKey.Of(2), new DocumentContentBuilder().Build())));
        await stage.ReportAsync(2, 1);

        Assert.Equal(2, (await stage[1].DocumentsAsync()).Count);
        Assert.Equal(await stage[1].DocumentsAsync(), await stage[2].DocumentsAsync());
        Assert.True(stage[1].Replica.KnownOf(2).Equals(stage[1].Replica.State.Known));
    }

    [Fact]
    public async Task Values_that_a_later_version_appends_to_a_message_are_ignored()
    {
        await using var stage = await Stage.StartAsync(2);
        var mutations = await stage[1].WriteAsync(static transaction => transaction.Put("cakes", DocumentKey.Of(1), new DocumentContentBuilder().Build()));
        var state = stage[1].Replica.State;
        List<ReplicaMessage> messages =
        [
            stage[1].Replica.Hello(2), mutations, await stage[1].ReportAsync(), new RollCall(7), new Acknowledgment([new StampInterval(HlcTimestamp.None, state.Known.Top)]),
            new PullRequest(1, state.Truncated, state.Truncated, IsJoining: false), new PullDeclined(1), new Refusal(RefusalKind.Other, "no reason", state.Known.Top),
            .. await stage[1].AnswerAsync(new PullRequest(1, state.Truncated, state.Truncated, IsJoining: false), stream: 1),
            .. await stage[1].AnswerAsync(new PullRequest(1, VersionVector.Empty, VersionVector.Empty, IsJoining: true), stream: 2),
            new ReadRequest(1, "cakes", [DocumentKey.Of(1)]), new ReadReply(1, null, [Document.Nothing]), new RepairHint(2), new KnownRequest(1), new KnownReply(1, null, state.Known),
            new SequenceMessage(IsSmall: true, new byte[] { 1 }), new RightsRequest("cakes", DocumentKey.Of(1), "n", IsUp: true, 3, stage[1].Replica.Run),
            new FollowRequest(ProtocolVersion.Current, "bakery", 1, 2, state.Known, state.Truncated, IsFresh: false, null, IsFull: true, ["cakes"]),
            new SourceState(ProtocolVersion.Current, 1, 1, 2, state.Known, state.Truncated, 3), new LeaveRequest(state.Known, new byte[] { 1 }),
        ];
        Assert.Equal(
            typeof(ReplicaMessage).Assembly.GetTypes().Where(static type => type.BaseType == typeof(ReplicaMessage)).Select(static type => type.Name).Order(StringComparer.Ordinal),
            messages.Select(static message => message.GetType().Name).Distinct().Order(StringComparer.Ordinal));

        Assert.All(messages, static message =>
        {
            using var appended = new PooledWriter();
            appended.Write<byte>([.. message.Encoded[..^MessageChecksum.Length], 0xA5, .. "later"u8, 0x07]);
            MessageChecksum.Append(appended, start: 0);

            var read = ReplicaMessage.Decode(appended.WrittenMemory);

            Assert.Equal(message.GetType(), read.GetType());
            Assert.Equal(message.Encoded, read.Encoded);
        });
    }

    [Theory]
    [InlineData(2, 1, 0, true)]
    [InlineData(1, 1, 1, true)]
    [InlineData(1, 1, 0, false)]
    [InlineData(0, 0, 0, false)]
    public void Version_exceeds_another_if_it_is_later_or_has_further_capabilities(int version, int oldest, ulong capabilities, bool exceeds) =>
        Assert.Equal(exceeds, new ProtocolVersion(version, oldest, capabilities).Exceeds(new ProtocolVersion(Version: 1, Oldest: 1, Capabilities: 2)));

    [Theory]
    [InlineData(1, 1, 2, 1, 1)]
    [InlineData(3, 2, 2, 1, 2)]
    [InlineData(2, 2, 2, 2, 2)]
    [InlineData(3, 3, 2, 1, null)]
    public void Two_nodes_use_the_lower_of_their_versions_if_both_still_support_it(int version, int oldest, int other, int otherOldest, int? agreed)
    {
        var mine = new ProtocolVersion(version, oldest, Capabilities: 3);
        var theirs = new ProtocolVersion(other, otherOldest, Capabilities: 6);

        Assert.Equal(agreed, mine.With(theirs)?.Version);
        Assert.Equal(agreed, theirs.With(mine)?.Version);
        Assert.True(mine.With(theirs) is null or { Capabilities: 2 });
    }
}
