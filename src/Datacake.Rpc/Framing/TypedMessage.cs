using System.Buffers;
using MessagePack;

namespace Datacake.Rpc.Framing;

/// <summary>Between typed messages and bytes.</summary>
static class TypedMessage
{
    /// <summary>A writer that has grown beyond this is not kept.</summary>
    const int MaxKeptCapacity = 64 * 1024;

    /// <exception cref="RpcException">The bytes are not that message (<see cref="RpcStatus.InvalidPayload"/>).</exception>
    public static TMessage Read<TMessage>(ReadOnlyMemory<byte> payload)
        where TMessage : IRpcMessage<TMessage>
    {
        try
        {
            var reader = new MessagePackReader(payload);
            var message = TMessage.Read(ref reader);
            return reader.End
                ? message
                : throw new RpcException(
                    RpcStatus.InvalidPayload, $"'{TMessage.Name}' is followed by {payload.Length - reader.Consumed} bytes too many.");
        }
        catch (Exception error) when (error is not RpcException)
        {
            throw new RpcException(RpcStatus.InvalidPayload, $"The bytes are not a message '{TMessage.Name}': {error.Message}", error);
        }
    }

    public static void Write<TMessage>(ArrayBufferWriter<byte> target, TMessage message)
        where TMessage : IRpcMessage<TMessage>
    {
        var writer = new MessagePackWriter(target);
        message.Write(ref writer);
        writer.Flush();
    }

    public static void Recycle(ArrayBufferWriter<byte> writer, ItemPool<ArrayBufferWriter<byte>> pool)
    {
        if (writer.Capacity > MaxKeptCapacity)
            return;
        writer.ResetWrittenCount();
        pool.Return(writer);
    }
}
