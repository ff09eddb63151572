using System.Runtime.CompilerServices;
using Datacake.Benchmarks.Measuring;
using Datacake.Rpc;

namespace Datacake.Benchmarks.Rpc;

/// <summary>The echo service on Datacake's RPC.</summary>
static class DatacakeEcho
{
    public const string System = "Datacake";
    const string Bytes = "bytes";

    public static Subject OfMessages(LinkSecurity? security = null) =>
        new(System + security?.Name, () => OpenAsync(EchoMessageAsync, security ?? LinkSecurity.None));

    public static Subject OfBytes(int length, LinkSecurity? security = null)
    {
        byte[] payload = new byte[length];
        return new(System + security?.Name, () => OpenAsync(channel => EchoBytesAsync(channel, payload), security ?? LinkSecurity.None));
    }

    // The state machines are pooled for both systems, so that only the allocations of the libraries count.
    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder))]
    static async ValueTask EchoMessageAsync(RpcChannel channel)
    {
        var reply = await channel.CallAsync<EchoMessage, EchoMessage>(EchoService.ServiceName, new EchoMessage(3_600, 42));
        if (reply.Nanoseconds != 42)
            throw new InvalidDataException("The echo differs from the message that was sent.");
    }

    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder))]
    static async ValueTask EchoBytesAsync(RpcChannel channel, byte[] payload)
    {
        using var reply = await channel.CallAsync(EchoService.ServiceName, Bytes, payload);
        if (reply.Span.Length != payload.Length)
            throw new InvalidDataException("The length of the echo differs from the length that was sent.");
    }

    static async Task<Session> OpenAsync(Func<RpcChannel, ValueTask> call, LinkSecurity security)
    {
        var server = await RpcServer.StartAsync("127.0.0.1:0", new RpcServerOptions { ClusterSecret = security.Secret, Tls = security.Tls });
        server.AddService(new EchoService());
        var channel = new RpcChannel(server.Address, new RpcChannelOptions { ClusterSecret = security.Secret, Tls = security.Tls });
        return new Session((_, _) => call(channel))
        {
            Close = async () =>
            {
                await channel.DisposeAsync();
                await server.DisposeAsync();
            },
        };
    }

    sealed class EchoService : RpcService, IHandler<EchoMessage, EchoMessage>
    {
        public const string ServiceName = "echo";

        public override string Name => ServiceName;

        public ValueTask<EchoMessage> HandleAsync(EchoMessage message, RpcRequest request, CancellationToken cancellationToken) =>
            ValueTask.FromResult(message);

        protected override void Register(RpcHandlers handlers)
        {
            handlers.Handle(this);
            handlers.HandleBytes(Bytes, (request, _) => ValueTask.FromResult(request.Payload));
        }
    }
}
