using System.Net;
using System.Runtime.CompilerServices;
using Datacake.Benchmarks.Measuring;
using Google.Protobuf;
using Google.Protobuf.WellKnownTypes;
using Grpc.Core;
using Grpc.Net.Client;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace Datacake.Benchmarks.Rpc;

/// <summary>
/// The echo service on gRPC: ASP.NET Core's server and the .NET client. The messages are types that come with the protobuf library, so that
/// protoc is not needed.
/// </summary>
static class GrpcEcho
{
    public const string System = "gRPC";

    const string ServiceName = "Echo";

    static readonly Method<Duration, Duration> MessageMethod = MethodOf("Message", Duration.Parser);
    static readonly Method<BytesValue, BytesValue> BytesMethod = MethodOf("Bytes", BytesValue.Parser);

    public static Subject OfMessages() => new(System, () => OpenAsync(EchoMessageAsync));

    public static Subject OfBytes(int length)
    {
        var payload = new BytesValue { Value = ByteString.CopyFrom(new byte[length]) };
        return new(System, () => OpenAsync(calls => EchoBytesAsync(calls, payload)));
    }

    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder))]
    static async ValueTask EchoMessageAsync(CallInvoker calls)
    {
        var reply = await calls.AsyncUnaryCall(MessageMethod, null, new CallOptions(), new Duration { Seconds = 3_600, Nanos = 42 });
        if (reply.Nanos != 42)
            throw new InvalidDataException("The echo differs from the message that was sent.");
    }

    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder))]
    static async ValueTask EchoBytesAsync(CallInvoker calls, BytesValue payload)
    {
        var reply = await calls.AsyncUnaryCall(BytesMethod, null, new CallOptions(), payload);
        if (reply.Value.Length != payload.Value.Length)
            throw new InvalidDataException("The length of the echo differs from the length that was sent.");
    }

    static async Task<Session> OpenAsync(Func<CallInvoker, ValueTask> call)
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.Services.AddGrpc();
        builder.WebHost.ConfigureKestrel(kestrel => kestrel.Listen(IPAddress.Loopback, 0, listen => listen.Protocols = HttpProtocols.Http2));
        var application = builder.Build();
        application.MapGrpcService<EchoService>();
        await application.StartAsync();
        string address = application.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.Single();
        var channel = GrpcChannel.ForAddress(address);
        var calls = channel.CreateCallInvoker();
        return new Session((_, _) => call(calls))
        {
            Close = async () =>
            {
                channel.Dispose();
                await application.DisposeAsync();
            },
        };
    }

    static Method<T, T> MethodOf<T>(string name, MessageParser<T> parser)
        where T : IBufferMessage, IMessage<T>
    {
        var marshaller = Marshallers.Create(
            (message, context) =>
            {
                context.SetPayloadLength(message.CalculateSize());
                message.WriteTo(context.GetBufferWriter());
                context.Complete();
            },
            context => parser.ParseFrom(context.PayloadAsReadOnlySequence()));
        return new Method<T, T>(MethodType.Unary, ServiceName, name, marshaller, marshaller);
    }

    // As in code that protoc generates: the server finds the methods of a bound base class by name.
    [BindServiceMethod(typeof(EchoBase), nameof(Bind))]
    abstract class EchoBase
    {
        public static void Bind(ServiceBinderBase binder, EchoBase? service)
        {
            binder.AddMethod(MessageMethod, service is null ? null : new UnaryServerMethod<Duration, Duration>(service.Message));
            binder.AddMethod(BytesMethod, service is null ? null : new UnaryServerMethod<BytesValue, BytesValue>(service.Bytes));
        }

        public abstract Task<Duration> Message(Duration message, ServerCallContext context);

        public abstract Task<BytesValue> Bytes(BytesValue bytes, ServerCallContext context);
    }

    sealed class EchoService : EchoBase
    {
        public override Task<Duration> Message(Duration message, ServerCallContext context) => Task.FromResult(message);

        public override Task<BytesValue> Bytes(BytesValue bytes, ServerCallContext context) => Task.FromResult(bytes);
    }
}
