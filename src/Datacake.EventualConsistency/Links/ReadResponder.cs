using System.Diagnostics.CodeAnalysis;
using Datacake.Crdt;
using Datacake.EventualConsistency.Replication.Messages;
using Datacake.Rpc;
using Datacake.Storage;

namespace Datacake.EventualConsistency.Links;

/// <summary>The answers to the reads of one peer within a session, several at a time. Used by one caller at a time.</summary>
[SuppressMessage("Design", "CA1001", Justification = "A semaphore holds nothing that needs disposing unless its wait handle is used.")]
sealed class ReadResponder(SessionContext context, PeerLink link)
{
    /// <summary>The maximum number of reads of a peer that are answered at the same time. Further ones wait at the peer.</summary>
    public const int MaxInFlight = 16;

    const string NotJoined = "its store has not joined the cluster yet";

    readonly List<Task> _answering = [];
    readonly LaneWriter _lane = new(link.Stream, MessageLane.Reply);
    readonly SemaphoreSlim _laneTurn = new(1);
    readonly SemaphoreSlim _longTurn = new(1);

    public void Start(ReadRequest request, CancellationToken cancellationToken)
    {
        _answering.RemoveAll(static task => task.IsCompleted);
        if (_answering.Count < MaxInFlight)
            _answering.Add(AnswerAsync(request, cancellationToken));
        else        // the peer no longer counts reads whose callers have given up, so it may send more
            link.TryPost(new ReadReply(request.Id, $"it is already answering {_answering.Count} other reads of this node", []));
    }

    /// <summary>Answers a request for the transactions that this replica has committed.</summary>
    public void Answer(KnownRequest request) => link.TryPost(context.Replica.IsJoined
        ? new KnownReply(request.Id, null, context.Membership.Current.Known)
        : new KnownReply(request.Id, NotJoined, VersionVector.Empty));

    /// <summary>
    /// Waits until all answers that were started have ended. The token that they were started with must be canceled before.
    /// </summary>
    public async ValueTask StopAsync() => await Task.WhenAll(_answering).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);

    async Task AnswerAsync(ReadRequest request, CancellationToken cancellationToken)
    {
        await Task.CompletedTask.ConfigureAwait(ConfigureAwaitOptions.ForceYielding);
        if (await ReadAsync(request, ReadReply.MaxSmallLength, cancellationToken).ConfigureAwait(false) is { } small)
        {
            await SendAsync(small, cancellationToken).ConfigureAwait(false);
            return;
        }
        // Long replies are made one at a time, so that short requests cannot take much memory.
        await _longTurn.WaitAsync(cancellationToken).ConfigureAwait(false);
        try
        {
            var reply = await ReadAsync(request, ReadReply.MaxLength, cancellationToken).ConfigureAwait(false)
                ?? new ReadReply(request.Id, $"the documents have more than {ReadReply.MaxLength} bytes in total; read fewer documents at once", []);
            await SendAsync(reply, cancellationToken).ConfigureAwait(false);
        }
        finally
        {
            _longTurn.Release();
        }
    }

    async ValueTask SendAsync(ReadReply reply, CancellationToken cancellationToken)
    {
        await _laneTurn.WaitAsync(cancellationToken).ConfigureAwait(false);
        try
        {
            if (link.EncodeForPeer(reply) is { } encoded)
                await _lane.WriteAsync(encoded, cancellationToken).ConfigureAwait(false);
        }
        catch (RpcException)
        {
            // The stream is broken, and the session ends with it.
        }
        finally
        {
            _laneTurn.Release();
        }
    }

    /// <summary>Returns the reply to a read, or null if the total length of the documents exceeds the limit.</summary>
    async ValueTask<ReadReply?> ReadAsync(ReadRequest request, long maxLength, CancellationToken cancellationToken)
    {
        if (!context.Replica.IsJoined)
            return new ReadReply(request.Id, NotJoined, []);
        try
        {
            var documents = await context.Reader.ReadAsync(request.Keyspace, request.Keys, maxLength, cancellationToken).ConfigureAwait(false);
            return documents is null ? null : new ReadReply(request.Id, null, documents);
        }
        catch (Exception e) when (e is ReadFailedException or StorageException or ObjectDisposedException)
        {
            return new ReadReply(request.Id, e is ObjectDisposedException ? "its store is closing" : e.Message.TrimEnd('.'), []);
        }
    }
}
