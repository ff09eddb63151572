using System.Diagnostics.CodeAnalysis;
using Datacake.Crdt;
using Datacake.EventualConsistency.Replication.Messages;

namespace Datacake.EventualConsistency.Links;

/// <summary>The reads that this node has under way in a session with a peer. Thread-safe.</summary>
[SuppressMessage("Design", "CA1001", Justification = "A semaphore holds nothing that needs disposing unless its wait handle is used.")]
sealed class PeerReads(PeerLink link)
{
    readonly Lock _lock = new();
    readonly Dictionary<ulong, (Type Request, TaskCompletionSource<ReplicaMessage> Reply)> _pending = [];    // all below under the lock
    readonly SemaphoreSlim _turn = new(ReadResponder.MaxInFlight);
    ulong _lastId;
    string? _reasonForEnd;

    /// <summary>Asks the peer for documents. Waits while as many reads are under way as the peer answers at a time.</summary>
    /// <param name="keyspace">The keyspace.</param>
    /// <param name="keys">The keys of the documents.</param>
    /// <param name="cancellationToken">Cancels the wait.</param>
    /// <exception cref="ReadFailedException">The peer cannot answer, or the session has ended.</exception>
    public async Task<IReadOnlyList<Document>> ReadAsync(string keyspace, IReadOnlyList<DocumentKey> keys, CancellationToken cancellationToken)
    {
        var documents = ((ReadReply)await AskAsync(id => new ReadRequest(id, keyspace, keys), cancellationToken).ConfigureAwait(false)).Documents;
        return documents.Count == keys.Count
            ? documents
            : throw new ReadFailedException($"it answered a read of {keys.Count} documents with {documents.Count}");
    }

    /// <summary>Asks the peer for the transactions that it has. Waits in the same way as <see cref="ReadAsync"/>.</summary>
    /// <exception cref="ReadFailedException">The peer cannot answer, or the session has ended.</exception>
    public async Task<VersionVector> ReadKnownAsync(CancellationToken cancellationToken) =>
        ((KnownReply)await AskAsync(static id => new KnownRequest(id), cancellationToken).ConfigureAwait(false)).Known;

    /// <summary>Takes a reply. A reply that nobody waits for any longer is ignored.</summary>
    /// <exception cref="InvalidDataException">The reply is to another kind of read.</exception>
    public void OnReply(ReadReply reply) => OnReply(reply, reply.Id, reply.Failure, typeof(ReadRequest));

    /// <summary>Takes a reply. A reply that nobody waits for any longer is ignored.</summary>
    /// <exception cref="InvalidDataException">The reply is to another kind of read.</exception>
    public void OnReply(KnownReply reply) => OnReply(reply, reply.Id, reply.Failure, typeof(KnownRequest));

    /// <summary>Sends the peer a request, and returns its reply. Waits in the same way as <see cref="ReadAsync"/>.</summary>
    /// <param name="requestOf">Returns the request with an id.</param>
    /// <param name="cancellationToken">Cancels the wait.</param>
    /// <exception cref="ReadFailedException">The peer cannot answer or does not know the request, or the session has ended.</exception>
    public async Task<ReplicaMessage> AskAsync(Func<ulong, ReplicaMessage> requestOf, CancellationToken cancellationToken)
    {
        await _turn.WaitAsync(cancellationToken).ConfigureAwait(false);
        ulong id = 0;
        try
        {
            var reply = new TaskCompletionSource<ReplicaMessage>(TaskCreationOptions.RunContinuationsAsynchronously);
            ReplicaMessage request;
            lock (_lock)
            {
                if (_reasonForEnd is { } reason)
                    throw new ReadFailedException($"the session with it ended: {reason}");
                request = requestOf(id = ++_lastId);
                _pending.Add(id, (request.GetType(), reply));
            }
            if (link.EncodeForPeer(request) is null)
                throw new ReadFailedException($"version {link.Protocol.Version} of the protocol, in which it is in session with this node, has no {request.GetType().Name}");
            if (!link.TryPost(request))
                throw new ReadFailedException("the session with it accepts no more messages");
            return await reply.Task.WaitAsync(cancellationToken).ConfigureAwait(false);
        }
        finally
        {
            lock (_lock)
                _pending.Remove(id);
            _turn.Release();
        }
    }

    void OnReply(ReplicaMessage reply, ulong id, string? failure, Type request)
    {
        (Type Request, TaskCompletionSource<ReplicaMessage> Reply) pending;
        lock (_lock)
        {
            if (!_pending.Remove(id, out pending))
                return;
        }
        if (pending.Request != request)
            throw new InvalidDataException($"A {pending.Request.Name} was answered with a {reply.GetType().Name}.");
        if (failure is not null)
            Fail(pending.Reply, failure);
        else
            pending.Reply.TrySetResult(reply);
    }

    /// <summary>Fails all reads, because the session has ended and no more replies arrive.</summary>
    public void End(string reason)
    {
        TaskCompletionSource<ReplicaMessage>[] pending;
        lock (_lock)
        {
            _reasonForEnd ??= reason;
            pending = [.. _pending.Values.Select(static read => read.Reply)];
            _pending.Clear();
        }
        foreach (var read in pending)
            Fail(read, $"the session with it ended: {reason}");
    }

    static void Fail(TaskCompletionSource<ReplicaMessage> read, string reason)
    {
        read.TrySetException(new ReadFailedException(reason));
        _ = read.Task.Exception;            // observed here, because the caller may no longer be waiting
    }
}
