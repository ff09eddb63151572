using Datacake.Rpc.Framing;

namespace Datacake.Rpc.Client;

/// <summary>
/// A stream that this side opens. It first waits until the server accepts it, and then passes incoming frames to the <see cref="RpcStream"/>.
/// </summary>
sealed class ClientStream(ClientConnection connection, string service, string message, RpcHeaders headers, TimeSpan timeout)
    : ClientExchange
{
    readonly TaskCompletionSource<RpcStream> _opened = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public Task<RpcStream> Opened => _opened.Task;

    public RpcHeaders Headers => headers;

    /// <summary>Gets or sets the stream. Set when the exchange enters the table.</summary>
    public RpcStream? Stream { get; set; }

    public void OnAccept() => _opened.TrySetResult(Stream!);

    public override void OnReply(PayloadBuffer reply)
    {
        reply.Release(reply.Version);
        _opened.TrySetResult(Stream!);
        Stream!.OnCompleted(isOver: true);
    }

    public override void Fail(Exception error)
    {
        if (!_opened.TrySetException(error))
            Stream!.Fail(error as RpcException ?? new RpcException(RpcStatus.Connection, error.Message, error));
    }

    public override RpcException Expired(string address) =>
        new(RpcStatus.Timeout, $"{service}/{message} at {address} has not accepted a stream within {timeout}.");

    public void Cancel(CancellationToken cancellationToken)
    {
        if (!connection.TryRemove(this))
            return;
        connection.Frames.Signal(FrameType.Cancel, Id);
        _opened.TrySetCanceled(cancellationToken);
    }
}
