using System.Buffers;
using MessagePack;

namespace Datacake.Rpc.Framing;

/// <summary>The conversion between typed messages and bytes.</summary>
static class TypedMessage
{
    /// <summary>The maximum capacity of a writer that is returned to the pool.</summary>
    const int MaxKeptCapacity = 64 * 1024;

    /// <exception cref="RpcException">The bytes are not a valid message of this type (<see cref="RpcStatus.InvalidPayload"/>).</exception>
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
                    RpcStatus.InvalidPayload,
                    $"The message '{TMessage.Name}' is followed by {payload.Length - reader.Consumed} unexpected bytes.");
        }
        catch (Exception error) when (error is not RpcException)
        {
            throw new RpcException(RpcStatus.InvalidPayload, $"The bytes are not a valid message '{TMessage.Name}': {error.Message}", error);
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
