using System.Collections.Concurrent;
using System.Diagnostics.CodeAnalysis;
using Microsoft.AspNetCore.SignalR.Protocol;

namespace Datacake.AspNetCore.SignalR;

/// <summary>The invocations for whose results clients of this node are asked, by the ids that the clients repeat. Thread-safe.</summary>
sealed class ClientInvocations
{
    readonly ConcurrentDictionary<string, Pending> _pending = new(StringComparer.Ordinal);

    sealed record Pending(LocalConnection Connection, Type ReturnType, Action<CompletionMessage> Complete)
    {
        public CancellationTokenRegistration Closing { get; set; }
    }

    /// <summary>Gets the ids of the invocations that wait for a result.</summary>
    public ICollection<string> Ids => _pending.Keys;

    /// <summary>Adds an invocation, which ends with its result, with the end of the connection, or with <see cref="Remove"/>.</summary>
    /// <param name="id">The id of the invocation, unique in the cluster.</param>
    /// <param name="connection">The connection that is asked.</param>
    /// <param name="returnType">The type of the result.</param>
    /// <param name="complete">Called with the result.</param>
    /// <param name="abandon">Called when the connection ends before the result.</param>
    public void Add(string id, LocalConnection connection, Type returnType, Action<CompletionMessage> complete, Action abandon)
    {
        var pending = new Pending(connection, returnType, complete);
        _pending[id] = pending;
        pending.Closing = connection.Context.ConnectionAborted.UnsafeRegister(
            _ =>
            {
                if (_pending.TryRemove(new(id, pending)))
                    abandon();
            },
            state: null);
    }

    public void Remove(string id)
    {
        if (_pending.TryRemove(id, out var pending))
            pending.Closing.Unregister();
    }

    /// <summary>Completes an invocation. Returns false if the connection was not asked for it, or no longer is.</summary>
    public bool Complete(string connectionId, CompletionMessage result)
    {
        // A client must not answer for another one.
        if (result.InvocationId is not { } id || !_pending.TryGetValue(id, out var pending) || pending.Connection.Id != connectionId || !_pending.TryRemove(new(id, pending)))
            return false;
        pending.Closing.Unregister();
        pending.Complete(result);
        return true;
    }

    public bool TryGetReturnType(string id, [NotNullWhen(true)] out Type? type)
    {
        type = _pending.GetValueOrDefault(id)?.ReturnType;
        return type is not null;
    }
}
