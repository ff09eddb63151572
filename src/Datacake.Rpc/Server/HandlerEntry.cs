using System.Buffers;
using System.Runtime.CompilerServices;
using Datacake.Rpc.Framing;
using MessagePack;

namespace Datacake.Rpc.Server;

/// <summary>A registered handler. It answers a call, or throws the exception that is reported to the caller.</summary>
abstract class HandlerEntry
{
    /// <summary>Gets or sets the name of the service. Set when the service is added to a server.</summary>
    public string Service { get; set; } = "";

    /// <summary>Gets or sets the name of the message.</summary>
    public string Message { get; set; } = "";

    /// <summary>Gets whether callers open a stream to this handler instead of sending a request.</summary>
    public virtual bool IsStream => false;

    public abstract ValueTask InvokeAsync(ServerCall call);
}

sealed class BytesEntry(Func<RpcRequest, CancellationToken, ValueTask<ReadOnlyMemory<byte>>> handler) : HandlerEntry
{
    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder))]
    public override async ValueTask InvokeAsync(ServerCall call)
    {
        var reply = await handler(call.Request, call.CancellationToken).ConfigureAwait(false);
        await call.ReplyAsync(reply).ConfigureAwait(false);
    }
}

sealed class TypedEntry<TMessage, TReply>(IHandler<TMessage, TReply> handler) : HandlerEntry
    where TMessage : IRpcMessage<TMessage>
    where TReply : IRpcMessage<TReply>
{
    readonly ItemPool<ArrayBufferWriter<byte>> _writers = new(Environment.ProcessorCount * 4, () => new ArrayBufferWriter<byte>());

    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder))]
    public override async ValueTask InvokeAsync(ServerCall call)
    {
        var message = TypedMessage.Read<TMessage>(call.Request.Payload);
        var reply = await handler.HandleAsync(message, call.Request, call.CancellationToken).ConfigureAwait(false);
        var writer = _writers.Rent();
        TypedMessage.Write(writer, reply);
        await call.ReplyAsync(writer.WrittenMemory).ConfigureAwait(false);
        TypedMessage.Recycle(writer, _writers);
    }
}

sealed class StreamEntry(Func<RpcStream, CancellationToken, Task> handler) : HandlerEntry
{
    public override bool IsStream => true;

    public override async ValueTask InvokeAsync(ServerCall call)
    {
        call.Accept();
        await handler(call.Stream!, call.CancellationToken).ConfigureAwait(false);
        await call.EndStreamAsync().ConfigureAwait(false);
    }
}
