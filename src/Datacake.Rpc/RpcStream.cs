namespace Datacake.Rpc;

/// <summary>
/// Ordered messages in both directions between a caller and a handler. Writes may come from several threads, each message goes out whole;
/// reads are for one caller at a time. A writer that is ahead of the reader at the other end by <see cref="RpcLimits.StreamWindow"/> waits.
/// A stream has no time limit of its own: it lives until both sides have completed it, one gives up, or the connection breaks.
/// </summary>
public sealed class RpcStream : IAsyncDisposable
{
    internal RpcStream(string remoteAddress) => RemoteAddress = remoteAddress;

    /// <summary>The other end of the connection, as the transport names it.</summary>
    public string RemoteAddress { get; }

    /// <summary>
    /// Sends a message. Waits while the other side is behind with reading; the bytes are copied or sent before this returns, and small messages that are
    /// written in quick succession share a socket write.
    /// </summary>
    /// <exception cref="RpcException">The stream or its connection is broken, or the message is larger than the other side takes.</exception>
    /// <exception cref="InvalidOperationException"><see cref="CompleteAsync"/> was called before.</exception>
    public ValueTask WriteAsync(ReadOnlyMemory<byte> message, CancellationToken cancellationToken = default) =>
        throw new NotSupportedException(RemoteAddress);

    /// <summary>
    /// Waits for the next message: null when the other side has completed, or when the handler at the other end has returned. What had arrived
    /// before an error is delivered before the error is thrown.
    /// </summary>
    /// <exception cref="RpcException">The connection broke (<see cref="RpcStatus.Connection"/>), or the other side failed or gave up.</exception>
    public ValueTask<RpcPayload?> ReadAsync(CancellationToken cancellationToken = default) => throw new NotSupportedException(RemoteAddress);

    /// <summary>Tells the other side that nothing more comes from here. Reading goes on. Further calls do nothing.</summary>
    public ValueTask CompleteAsync() => throw new NotSupportedException(RemoteAddress);

    /// <summary>Ends the stream. Unless both sides had completed it, the other side's token fires and its reads and writes fail.</summary>
    public ValueTask DisposeAsync() => ValueTask.CompletedTask;
}
