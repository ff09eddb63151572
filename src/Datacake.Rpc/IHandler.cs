namespace Datacake.Rpc;

/// <summary>Answers one kind of message. Called from thread-pool threads, for several calls at a time.</summary>
/// <typeparam name="TMessage">What is asked.</typeparam>
/// <typeparam name="TReply">What is answered.</typeparam>
public interface IHandler<TMessage, TReply>
    where TMessage : IRpcMessage<TMessage>
    where TReply : IRpcMessage<TReply>
{
    /// <summary>
    /// Answers a message. An <see cref="RpcException"/> thrown here reaches the caller with its status; any other exception as <see
    /// cref="RpcStatus.Internal"/> with its message, without its stack.
    /// </summary>
    /// <param name="message">What was asked.</param>
    /// <param name="request">Who asked, and the raw bytes; valid until the handler has finished.</param>
    /// <param name="cancellationToken">
    /// Fires when the caller gave up, its deadline passed, its connection broke, or the server stops.
    /// </param>
    ValueTask<TReply> HandleAsync(TMessage message, RpcRequest request, CancellationToken cancellationToken);
}
