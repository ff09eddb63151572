namespace Datacake.Rpc.Tests.Fixtures;

/// <summary>A server and a channel to it.</summary>
sealed class Pair : IAsyncDisposable
{
    Pair(RpcServer server, RpcChannel channel, TestTransport transport)
    {
        Server = server;
        Channel = channel;
        Transport = transport;
    }

    const string Secret = "the secret of all tests";

    /// <summary>Gets the kinds of transport, for theories: two plain ones, and one with a cluster secret.</summary>
    public static TheoryData<string> Transports => ["tcp", "memory", "sealed"];

    public RpcServer Server { get; }

    public RpcChannel Channel { get; }

    /// <summary>Gets the channel's transport.</summary>
    public TestTransport Transport { get; }

    public static async Task<Pair> StartAsync(
        string transport = "tcp",
        Func<RpcServerOptions, RpcServerOptions>? server = null,
        Func<RpcChannelOptions, RpcChannelOptions>? channel = null,
        params RpcService[] services)
    {
        var inner = NewTransport(transport);
        var wrapped = new TestTransport(inner);
        var limits = new RpcLimits { HandshakeTime = Eventually.Deadline };
        var secret = transport == "sealed" ? Secret : null;
        var serverOptions = new RpcServerOptions { Transport = inner, Limits = limits, ClusterSecret = secret };
        var channelOptions = new RpcChannelOptions
        {
            Transport = wrapped,
            Limits = limits,
            Seed = 1,
            CallTimeout = Timeout.InfiniteTimeSpan,
            ClusterSecret = secret,
        };
        var started = await RpcServer.StartAsync("127.0.0.1:0", server?.Invoke(serverOptions) ?? serverOptions);
        foreach (var service in services)
            started.AddService(service);
        return new Pair(started, new RpcChannel(started.Address, channel?.Invoke(channelOptions) ?? channelOptions), wrapped);
    }

    public static ITransport NewTransport(string kind) => kind == "memory" ? new InMemoryTransport() : TcpTransport.Default;

    public async ValueTask DisposeAsync()
    {
        await Channel.DisposeAsync().Soon();
        await Server.DisposeAsync().Soon();
    }
}
