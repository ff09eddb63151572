namespace Datacake.Rpc;

/// <summary>
/// A connection: a duplex stream of bytes, which one thread may read while another one writes. Disposing it closes both directions. Active
/// reads and writes on both ends then end with an error or the end of the stream.
/// </summary>
/// <param name="stream">The bytes in both directions.</param>
/// <param name="remoteAddress">The address of the other end.</param>
public class TransportConnection(Stream stream, string remoteAddress) : IAsyncDisposable
{
    /// <summary>Gets the stream of the bytes in both directions.</summary>
    public Stream Stream { get; } = stream;

    /// <summary>Gets the address of the other end, for logs and limits.</summary>
    public string RemoteAddress { get; } = remoteAddress;

    /// <summary>Closes the connection.</summary>
    public virtual ValueTask DisposeAsync()
    {
        GC.SuppressFinalize(this);
        return Stream.DisposeAsync();
    }
}
