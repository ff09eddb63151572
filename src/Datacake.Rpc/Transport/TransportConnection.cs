namespace Datacake.Rpc;

/// <summary>
/// One connection: a duplex stream of bytes, which one thread may read while another writes. Disposing it closes both directions,
/// and ends reads and writes that are under way, here and at the other end, with an error or an end of stream.
/// </summary>
public class TransportConnection(Stream stream, string remoteAddress) : IAsyncDisposable
{
    /// <summary>The bytes in both directions.</summary>
    public Stream Stream { get; } = stream;

    /// <summary>The other end, for logs and limits.</summary>
    public string RemoteAddress { get; } = remoteAddress;

    /// <summary>Closes the connection.</summary>
    public virtual ValueTask DisposeAsync()
    {
        GC.SuppressFinalize(this);
        return Stream.DisposeAsync();
    }
}
