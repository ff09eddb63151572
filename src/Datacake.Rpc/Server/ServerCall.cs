using System.Diagnostics.CodeAnalysis;
using Datacake.Rpc.Framing;
using Datacake.Rpc.Logging;

namespace Datacake.Rpc.Server;

/// <summary>A call or stream on the server, from its arrival until its handler has finished. It is pooled by its connection.</summary>
[SuppressMessage("Design", "CA1001", Justification = "A token source without a timer or a parent holds nothing that needs disposing.")]
sealed class ServerCall(ServerConnection connection) : IThreadPoolWorkItem
{
    CancellationTokenSource _cancellation = new();
    PayloadBuffer? _message;
    int _messageVersion;
    HandlerEntry? _entry;

    public uint Id { get; private set; }

    public RpcRequest Request { get; private set; }

    public RpcStream? Stream { get; private set; }

    /// <summary>Gets the name of the handler, for the log.</summary>
    public string Handler => _entry is null ? "none" : $"{_entry.Service}/{_entry.Message}";

    public CancellationToken CancellationToken => _cancellation.Token;

    /// <summary>Gets or sets the deadline, as a timestamp. Guarded by the connection's lock.</summary>
    public long Due { get; set; }

    /// <summary>Gets the reason why the token has been or is about to be canceled. Guarded by the connection's lock.</summary>
    public RpcStatus? CanceledBy { get; private set; }

    public void Start(PayloadBuffer message, HandlerEntry? entry, RpcStream? stream)
    {
        _message = message;
        _messageVersion = message.Version;
        _entry = entry;
        Id = message.Header.Id;
        Request = new RpcRequest(message, connection.RemoteAddress);
        Stream = stream;
        Due = DeadlineTimer.Never;
    }

    /// <summary>
    /// Marks the call as canceled, under the connection's lock. Returns the token source, which the caller must cancel after leaving the
    /// lock, or null if the call was already canceled.
    /// </summary>
    public CancellationTokenSource? MarkCanceled(RpcStatus reason)
    {
        if (CanceledBy is not null)
            return null;
        CanceledBy = reason;
        return _cancellation;
    }

    /// <summary>Releases everything, after the call has left the connection's table.</summary>
    public void Reset()
    {
        _message!.Release(_messageVersion);
        _message = null;
        _entry = null;
        Request = default;
        Stream = null;
        if (CanceledBy is null && _cancellation.TryReset())
            return;
        _cancellation = new CancellationTokenSource();      // The old one may be about to be canceled.
        CanceledBy = null;
    }

    // RunAsync does not throw, and the connection waits for the call to leave its table.
    void IThreadPoolWorkItem.Execute()
    {
        if (connection.MayRun(this))
            _ = RunAsync();
    }

    /// <exception cref="RpcException">The reply is larger than the caller accepts.</exception>
    public ValueTask ReplyAsync(ReadOnlyMemory<byte> reply)
    {
        var connected = connection.Frames;
        if (reply.Length > connected.Peer.MessageSize)
        {
            throw new RpcException(
                RpcStatus.LimitExceeded,
                $"The reply has {reply.Length} bytes, but the caller accepts at most {connected.Peer.MessageSize} (MessageSize).");
        }

        return reply.Length <= FrameHeader.MaxPayload && connected.Output.TryAppend(FrameType.Reply, Id, 0, [], reply.Span)
            ? ValueTask.CompletedTask
            : ReplyInTurnAsync(reply);
    }

    public void Accept() => connection.Frames.Signal(FrameType.Accept, Id);

    public async ValueTask EndStreamAsync()
    {
        await Stream!.CompleteAsync().ConfigureAwait(false);
        await ReplyAsync(default).ConfigureAwait(false);
    }

    async ValueTask ReplyInTurnAsync(ReadOnlyMemory<byte> reply)
    {
        connection.AddWaitingReply(reply.Length);
        try
        {
            await connection.Frames.Output.SendAsync(FrameType.Reply, Id, 0, default, reply, CancellationToken).ConfigureAwait(false);
        }
        finally
        {
            connection.AddWaitingReply(-reply.Length);
        }
    }

    async Task RunAsync()
    {
        CallObservation? observation = null;
        RpcStatus? failure = null;
        try
        {
            if (Telemetry.IsObserved)
                observation = connection.Observe(_entry, Request.Headers);
            if (connection.IsCanceled(this))
                throw new OperationCanceledException();
            await (_entry ?? throw connection.UnknownRoute(_message!, Stream is not null)).InvokeAsync(this).ConfigureAwait(false);
        }
        catch (Exception error)
        {
            failure = connection.SendFailure(this, error);
        }

        if (Stream is { } stream)
            await stream.DisposeAsync().ConfigureAwait(false);
        observation?.End(failure);
        connection.Forget(this);
    }
}
