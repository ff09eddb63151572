using Datacake.Rpc.Framing;

namespace Datacake.Rpc;

/// <summary>
/// Received bytes in a pooled buffer, owned by whoever received this: dispose it once, when done with the bytes. Asking for them after
/// that throws; memory that was asked for before must not be touched any more, since the buffer serves the next message.
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

    /// <summary>The bytes, valid until <see cref="Dispose"/>.</summary>
    /// <exception cref="ObjectDisposedException">It was disposed.</exception>
    public ReadOnlyMemory<byte> Memory => _buffer is null ? default : _buffer.GetPayload(_version);

    /// <summary>The same bytes.</summary>
    /// <exception cref="ObjectDisposedException">It was disposed.</exception>
    public ReadOnlySpan<byte> Span => Memory.Span;

    /// <summary>Gives the buffer back. Further calls do nothing.</summary>
    public void Dispose() => _buffer?.Release(_version);
}
