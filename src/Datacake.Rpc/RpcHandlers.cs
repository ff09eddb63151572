namespace Datacake.Rpc;

/// <summary>What a service offers, by message name. A name can be registered once.</summary>
public sealed class RpcHandlers
{
    internal RpcHandlers()
    {
    }

    /// <summary>Answers typed messages.</summary>
    /// <exception cref="ArgumentException">The message has a handler already, or its name is empty or too long.</exception>
    public void Handle<TMessage, TReply>(IHandler<TMessage, TReply> handler)
        where TMessage : IRpcMessage<TMessage>
        where TReply : IRpcMessage<TReply> => HandleBytes(TMessage.Name, null!);

    /// <summary>Answers bytes with bytes. The reply is copied or sent before its memory is let go of.</summary>
    /// <exception cref="ArgumentException">The message has a handler already, or its name is empty or too long.</exception>
    public void HandleBytes(string message, Func<RpcRequest, CancellationToken, ValueTask<ReadOnlyMemory<byte>>> handler) =>
        Handlers.Add(message, handler);

    /// <summary>
    /// Talks over a duplex stream. When the handler returns, the stream is completed; when it throws, the other side reads the error, as with
    /// a call. The token fires when the other side gave up, the connection broke, or the server stops.
    /// </summary>
    /// <exception cref="ArgumentException">The message has a handler already, or its name is empty or too long.</exception>
    public void HandleStream(string message, Func<RpcStream, CancellationToken, Task> handler) => Handlers.Add(message, handler);

    internal Dictionary<string, Delegate> Handlers { get; } = [];
}
