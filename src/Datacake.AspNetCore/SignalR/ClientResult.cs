using System.Buffers;
using Microsoft.AspNetCore.SignalR;
using Microsoft.AspNetCore.SignalR.Protocol;

namespace Datacake.AspNetCore.SignalR;

/// <summary>The typed results of clients.</summary>
static class ClientResult
{
    /// <summary>Completes a task with the result that a client has returned.</summary>
    public static void Complete<T>(TaskCompletionSource<T> task, CompletionMessage completion)
    {
        if (!completion.HasResult)
            task.TrySetException(new HubException(completion.Error ?? "The client has returned no result."));
        else if (completion.Result is T result)
            task.TrySetResult(result);
        else if (completion.Result is null && default(T) is null)
            task.TrySetResult(default!);
        else
            task.TrySetException(new HubException($"The client has returned a result that is not of type {typeof(T).Name}."));
    }

    /// <summary>Reads a completion that another node has received from its client.</summary>
    /// <exception cref="InvalidDataException">The bytes are not a completion.</exception>
    public static CompletionMessage Read<T>(IHubProtocol protocol, ReadOnlyMemory<byte> bytes)
    {
        var input = new ReadOnlySequence<byte>(bytes);
        return protocol.TryParseMessage(ref input, ResultBinder<T>.Instance, out var message) && message is CompletionMessage completion
            ? completion
            : throw new InvalidDataException($"Another node has sent the result of a client in the protocol '{protocol.Name}', but the bytes are not a completion message.");
    }

    sealed class ResultBinder<T> : IInvocationBinder
    {
        public static ResultBinder<T> Instance { get; } = new();

        public Type GetReturnType(string invocationId) => typeof(T);

        public IReadOnlyList<Type> GetParameterTypes(string methodName) => throw new InvalidDataException("The result of a client has parameters.");

        public Type GetStreamItemType(string streamId) => throw new InvalidDataException("The result of a client is an item of a stream.");
    }
}
