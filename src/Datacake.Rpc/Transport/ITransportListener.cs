namespace Datacake.Rpc;

/// <summary>Accepts the connections that come in at one address. Disposing it stops that, and leaves accepted connections alone.</summary>
public interface ITransportListener : IAsyncDisposable
{
    /// <summary>Where it listens, with the port that was really bound.</summary>
    string Address { get; }

    /// <summary>Waits for the next connection. One caller at a time.</summary>
    /// <exception cref="ObjectDisposedException">The listener was disposed.</exception>
    ValueTask<TransportConnection> AcceptAsync(CancellationToken cancellationToken = default);
}
