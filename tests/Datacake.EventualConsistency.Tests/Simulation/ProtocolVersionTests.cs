using System.Buffers;
using Datacake.EventualConsistency.Layout;
using Datacake.EventualConsistency.Replication.Messages;

namespace Datacake.EventualConsistency.Tests.Simulation;

/// <summary>Nodes of neighboring protocol versions side by side.</summary>
public sealed class ProtocolVersionTests
{
    static readonly ProtocolVersion Next = new(ProtocolVersion.Current.Version + 1, ProtocolVersion.Current.Version, Capabilities: 5);

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
    public async Task Hello_with_data_appended_by_a_later_version_is_read()
    {
        await using var stage = await Stage.StartAsync(1);
        var hello = stage[1].Replica.Hello();
        using var appended = new PooledWriter();
        appended.Write<byte>([.. hello.Encoded[..^MessageChecksum.Length], 0xA5, .. "later"u8, 0x07]);
        MessageChecksum.Append(appended, start: 0);

        var read = Assert.IsType<Hello>(ReplicaMessage.Decode(appended.WrittenMemory));

        Assert.Equal(hello.StoreId, read.StoreId);
        Assert.Equal(hello.Encoded, read.Encoded);
    }

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
