using System.Threading.Tasks.Sources;
using Datacake.Rpc.Framing;

namespace Datacake.Rpc.Client;

/// <summary>
/// A call that waits for its reply, and the source of the caller's task. It is pooled, and returns to the pool when the caller has taken
/// the result.
/// </summary>
sealed class PendingCall(ClientConnection connection, ItemPool<PendingCall> pool) : ClientExchange, IValueTaskSource<RpcPayload>
{
    string _service = "";
    string _message = "";
    TimeSpan _timeout;
    CancellationTokenRegistration _cancellation;
    CancellationTokenSource? _sending;
    ManualResetValueTaskSourceCore<RpcPayload> _core = new() { RunContinuationsAsynchronously = true };

    /// <summary>Gets the task of the reply. It must be awaited exactly once.</summary>
    public ValueTask<RpcPayload> Task => new(this, _core.Version);

    public void Start(string service, string message, TimeSpan timeout, CancellationTokenSource? sending)
    {
        _service = service;
        _message = message;
        _timeout = timeout;
        _sending = sending;
    }

    /// <summary>
    /// Registers the cancellation. Called after the call has entered the table. If the token is already canceled, the call has ended on
    /// return.
    /// </summary>
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

    /// <summary>Returns a call to the pool that was not sent and is no longer in the table.</summary>
    public void Discard()
    {
        _cancellation.Dispose();
        Recycle();
    }

    RpcPayload IValueTaskSource<RpcPayload>.GetResult(short token)
    {
        if (_core.GetStatus(token) == ValueTaskSourceStatus.Pending)
            throw new InvalidOperationException("The call has not completed yet. Await it.");
        _cancellation.Dispose();        // Waits for a running callback, so that it cannot affect the next call.
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
