using Datacake.Rpc.Framing;
using Datacake.Rpc.Server;

namespace Datacake.Rpc;

/// <summary>What a service offers, by message name. A name can be registered once.</summary>
public sealed class RpcHandlers
{
    internal RpcHandlers()
    {
    }

    internal Dictionary<string, HandlerEntry> Entries { get; } = [];

    /// <summary>Answers typed messages.</summary>
    /// <exception cref="ArgumentException">The message has a handler already, or its name is empty or too long.</exception>
    public void Handle<TMessage, TReply>(IHandler<TMessage, TReply> handler)
        where TMessage : IRpcMessage<TMessage>
        where TReply : IRpcMessage<TReply>
    {
        ArgumentNullException.ThrowIfNull(handler);
        Add(TMessage.Name, new TypedEntry<TMessage, TReply>(handler));
    }

    /// <summary>Answers bytes with bytes. The reply's memory is let go of once it is copied or sent.</summary>
    /// <exception cref="ArgumentException">The message has a handler already, or its name is empty or too long.</exception>
    public void HandleBytes(string message, Func<RpcRequest, CancellationToken, ValueTask<ReadOnlyMemory<byte>>> handler)
    {
        ArgumentNullException.ThrowIfNull(handler);
        Add(message, new BytesEntry(handler));
    }

    /// <summary>
    /// Talks over a duplex stream. When the handler returns, the stream is over; when it throws, the other side reads the error, as with
    /// a call. The token fires when the other side gave up, the connection broke, or the server stops.
    /// </summary>
    /// <exception cref="ArgumentException">The message has a handler already, or its name is empty or too long.</exception>
    public void HandleStream(string message, Func<RpcStream, CancellationToken, Task> handler)
    {
        ArgumentNullException.ThrowIfNull(handler);
        Add(message, new StreamEntry(handler));
    }

    void Add(string message, HandlerEntry entry)
    {
        Route.CheckName(message, nameof(message));
        if (!Entries.TryAdd(message, entry))
            throw new ArgumentException($"The message '{message}' has a handler already.", nameof(message));
        entry.Message = message;
    }
}
