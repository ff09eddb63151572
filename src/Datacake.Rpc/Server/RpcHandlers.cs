using Datacake.Rpc.Framing;
using Datacake.Rpc.Server;

namespace Datacake.Rpc;

/// <summary>The handlers of a service, by message name. Each name can be registered only once.</summary>
public sealed class RpcHandlers
{
    internal RpcHandlers()
    {
    }

    internal Dictionary<string, HandlerEntry> Entries { get; } = [];

    /// <summary>Registers a handler for a type of message.</summary>
    /// <exception cref="ArgumentException">The message already has a handler, or its name is empty or too long.</exception>
    public void Handle<TMessage, TReply>(IHandler<TMessage, TReply> handler)
        where TMessage : IRpcMessage<TMessage>
        where TReply : IRpcMessage<TReply>
    {
        ArgumentNullException.ThrowIfNull(handler);
        Add(TMessage.Name, new TypedEntry<TMessage, TReply>(handler));
    }

    /// <summary>
    /// Registers a handler that answers bytes with bytes. The memory of a reply is not used any longer when the reply has been copied or
    /// sent.
    /// </summary>
    /// <exception cref="ArgumentException">The message already has a handler, or its name is empty or too long.</exception>
    public void HandleBytes(string message, Func<RpcRequest, CancellationToken, ValueTask<ReadOnlyMemory<byte>>> handler)
    {
        ArgumentNullException.ThrowIfNull(handler);
        Add(message, new BytesEntry(handler));
    }

    /// <summary>
    /// Registers a handler for duplex streams. The stream ends when the handler returns. If the handler throws an exception, the other side
    /// receives the error as it would for a call. The token is canceled when the other side cancels the stream, the connection is lost, or
    /// the server stops.
    /// </summary>
    /// <exception cref="ArgumentException">The message already has a handler, or its name is empty or too long.</exception>
    public void HandleStream(string message, Func<RpcStream, CancellationToken, Task> handler)
    {
        ArgumentNullException.ThrowIfNull(handler);
        Add(message, new StreamEntry(handler));
    }

    void Add(string message, HandlerEntry entry)
    {
        Route.CheckName(message, nameof(message));
        if (!Entries.TryAdd(message, entry))
            throw new ArgumentException($"The message '{message}' already has a handler. Register it only once.", nameof(message));
        entry.Message = message;
    }
}
