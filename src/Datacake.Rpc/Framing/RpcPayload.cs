using Datacake.Rpc.Framing;

namespace Datacake.Rpc;

/// <summary>
/// Received bytes in a pooled buffer, owned by the receiver. Dispose the payload when the bytes are no longer needed. Its members then
/// throw an exception, and memory or spans obtained earlier must not be accessed any longer, because the buffer is reused for another
/// message.
/// </summary>
public readonly struct RpcPayload : IDisposable
{
    readonly PayloadBuffer? _buffer;
    readonly int _version;

    internal RpcPayload(PayloadBuffer buffer)
    {
        _buffer = buffer;
        _version = buffer.Version;
    }

    /// <summary>Gets the bytes as memory. They are valid until <see cref="Dispose"/>.</summary>
    /// <exception cref="ObjectDisposedException">The payload was disposed.</exception>
    public ReadOnlyMemory<byte> Memory => _buffer is null ? default : _buffer.GetPayload(_version);

    /// <summary>Gets the bytes as a span. They are valid until <see cref="Dispose"/>.</summary>
    /// <exception cref="ObjectDisposedException">The payload was disposed.</exception>
    public ReadOnlySpan<byte> Span => Memory.Span;

    /// <summary>Returns the buffer to the pool. Further calls have no effect.</summary>
    public void Dispose() => _buffer?.Release(_version);
}
