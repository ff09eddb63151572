namespace Datacake.Rpc;

/// <summary>
/// A listener that accepts connections at one address. Disposing it stops listening, but does not close accepted connections.
/// </summary>
public interface ITransportListener : IAsyncDisposable
{
    /// <summary>Gets the address of the listener, with the port that was actually bound.</summary>
    string Address { get; }

    /// <summary>Waits for the next connection. Only one call may be active at a time.</summary>
    /// <exception cref="ObjectDisposedException">The listener was disposed.</exception>
    ValueTask<TransportConnection> AcceptAsync(CancellationToken cancellationToken = default);
}
