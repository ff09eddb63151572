using Datacake.EventualConsistency.Diagnostics;
using Datacake.EventualConsistency.Membership;
using Datacake.EventualConsistency.Replication.Messages;
using Datacake.Rpc;

namespace Datacake.EventualConsistency.Links;

/// <summary>One open session, until either side ends it: sends what is posted to its link, receives, and answers pulls and reads.</summary>
sealed class PeerSession(SessionContext context, PeerLink link, MessageAssembler assembler)
{
    readonly PullResponder _pulls = new(link, context.Replica, context.Storage, context.Damages, context.Logger);
    readonly ReadResponder _reads = new(context, link);
    bool _isConfirmed;
    bool _ignoresKind;      // a message of an unknown kind was ignored, which is logged once

    /// <summary>Runs the session, and returns how it ended. The stream is intact if this side ended the session.</summary>
    public async Task<SessionOutcome> RunAsync(CancellationToken cancellationToken)
    {
        using var over = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        if (link.Greeting is { } greeting)
            await new LaneWriter(link.Stream, MessageLane.Short).WriteAsync(greeting.Encoded, cancellationToken).ConfigureAwait(false);
        var receiving = ReceiveAsync(over.Token);
        Task[] running = [receiving, .. link.StartSending(over.Token)];
        var first = await Task.WhenAny([.. running, link.Ended]).ConfigureAwait(false);
        // When a write fails, the last message of the peer may still wait behind others.
        if (first != receiving && first != link.Ended)
            over.CancelAfter(SessionRunner.GoodbyeTimeout);
        else
            await over.CancelAsync().ConfigureAwait(false);
        link.Close();
        await ((Task)receiving).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        await over.CancelAsync().ConfigureAwait(false);
        await Task.WhenAll(running).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        await _reads.StopAsync().ConfigureAwait(false);

        if (link.Ended.IsCompletedSuccessfully)
        {
            var end = link.Ended.Result;
            return new SessionOutcome(
                true, end.Reason, IsLasting: end.Failure is not null, IsQuiet: end.Refusal is { IsQuiet: true }, Failure: end.Failure);
        }
        if (receiving.IsCompletedSuccessfully && receiving.Result is { } refusal)
        {
            await NoteRefusalAsync(context, link.Peer, refusal).ConfigureAwait(false);
            return SessionOutcome.OfPeers(refusal, wasOpen: true);
        }
        return first.Exception?.InnerException switch
        {
            null => new SessionOutcome(true, cancellationToken.IsCancellationRequested ? "it was closed" : "the peer closed it"),
            RpcException e => new SessionOutcome(true, e.Message.TrimEnd('.')),
            var e => new SessionOutcome(true, e.Message.TrimEnd('.'), IsLasting: true, Failure: e),
        };
    }

    /// <summary>Tells the replica that a peer refuses the session.</summary>
    public static async ValueTask NoteRefusalAsync(SessionContext context, byte peer, Refusal refusal)
    {
        try
        {
            await context.Loop.RunAsync((_, _) =>
            {
                context.Replica.OnRefused(peer, refusal);
                return ValueTask.FromResult(true);
            }).ConfigureAwait(false);
        }
        catch (Exception e) when (e is not OutOfMemoryException)
        {
            // The store is closing, or its storage refuses a batch, which is logged. The peer will repeat its refusal.
        }
    }

    /// <summary>Receives messages until the stream ends, or until the peer refuses the session. Returns the refusal, if any.</summary>
    async Task<Refusal?> ReceiveAsync(CancellationToken cancellationToken)
    {
        try
        {
            while (await link.Stream.ReadAsync(cancellationToken).ConfigureAwait(false) is { } payload)
            {
                ReplicaMessage? message;
                MessageKind kind;
                int length;
                using (payload)
                {
                    var lane = assembler.Take(payload.Memory, out var bytes);
                    if (bytes.IsEmpty)
                    {
                        if (lane == MessageLane.Answer)
                            link.AddAnswerBytes();
                        continue;
                    }
                    message = ReplicaMessage.TryDecode(bytes, out kind);
                    length = bytes.Length;
                }
                if (message is null)
                {
                    Ignore(kind);
                    continue;
                }
                if (!_isConfirmed && link.Greeting is not null && message is not Refusal)
                    context.Conditions.OnOpened(link.Peer);
                _isConfirmed = true;
                switch (message)
                {
                    case Acknowledgment acknowledgment:
                        context.Board.OnAcknowledged(link.Peer, acknowledgment.Applied);
                        break;
                    case Refusal refusal:
                        return refusal;
                    case PullRequest request:
                        await _pulls.StartAsync(request, cancellationToken).ConfigureAwait(false);
                        break;
                    case ReadRequest request:
                        _reads.Start(request, cancellationToken);
                        break;
                    case ReadReply reply:
                        link.Reads.OnReply(reply);
                        break;
                    case KnownRequest request:
                        _reads.Answer(request);
                        break;
                    case KnownReply reply:
                        link.Reads.OnReply(reply);
                        break;
                    default:
                        await HandleAsync(message, length, cancellationToken).ConfigureAwait(false);
                        break;
                }
            }
            return null;
        }
        catch (InvalidDataException e)
        {
            link.End(LinkEnd.OfInvalid(e));
            return null;
        }
        finally
        {
            await _pulls.StopAsync().ConfigureAwait(false);
        }
    }

    /// <summary>
    /// Ignores a message of an unknown kind if the peer is of a later version, which should not have sent it. As with a message that the
    /// peer drops because this side is too slow, the rules of replication bring its content in another way.
    /// </summary>
    /// <exception cref="InvalidDataException">The peer knows no more kinds than this node.</exception>
    void Ignore(MessageKind kind)
    {
        if (!link.IsPeerLater)
            throw new InvalidDataException($"The message kind {kind} is unknown.");
        if (!_ignoresKind)
            StoreLog.UnknownKind(context.Logger, link.Peer, (byte)kind);
        _ignoresKind = true;
    }

    /// <summary>Passes a message to the replica, and waits while too much from the peer is waiting there already.</summary>
    async ValueTask HandleAsync(ReplicaMessage message, int length, CancellationToken cancellationToken)
    {
        var work = new PeerWork(context, link, message, length);
        link.AddUnhandled(length);
        if (!context.Loop.TryPost(work))
            await context.Loop.PostAsync(work, cancellationToken).ConfigureAwait(false);
        // Work is done in order: once work that is posted here is done, so is all earlier work.
        if (link.HasTooMuchUnhandled)
            await context.Loop.RunAsync(static (_, _) => ValueTask.FromResult(true), cancellationToken).ConfigureAwait(false);
    }
}
