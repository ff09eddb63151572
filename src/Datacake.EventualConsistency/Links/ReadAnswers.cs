using System.Diagnostics.CodeAnalysis;
using Datacake.Crdt;
using Datacake.EventualConsistency.Replication.Messages;
using Datacake.Rpc;
using Datacake.Storage;

namespace Datacake.EventualConsistency.Links;

/// <summary>Answers the reads of one peer within a session, several at a time. Used by one caller at a time.</summary>
[SuppressMessage("Design", "CA1001", Justification = "A semaphore whose wait handle nobody asks for holds nothing that needs disposing.")]
sealed class ReadAnswers(SessionContext context, PeerLink link)
{
    /// <summary>The most reads of a peer that are answered at a time; further ones wait on its side.</summary>
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
        else        // a read whose caller has given up no longer counts on the other side
            link.TryPost(new ReadReply(request.Id, $"it answers {_answering.Count} other reads of this node already", []));
    }

    /// <summary>Answers which transactions this replica has, all of them committed.</summary>
    public void Answer(KnownRequest request) => link.TryPost(context.Replica.IsJoined
        ? new KnownReply(request.Id, null, context.Membership.Current.Known)
        : new KnownReply(request.Id, NotJoined, VersionVector.Empty));

    /// <summary>Waits until all that was started has ended; the token of its start has to fire before.</summary>
    public async ValueTask StopAsync() => await Task.WhenAll(_answering).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);

    async Task AnswerAsync(ReadRequest request, CancellationToken cancellationToken)
    {
        await Task.CompletedTask.ConfigureAwait(ConfigureAwaitOptions.ForceYielding);
        if (await ReadAsync(request, ReadReply.MaxSmallLength, cancellationToken).ConfigureAwait(false) is { } small)
        {
            await SendAsync(small, cancellationToken).ConfigureAwait(false);
            return;
        }
        // Of the long ones there is one at a time, so that short requests do not take much memory.
        await _longTurn.WaitAsync(cancellationToken).ConfigureAwait(false);
        try
        {
            var reply = await ReadAsync(request, ReadReply.MaxLength, cancellationToken).ConfigureAwait(false)
                ?? new ReadReply(request.Id, $"the documents have more than {ReadReply.MaxLength} bytes together; read fewer of them at once", []);
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
            await _lane.WriteAsync(reply.Encoded, cancellationToken).ConfigureAwait(false);
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

    /// <summary>Makes the answer to a read; null if the documents are too long together.</summary>
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
