using System.Threading.Tasks.Sources;
using Datacake.Rpc.Framing;

namespace Datacake.Rpc.Client;

/// <summary>
/// A call that waits for its reply, and the source of the caller's task. Pooled: it goes back when the caller has taken the result.
/// </summary>
sealed class PendingCall(ClientConnection connection, ItemPool<PendingCall> pool) : ClientExchange, IValueTaskSource<RpcPayload>
{
    string _service = "";
    string _message = "";
    TimeSpan _timeout;
    CancellationTokenRegistration _cancellation;
    CancellationTokenSource? _sending;
    ManualResetValueTaskSourceCore<RpcPayload> _core = new() { RunContinuationsAsynchronously = true };

    /// <summary>The reply. To be awaited once.</summary>
    public ValueTask<RpcPayload> Task => new(this, _core.Version);

    public void Start(string service, string message, TimeSpan timeout, CancellationTokenSource? sending)
    {
        _service = service;
        _message = message;
        _timeout = timeout;
        _sending = sending;
    }

    /// <summary>After the call is in the table. When the token has fired already, the call is over on return.</summary>
    public void CancelBy(CancellationToken cancellationToken)
    {
        if (cancellationToken.CanBeCanceled)
            _cancellation = cancellationToken.UnsafeRegister(static (state, token) => ((PendingCall)state!).Cancel(token), this);
    }

    public override void OnReply(PayloadBuffer reply)
    {
        _sending?.Cancel();
        _core.SetResult(new RpcPayload(reply));
    }

    public override void Fail(Exception error)
    {
        _sending?.Cancel();
        _core.SetException(error);
    }

    public override RpcException Expired(string address) =>
        new(RpcStatus.Timeout, $"{_service}/{_message} at {address} has not answered within {_timeout}.");

    /// <summary>Takes back a call that was not sent, and is not in the table any more.</summary>
    public void Discard()
    {
        _cancellation.Dispose();
        Recycle();
    }

    RpcPayload IValueTaskSource<RpcPayload>.GetResult(short token)
    {
        if (_core.GetStatus(token) == ValueTaskSourceStatus.Pending)
            throw new InvalidOperationException("The call is not over yet; await it.");
        _cancellation.Dispose();        // waits for a callback under way, so that it cannot hit the next call
        try
        {
            return _core.GetResult(token);
        }
        finally
        {
            Recycle();
        }
    }

    ValueTaskSourceStatus IValueTaskSource<RpcPayload>.GetStatus(short token) => _core.GetStatus(token);

    void IValueTaskSource<RpcPayload>.OnCompleted(
        Action<object?> continuation, object? state, short token, ValueTaskSourceOnCompletedFlags flags) =>
        _core.OnCompleted(continuation, state, token, flags);

    void Recycle()
    {
        _cancellation = default;
        _sending = null;
        _core.Reset();
        pool.Return(this);
    }

    void Cancel(CancellationToken cancellationToken)
    {
        if (connection.TryRemove(this))
        {
            connection.Frames.Signal(FrameType.Cancel, Id);
            Fail(new OperationCanceledException(cancellationToken));
        }
    }
}
