using MessagePack;

namespace Datacake.Rpc;

/// <summary>
/// A message that reads and writes itself as MessagePack, so that no reflection is needed. An implementation rejects malformed bytes by
/// throwing an exception, such as those that <see cref="MessagePackReader"/> throws. The caller then receives
/// <see cref="RpcStatus.InvalidPayload"/>.
/// </summary>
/// <typeparam name="TSelf">The message type itself.</typeparam>
public interface IRpcMessage<TSelf>
    where TSelf : IRpcMessage<TSelf>
{
    /// <summary>Gets the name of the message. It is unique within a service and has at most 255 bytes in UTF-8.</summary>
    static abstract string Name { get; }

    /// <summary>
    /// Reads one message. In a handler, memory that is sliced from the reader without copying stays valid until the handler has finished.
    /// On the calling side it does not stay valid, so a reply must copy the bytes that it keeps.
    /// </summary>
    static abstract TSelf Read(ref MessagePackReader reader);

    /// <summary>Writes the message.</summary>
    void Write(ref MessagePackWriter writer);
}
