using System.Diagnostics.CodeAnalysis;
using Datacake.Crdt;

namespace Datacake.EventualConsistency.Reading;

/// <summary>The reads that this node has under way in a session with a peer. Thread-safe.</summary>
[SuppressMessage("Design", "CA1001", Justification = "A semaphore whose wait handle nobody asks for holds nothing that needs disposing.")]
sealed class PeerReads
{
    readonly Lock _lock = new();
    readonly Dictionary<ulong, TaskCompletionSource<IReadOnlyList<Document>>> _pending = [];    // all below under the lock
    readonly SemaphoreSlim _turn = new(ReadAnswers.MaxInFlight);
    ulong _lastId;
    string? _reasonForEnd;

    /// <summary>Asks the peer for documents. Waits for its turn while as many reads are under way as the peer answers at a time.</summary>
    /// <param name="send">Sends the request; false if it cannot be sent.</param>
    /// <param name="keyspace">The keyspace.</param>
    /// <param name="keys">The keys of the documents.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    /// <exception cref="ReadFailedException">The peer cannot answer, or the session has ended.</exception>
    public async Task<IReadOnlyList<Document>> ReadAsync(
        Func<ReadRequest, bool> send, string keyspace, IReadOnlyList<DocumentKey> keys, CancellationToken cancellationToken)
    {
        await _turn.WaitAsync(cancellationToken).ConfigureAwait(false);
        ulong id = 0;
        try
        {
            var reply = new TaskCompletionSource<IReadOnlyList<Document>>(TaskCreationOptions.RunContinuationsAsynchronously);
            lock (_lock)
            {
                if (_reasonForEnd is { } reason)
                    throw new ReadFailedException($"the session with it ended: {reason}");
                _pending.Add(id = ++_lastId, reply);
            }
            if (!send(new ReadRequest(id, keyspace, keys)))
                throw new ReadFailedException("the session with it takes no more messages");
            var documents = await reply.Task.WaitAsync(cancellationToken).ConfigureAwait(false);
            return documents.Count == keys.Count
                ? documents
                : throw new ReadFailedException($"it answered a read of {keys.Count} documents with {documents.Count}");
        }
        finally
        {
            lock (_lock)
                _pending.Remove(id);
            _turn.Release();
        }
    }

    /// <summary>Takes a reply; one that nobody waits for any longer is ignored.</summary>
    public void OnReply(ReadReply reply)
    {
        TaskCompletionSource<IReadOnlyList<Document>>? pending;
        lock (_lock)
            _pending.Remove(reply.Id, out pending);
        if (reply.Failure is { } failure)
            Fail(pending, failure);
        else
            pending?.TrySetResult(reply.Documents);
    }

    /// <summary>Takes note that the session has ended: no replies come any more.</summary>
    public void End(string reason)
    {
        TaskCompletionSource<IReadOnlyList<Document>>[] pending;
        lock (_lock)
        {
            _reasonForEnd ??= reason;
            pending = [.. _pending.Values];
            _pending.Clear();
        }
        foreach (var read in pending)
            Fail(read, $"the session with it ended: {reason}");
    }

    static void Fail(TaskCompletionSource<IReadOnlyList<Document>>? read, string reason)
    {
        read?.TrySetException(new ReadFailedException(reason));
        _ = read?.Task.Exception;           // its caller may no longer wait
    }
}
