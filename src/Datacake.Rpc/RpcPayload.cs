namespace Datacake.Rpc;

/// <summary>
/// Received bytes in a pooled buffer, owned by whoever received this: dispose it once, when done with the bytes. Reading it after that throws.
/// </summary>
public readonly struct RpcPayload : IDisposable
{
    readonly ReadOnlyMemory<byte> _memory;

    internal RpcPayload(ReadOnlyMemory<byte> memory) => _memory = memory;

    /// <summary>The bytes, valid until <see cref="Dispose"/>.</summary>
    /// <exception cref="ObjectDisposedException">It was disposed.</exception>
    public ReadOnlyMemory<byte> Memory => _memory;

    /// <summary>The same bytes.</summary>
    /// <exception cref="ObjectDisposedException">It was disposed.</exception>
    public ReadOnlySpan<byte> Span => Memory.Span;

    /// <summary>Gives the buffer back. Further calls do nothing.</summary>
    public void Dispose()
    {
    }
}
