using Datacake.Rpc.Tests.Fixtures;

namespace Datacake.Rpc.Tests;

public class OptionsTests
{
    const string Secret = "a secret for the options";

    [Fact]
    public async Task Options_can_be_set_in_a_callback()
    {
        await using var server = await RpcServer.StartAsync("127.0.0.1:0", options => options.ClusterSecret = Secret);
        await using var member = new RpcChannel(server.Address, options => options.ClusterSecret = Secret);
        await using var stranger = new RpcChannel(server.Address);

        await member.CallAsync("nowhere", "echo", default).Fails(RpcStatus.UnknownService);
        await stranger.CallAsync("nowhere", "echo", default).Fails(RpcStatus.Unauthenticated);
    }

    [Fact]
    public async Task Options_that_change_after_the_start_have_no_effect()
    {
        var serverOptions = new RpcServerOptions();
        await using var server = await RpcServer.StartAsync("127.0.0.1:0", serverOptions);
        serverOptions.Limits.Connections = 0;
        var channelOptions = new RpcChannelOptions();
        await using var channel = new RpcChannel(server.Address, channelOptions);
        channelOptions.Transport = new InMemoryTransport();
        channelOptions.Limits.HandshakeTime = TimeSpan.Zero;

        await channel.CallAsync("nowhere", "echo", default).Fails(RpcStatus.UnknownService);
    }

    [Theory]
    [InlineData("DrainTimeout")]
    [InlineData("KeepAlive")]
    public async Task Invalid_value_that_a_callback_sets_is_refused_by_name(string option) =>
        Assert.Contains(option, (await Assert.ThrowsAnyAsync<ArgumentException>(async () => await RpcServer.StartAsync("127.0.0.1:0", options =>
        {
            if (option == "DrainTimeout")
                options.DrainTimeout = -TimeSpan.FromSeconds(1);
            else
                options.Limits.KeepAlive = TimeSpan.Zero;
        }))).Message, StringComparison.Ordinal);
}
