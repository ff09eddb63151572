using Datacake.Rpc.Framing;
using Datacake.Rpc.Handshake;
using Datacake.Rpc.Tests.Fixtures;

namespace Datacake.Rpc.Tests;

/// <summary>The current protocol version beside artificial later versions, on real sockets.</summary>
public sealed class VersionTests
{
    const string Secret = "correct horse battery staple";

    static readonly byte[] Hello = "hello"u8.ToArray();
    static readonly ProtocolVersions Present = ProtocolVersions.Current;
    static readonly byte Next = (byte)(Present.Highest + 1);

    /// <summary>The version after the current one. It has more capabilities, sends more in its greeting, and still supports the current version.</summary>
    static readonly ProtocolVersions Neighbor =
        new(Next, Present.Highest, Present.Capabilities | (Capabilities)0b101) { Appended = new byte[200] };

    /// <summary>The version after <see cref="Neighbor"/>, which no longer supports the current version.</summary>
    static readonly ProtocolVersions Stranger = new((byte)(Next + 1), Next, (Capabilities)0b111);

    [Theory]
    [InlineData(false, null)]
    [InlineData(true, null)]
    [InlineData(false, Secret)]
    [InlineData(true, Secret)]
    public async Task Neighboring_versions_use_the_older_version(bool isServerNewer, string? secret)
    {
        await using var pair = await StartAsync(isServerNewer ? Neighbor : Present, isServerNewer ? Present : Neighbor, secret);
        await EverythingWorksAsync(pair);
        AssertAgreed(pair, Present.Highest, Present.Capabilities);
    }

    [Fact]
    public async Task Later_versions_use_capabilities_that_the_current_one_lacks()
    {
        await using var pair = await StartAsync(Neighbor, Neighbor, Secret);
        await EverythingWorksAsync(pair);
        AssertAgreed(pair, Next, Neighbor.Capabilities);
    }

    [Fact]
    public async Task Capabilities_of_one_side_only_are_not_used()
    {
        await using var pair = await StartAsync(Neighbor, Stranger, Secret);
        await EverythingWorksAsync(pair);
        AssertAgreed(pair, Next, (Capabilities)0b101);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Versions_too_far_apart_refuse_each_other_and_name_the_side_to_update(bool isServerNewer)
    {
        using var log = new CollectingLog();
        await using var pair = await StartAsync(
            isServerNewer ? Stranger : Present, isServerNewer ? Present : Stranger, null, log);
        var failure = await pair.Channel.CallAsync("echo", "echo", Hello).Fails(RpcStatus.InvalidPayload);
        var remedy = isServerNewer
            ? $"the client speaks version {Present.Highest} of the RPC protocol, but this side speaks versions {Next} to {Next + 1}. Update the client"
            : $"the client speaks versions {Next} to {Next + 1} of the RPC protocol, but this side speaks version {Present.Highest}. Update this side";
        Assert.Contains(remedy, failure.Message, StringComparison.Ordinal);
        Assert.Contains("one version at a time", failure.Message, StringComparison.Ordinal);
        await Expect.Until(() => log.Contains(remedy));
    }

    [Fact]
    public async Task Client_of_version_1_is_refused_by_name()
    {
        using var log = new CollectingLog();
        await using var pair = await StartAsync(Present, Present, null, log);
        await using var client = await RawClient.ConnectAsync(pair.Server);
        await client.SendAsync([.. "DCRP"u8, 1, 0, 48, 0, .. new byte[48]]);
        await client.IsCutAsync();
        await Expect.Until(() => log.Contains("the client speaks version 1 of the RPC protocol"));
    }

    [Fact]
    public async Task Greeting_changed_in_transit_is_refused()
    {
        await using var pair = await StartAsync(Neighbor, Neighbor, Secret);
        pair.Transport.Tamper = WithoutCapabilities;        // An attacker removes the capabilities from the client's greeting.
        await pair.Channel.CallAsync("echo", "echo", Hello).Fails(RpcStatus.Unauthenticated);

        static ReadOnlyMemory<byte> WithoutCapabilities(ReadOnlyMemory<byte> bytes)
        {
            if (!bytes.Span.StartsWith("DCRP"u8))
                return bytes;
            var changed = bytes.ToArray();
            changed.AsSpan(9, 8).Clear();
            return changed;
        }
    }

    [Theory]
    [InlineData(3, 0)]
    [InlineData(3, 4)]
    public async Task Greeting_without_a_range_of_versions_is_refused(byte highest, byte lowest)
    {
        using var log = new CollectingLog();
        await using var pair = await StartAsync(Present, new ProtocolVersions(highest, lowest, Capabilities.None), null, log);
        await pair.Channel.CallAsync("echo", "echo", Hello).Fails(RpcStatus.InvalidPayload);
        await Expect.Until(() => log.Contains("no valid versions"));
    }

    static async Task EverythingWorksAsync(Pair pair)
    {
        using (var reply = await pair.Channel.CallAsync("echo", "echo", new byte[200_000]).Soon())
            Assert.Equal(200_000, reply.Memory.Length);
        await pair.Channel.CallAsync("echo", "missing", Hello).Fails(RpcStatus.UnknownMessage);
        await using var stream = await pair.Channel.OpenStreamAsync("echo", "echo-stream").Soon();
        await stream.WriteAsync(Hello).Soon();
        (await stream.ReadAsync().Soon())!.Value.Dispose();
    }

    static void AssertAgreed(Pair pair, byte version, Capabilities capabilities)
    {
        var client = pair.Channel.Agreement;
        Assert.NotNull(client);
        var server = Assert.Single(pair.Server.Agreements);
        Assert.Equal((version, capabilities), (client.Version, client.Capabilities));
        Assert.Equal((version, capabilities), (server.Version, server.Capabilities));
        Assert.Equal(client.Peer, server.Peer);     // Both sides have the same limits and have read them from the right place.
    }

    static Task<Pair> StartAsync(ProtocolVersions server, ProtocolVersions channel, string? secret, CollectingLog? log = null) => Pair.StartAsync(
        "tcp",
        options => options with { Versions = server, ClusterSecret = secret, Logger = log ?? options.Logger },
        options => options with { Versions = channel, ClusterSecret = secret },
        TestService.Echo);
}
