namespace Datacake.Rpc;

/// <summary>
/// Calls services at one address, over one connection that all calls and streams share. It connects with the first call and again with the first
/// call after a loss. After a failed attempt it waits before the next one, longer each time, and fails calls meanwhile. Safe to use from
/// several threads; calls complete on the thread pool.
/// </summary>
public sealed class RpcChannel : IAsyncDisposable
{
    readonly RpcChannelOptions _options;

    /// <summary>A channel to an address. Nothing happens until the first call.</summary>
    public RpcChannel(string address, RpcChannelOptions? options = null)
    {
        ArgumentException.ThrowIfNullOrEmpty(address);
        Address = address;
        _options = options ?? new RpcChannelOptions();
    }

    /// <summary>The address of the server.</summary>
    public string Address { get; }

    /// <summary>Sends a typed message and waits for its reply.</summary>
    /// <exception cref="RpcException">The call failed; see <see cref="RpcStatus"/>.</exception>
    /// <exception cref="OperationCanceledException">The token fired; the server is told, but may have done the work.</exception>
    /// <exception cref="ObjectDisposedException">The channel was disposed.</exception>
    public ValueTask<TReply> CallAsync<TMessage, TReply>(
        string service, TMessage message, RpcCallOptions options = default, CancellationToken cancellationToken = default)
        where TMessage : IRpcMessage<TMessage>
        where TReply : IRpcMessage<TReply> => throw new NotSupportedException(_options.ToString());

    /// <summary>Sends bytes and waits for the reply, which the caller disposes. The payload may be reused once the call has completed.</summary>
    /// <exception cref="RpcException">The call failed; see <see cref="RpcStatus"/>.</exception>
    /// <exception cref="OperationCanceledException">The token fired; the server is told, but may have done the work.</exception>
    /// <exception cref="ObjectDisposedException">The channel was disposed.</exception>
    public ValueTask<RpcPayload> CallAsync(
        string service,
        string message,
        ReadOnlyMemory<byte> payload,
        RpcCallOptions options = default,
        CancellationToken cancellationToken = default) => throw new NotSupportedException(_options.ToString());

    /// <summary>Opens a stream to a service. Completes when the server has accepted it.</summary>
    /// <exception cref="RpcException">The stream was not accepted; see <see cref="RpcStatus"/>.</exception>
    /// <exception cref="OperationCanceledException">The token fired.</exception>
    /// <exception cref="ObjectDisposedException">The channel was disposed.</exception>
    public ValueTask<RpcStream> OpenStreamAsync(
        string service, string message, RpcCallOptions options = default, CancellationToken cancellationToken = default) =>
        throw new NotSupportedException(_options.ToString());

    /// <summary>Fails calls and streams in flight with <see cref="RpcStatus.Cancelled"/> and closes the connection.</summary>
    public ValueTask DisposeAsync() => ValueTask.CompletedTask;
}
