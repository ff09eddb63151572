namespace Datacake.Rpc;

/// <summary>A handler that answers one type of message. It is called on the thread pool, concurrently for several calls.</summary>
/// <typeparam name="TMessage">The type of the request message.</typeparam>
/// <typeparam name="TReply">The type of the reply.</typeparam>
public interface IHandler<TMessage, TReply>
    where TMessage : IRpcMessage<TMessage>
    where TReply : IRpcMessage<TReply>
{
    /// <summary>
    /// Answers a message. If this method throws an <see cref="RpcException"/>, the caller receives its status. Any other exception reaches
    /// the caller as <see cref="RpcStatus.Internal"/> with the message of the exception, but without its stack trace.
    /// </summary>
    /// <param name="message">The message to answer.</param>
    /// <param name="request">The caller's address, the headers and the raw bytes. Valid until the handler has finished.</param>
    /// <param name="cancellationToken">
    /// A token that is canceled when the caller cancels the call, its deadline passes, its connection is lost, or the server stops.
    /// </param>
    ValueTask<TReply> HandleAsync(TMessage message, RpcRequest request, CancellationToken cancellationToken);
}
