using Datacake.Crdt;
using Datacake.EventualConsistency.Membership;
using Datacake.EventualConsistency.Replication;
using Datacake.EventualConsistency.Replication.Messages;
using Datacake.Rpc;

namespace Datacake.EventualConsistency.Links;

/// <summary>
/// The course of a stream with a peer from the hellos to its end: opens the session at the replica, runs it, and closes it there. A session
/// is open at the replica exactly as long as its link is in <see cref="PeerLinks"/>.
/// </summary>
sealed class SessionRunner(SessionContext context)
{
    /// <summary>The time within which a peer must send its hello.</summary>
    public static readonly TimeSpan HelloTimeout = TimeSpan.FromSeconds(5);

    /// <summary>The time that the end of a session waits for the last message to arrive.</summary>
    public static readonly TimeSpan GoodbyeTimeout = TimeSpan.FromSeconds(2);

    static readonly TimeSpan CloseRetry = TimeSpan.FromMilliseconds(50);

    /// <summary>Runs a stream that this node has dialed.</summary>
    /// <param name="stream">The stream.</param>
    /// <param name="dialed">The node that is expected at the other end.</param>
    /// <param name="cancellationToken">Ends the session.</param>
    /// <exception cref="RpcException">The stream broke before the session was open.</exception>
    public async Task<SessionOutcome> RunDialedAsync(RpcStream stream, byte dialed, CancellationToken cancellationToken)
    {
        try
        {
            var hello = await context.Loop.RunAsync((_, _) => ValueTask.FromResult(context.Replica.Hello(dialed)), cancellationToken).ConfigureAwait(false);
            await new LaneWriter(stream, MessageLane.Short).WriteAsync(hello.Encoded, cancellationToken).ConfigureAwait(false);
            var assembler = new MessageAssembler();
            var first = await ReadFirstAsync(stream, assembler, cancellationToken).ConfigureAwait(false);
            if (first is Refusal refusal)
            {
                await PeerSession.NoteRefusalAsync(context, dialed, refusal).ConfigureAwait(false);
                return SessionOutcome.OfPeers(refusal, wasOpen: false);
            }
            var theirs = HelloOf(first);
            if (theirs.Node == dialed)
                return await RunAsync(stream, theirs, isDialer: true, assembler, cancellationToken).ConfigureAwait(false);
            var goodbye = new Refusal(RefusalKind.OtherNode, $"node {dialed} was dialed, not node {theirs.Node}");
            await SayGoodbyeAsync(stream, goodbye, cancellationToken).ConfigureAwait(false);
            return new SessionOutcome(false, $"node {theirs.Node} answers at the address of node {dialed}", IsLasting: true);
        }
        catch (InvalidDataException e)
        {
            return await RefuseAsync(stream, e, cancellationToken).ConfigureAwait(false);
        }
    }

    /// <summary>Runs a stream that a peer has dialed.</summary>
    /// <returns>The peer, if it has sent a hello, and the outcome of the session.</returns>
    /// <exception cref="RpcException">The stream broke before the session was open.</exception>
    public async Task<(byte? Peer, SessionOutcome Outcome)> RunAcceptedAsync(RpcStream stream, CancellationToken cancellationToken)
    {
        try
        {
            var assembler = new MessageAssembler();
            var theirs = HelloOf(await ReadFirstAsync(stream, assembler, cancellationToken).ConfigureAwait(false));
            return (theirs.Node, await RunAsync(stream, theirs, isDialer: false, assembler, cancellationToken).ConfigureAwait(false));
        }
        catch (InvalidDataException e)
        {
            return (null, await RefuseAsync(stream, e, cancellationToken).ConfigureAwait(false));
        }
    }

    /// <summary>
    /// Sends a last message and waits, for a bounded time, until the other side has closed the stream. If the stream were closed at once,
    /// the message might be lost.
    /// </summary>
    public async ValueTask SayGoodbyeAsync(RpcStream stream, Refusal refusal, CancellationToken cancellationToken)
    {
        using var deadline = new CancellationTokenSource(GoodbyeTimeout, context.Node.TimeProvider);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(deadline.Token, cancellationToken);
        try
        {
            await stream.WriteAsync(refusal.Encoded, either.Token).ConfigureAwait(false);
            await stream.CompleteAsync(either.Token).ConfigureAwait(false);
            while (await stream.ReadAsync(either.Token).ConfigureAwait(false) is { } payload)
                payload.Dispose();
        }
        catch (Exception e) when (e is RpcException or OperationCanceledException or ObjectDisposedException or InvalidOperationException)
        {
            // The peer is gone and need not be told.
        }
    }

    async Task<SessionOutcome> RunAsync(RpcStream stream, Hello theirs, bool isDialer, MessageAssembler assembler, CancellationToken cancellationToken)
    {
        var link = new PeerLink(theirs.Node, stream, context.Logger);
        SessionOutcome outcome;
        Refusal? goodbye = null;
        try
        {
            goodbye = await context.Loop.RunInReserveAsync((batch, _) => ValueTask.FromResult(Open(batch, link, theirs, isDialer)), cancellationToken)
                .ConfigureAwait(false);
            if (goodbye is not null)
            {
                outcome = SessionOutcome.OfThis(goodbye);
            }
            else
            {
                // The dialer may still refuse the session in its next message. At the acceptor, the session is therefore open only when
                // another message of the dialer arrives.
                if (isDialer)
                    context.Conditions.OnOpened(link.Peer);
                outcome = await new PeerSession(context, link, assembler).RunAsync(cancellationToken).ConfigureAwait(false);
                goodbye = link.Ended.IsCompletedSuccessfully ? link.Ended.Result.Refusal : null;
                link.Reads.End(outcome.Reason);
            }
        }
        catch (Exception e) when (e is InvalidDataException or ClockDriftException)
        {
            goodbye = LinkEnd.OfInvalid(e).Refusal!;
            outcome = SessionOutcome.OfThis(goodbye);
        }
        finally
        {
            // Also after a canceled or failed opening, because the replica may have opened the session nevertheless, or be about to.
            link.Close();
            link.Reads.End("it was closed");
            await CloseAsync(link).ConfigureAwait(false);
        }
        if (goodbye is not null)
            await SayGoodbyeAsync(stream, goodbye, cancellationToken).ConfigureAwait(false);
        return outcome;
    }

    /// <summary>
    /// Opens the session at the replica. Called on the commit loop. Returns the refusal if there is no session, or <see langword="null"/>.
    /// </summary>
    Refusal? Open(ReplicaBatch batch, PeerLink link, Hello hello, bool isDialer)
    {
        var replica = context.Replica;
        // The session was opened in a batch that could not be committed.
        if (link.Session != 0)
        {
            context.Links.Remove(link);
            replica.CloseSession(link.Peer, link.Session);
        }
        if (replica.Refuse(hello, isDialer) is { } refusal)
            return refusal;
        link.Greeting = isDialer ? null : replica.Hello();
        link.Session = replica.OpenSession(batch, hello, isDialer);
        link.Protocol = replica.Sessions[link.Peer].Protocol;
        link.IsPeerLater = hello.Protocol.Exceeds(replica.Protocol);
        context.Links.Add(link);
        replica.PullFromNewPeer(batch, link.Peer, hello);
        return null;
    }

    async ValueTask CloseAsync(PeerLink link)
    {
        bool isClosed = false;
        do
        {
            try
            {
                await context.Loop.RunInReserveAsync((_, _) =>
                {
                    context.Links.Remove(link);
                    context.Replica.CloseSession(link.Peer, link.Session);
                    isClosed = true;
                    return ValueTask.FromResult(true);
                }).ConfigureAwait(false);
            }
            catch (ObjectDisposedException)
            {
                return;                                                     // the store is closed, and its sessions with it
            }
            catch (Exception) when (isClosed)
            {
                // The storage has refused the batch, which is logged. The session is closed nevertheless.
            }
            catch (Exception)
            {
                // The storage cannot be read, which is logged. The session must be closed nevertheless.
                await Task.Delay(CloseRetry, context.Node.TimeProvider, context.Stopping).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            }
        }
        while (!isClosed && !context.Stopping.IsCancellationRequested);
    }

    async ValueTask<ReplicaMessage> ReadFirstAsync(RpcStream stream, MessageAssembler assembler, CancellationToken cancellationToken)
    {
        using var deadline = new CancellationTokenSource(HelloTimeout, context.Node.TimeProvider);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(deadline.Token, cancellationToken);
        try
        {
            while (await stream.ReadAsync(either.Token).ConfigureAwait(false) is { } payload)
            {
                using (payload)
                {
                    assembler.Take(payload.Memory, out var message);
                    if (!message.IsEmpty)
                        return ReplicaMessage.Decode(message);
                }
            }
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            throw new RpcException(RpcStatus.Timeout, $"The peer did not send a hello within {HelloTimeout.TotalSeconds:0} s.");
        }
        throw new RpcException(RpcStatus.Connection, "The peer ended the stream before its hello.");
    }

    async ValueTask<SessionOutcome> RefuseAsync(RpcStream stream, InvalidDataException failure, CancellationToken cancellationToken)
    {
        var refusal = LinkEnd.OfInvalid(failure).Refusal!;
        await SayGoodbyeAsync(stream, refusal, cancellationToken).ConfigureAwait(false);
        return SessionOutcome.OfThis(refusal) with { Failure = failure };
    }

    static Hello HelloOf(ReplicaMessage first) =>
        first as Hello ?? throw new InvalidDataException($"The first message is a {first.GetType().Name} instead of a hello.");
}
