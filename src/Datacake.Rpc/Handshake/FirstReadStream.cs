using Datacake.Rpc.Transport;

namespace Datacake.Rpc.Handshake;

/// <summary>
/// A stream that forwards everything and keeps a copy of the bytes of its first read. If TLS fails, they show whether the other side uses
/// TLS at all.
/// </summary>
sealed class FirstReadStream(Stream inner, int maxKept) : AsyncStream
{
    /// <summary>Gets the bytes of the first read, up to the maximum length.</summary>
    public byte[] FirstRead { get; private set; } = [];

    public override ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default) =>
        FirstRead.Length > 0 || buffer.IsEmpty ? inner.ReadAsync(buffer, cancellationToken) : ReadFirstAsync(buffer, cancellationToken);

    public override ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default) =>
        inner.WriteAsync(buffer, cancellationToken);

    public override Task FlushAsync(CancellationToken cancellationToken) => inner.FlushAsync(cancellationToken);

    public override void Flush() => inner.Flush();

    async ValueTask<int> ReadFirstAsync(Memory<byte> buffer, CancellationToken cancellationToken)
    {
        var count = await inner.ReadAsync(buffer, cancellationToken).ConfigureAwait(false);
        FirstRead = buffer[..Math.Min(count, maxKept)].ToArray();
        return count;
    }
}
