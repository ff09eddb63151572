using MessagePack;

namespace Datacake.Rpc;

/// <summary>
/// A message that reads and writes itself as MessagePack, so that nothing is found by reflection. Malformed bytes are refused by throwing
/// (what <see cref="MessagePackReader"/> throws will do); the caller then sees <see cref="RpcStatus.InvalidPayload"/>.
/// </summary>
/// <typeparam name="TSelf">The message type itself.</typeparam>
public interface IRpcMessage<TSelf>
    where TSelf : IRpcMessage<TSelf>
{
    /// <summary>The name by which a service knows the message; unique within the service, at most 255 bytes of UTF-8.</summary>
    static abstract string Name { get; }

    /// <summary>
    /// Reads one message. Memory sliced out of the reader, without a copy, is valid while a handler runs; on the calling side it is not, so
    /// a reply copies what it keeps.
    /// </summary>
    static abstract TSelf Read(ref MessagePackReader reader);

    /// <summary>Writes the message.</summary>
    void Write(ref MessagePackWriter writer);
}
