using System.Collections.Concurrent;
using Datacake.Crdt;
using Datacake.EventualConsistency.Commits;
using Datacake.EventualConsistency.Replication;
using Datacake.EventualConsistency.Replication.Messages;
using Datacake.Node;
using Datacake.Rpc;
using Datacake.Storage;
using Microsoft.Extensions.Logging;

namespace Datacake.EventualConsistency.Links;

/// <summary>
/// The sessions of a replica with its peers, each one a stream between two nodes. The node with the lower id dials; both sides send mutations, reports
/// and pulls through the same stream, in order.
/// </summary>
sealed class PeerLinks : IAsyncDisposable
{
    const string ServiceName = "replication";
    const string SessionMessage = "session";
    const int MaxPartLength = 256 * 1024;

    // The receiver takes each into one array, below what the runtime counts as a large object.
    const int MaxMutationsLength = 64 * 1024;

    static readonly TimeSpan HelloTimeout = TimeSpan.FromSeconds(5);

    readonly DatacakeNode _node;
    readonly Replica _replica;
    readonly IStorage _storage;
    readonly CommitLoop _loop;
    readonly AcknowledgementBoard _board;
    readonly PullServer _pullServer;
    readonly ILogger _logger;
    readonly CancellationTokenSource _stopping = new();
    readonly ConcurrentDictionary<byte, PeerLink> _links = new();               // written on the commit loop, but for removals
    readonly ConcurrentDictionary<RpcStream, Task> _accepted = new();           // sessions that a peer has dialled
    Task _dialing = Task.CompletedTask;
    ulong _lastStream;

    public PeerLinks(DatacakeNode node, Replica replica, IStorage storage, CommitLoop loop, AcknowledgementBoard board, ILogger logger)
    {
        _node = node;
        _replica = replica;
        _storage = storage;
        _loop = loop;
        _board = board;
        _logger = logger;
        _pullServer = new PullServer(replica.Catalog, MaxPartLength);
    }

    /// <summary>
    /// Opens sessions from here on. What their messages cause to be sent goes through <see cref="Dispatch"/>, so whoever calls that has to know this
    /// object by now.
    /// </summary>
    public void Start()
    {
        _node.Server.AddService(new SessionService(this));
        _dialing = Task.Run(() => new PeerDialers(_node, DialAsync).RunAsync(_stopping.Token));
    }

    /// <summary>Sends what a committed batch says. Called on the commit loop.</summary>
    public void Dispatch(ReplicaBatch batch)
    {
        if (batch.Mutations.Count > 0)
        {
            foreach (var message in Split(batch.Mutations))
                Broadcast(message);
        }
        foreach (var (peer, session, message) in batch.Outbox)
        {
            foreach (var link in _links.Values)
            {
                if (peer is null || (link.Peer == peer && link.Session == session))
                    link.Post(message);
            }
        }
    }

    /// <summary>Sends a message to all peers. Called on the commit loop.</summary>
    public void Broadcast(ReplicaMessage message)
    {
        foreach (var link in _links.Values)
            link.Post(message);
    }

    public async ValueTask DisposeAsync()
    {
        _node.Server.RemoveService(ServiceName);
        await _stopping.CancelAsync().ConfigureAwait(false);
        await _dialing.ConfigureAwait(false);
        await Task.WhenAll(_accepted.Values).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        _stopping.Dispose();
    }

    /// <summary>Cuts a long list of transactions into messages that fit.</summary>
    static IEnumerable<Mutations> Split(List<Mutation> mutations)
    {
        int start = 0, length = 0;
        for (int i = 0; i < mutations.Count; i++)
        {
            int next = LengthOf(mutations[i]);
            if (i > start && length + next > MaxMutationsLength)
            {
                yield return new Mutations(mutations.GetRange(start, i - start));
                (start, length) = (i, 0);
            }
            length += next;
        }
        yield return new Mutations(start == 0 ? mutations : mutations.GetRange(start, mutations.Count - start));
    }

    static int LengthOf(Mutation mutation)
    {
        int length = 0;
        foreach (var delta in mutation.Deltas)
            length += delta.Document.Encoded.Length + delta.Name.Key.Length + 32;
        return length;
    }

    /// <summary>Opens a session with the node at an address, and returns when it has ended.</summary>
    async Task DialAsync(string address, CancellationToken cancellationToken)
    {
        try
        {
            var stream = await _node.ChannelTo(address).OpenStreamAsync(ServiceName, SessionMessage, cancellationToken: cancellationToken).ConfigureAwait(false);
            await using (stream.ConfigureAwait(false))
                await RunSessionAsync(stream, isDialer: true, cancellationToken).ConfigureAwait(false);
        }
        catch (Exception e)
        {
            // Whatever it is, the peer has to be tried again.
            LogEnd(e, address);
        }
    }

    sealed class SessionService(PeerLinks links) : RpcService
    {
        public override string Name => ServiceName;

        protected override void Register(RpcHandlers handlers) => handlers.HandleStream(SessionMessage, async (stream, cancellationToken) =>
        {
            var session = links.AcceptAsync(stream, cancellationToken);
            links._accepted.TryAdd(stream, session);
            await session.ConfigureAwait(false);
            links._accepted.TryRemove(stream, out _);
        });
    }

    async Task AcceptAsync(RpcStream stream, CancellationToken cancellationToken)
    {
        try
        {
            using var either = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, _stopping.Token);
            await RunSessionAsync(stream, isDialer: false, either.Token).ConfigureAwait(false);
        }
        catch (Exception e)
        {
            LogEnd(e, stream.RemoteAddress);
        }
    }

    async Task RunSessionAsync(RpcStream stream, bool isDialer, CancellationToken cancellationToken)
    {
        try
        {
            if (isDialer)
            {
                var hello = await _loop.RunAsync((_, _) => ValueTask.FromResult(_replica.Hello()), cancellationToken).ConfigureAwait(false);
                await stream.WriteAsync(hello.Encoded, cancellationToken).ConfigureAwait(false);
            }
            var theirs = await ReadHelloAsync(stream, cancellationToken).ConfigureAwait(false);
            var link = new PeerLink(theirs.Node, stream, _logger);
            try
            {
                var refusal = await _loop.RunAsync((batch, _) => ValueTask.FromResult(OpenSession(batch, link, theirs, isDialer)), cancellationToken)
                    .ConfigureAwait(false);
                if (refusal is not null)
                {
                    StoreLog.SessionRefused(_logger, stream.RemoteAddress, refusal.Reason);
                    await stream.WriteAsync(refusal.Encoded, cancellationToken).ConfigureAwait(false);
                    await stream.CompleteAsync(cancellationToken).ConfigureAwait(false);
                    return;
                }
                StoreLog.SessionOpened(_logger, link.Peer, stream.RemoteAddress);
                await ConverseAsync(link, cancellationToken).ConfigureAwait(false);
            }
            finally
            {
                // Also after a cancelled or failed opening, which the replica may have seen nevertheless, or is about to see.
                await CloseSessionAsync(link).ConfigureAwait(false);
            }
        }
        catch (Exception e) when (e is InvalidDataException or ClockDriftException)
        {
            StoreLog.PeerRefused(_logger, e, stream.RemoteAddress);
        }
    }

    async ValueTask<Hello> ReadHelloAsync(RpcStream stream, CancellationToken cancellationToken)
    {
        using var deadline = new CancellationTokenSource(HelloTimeout, _node.TimeProvider);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(deadline.Token, cancellationToken);
        using var payload = await stream.ReadAsync(either.Token).ConfigureAwait(false)
            ?? throw new RpcException(RpcStatus.Connection, $"The peer at {stream.RemoteAddress} ended the session before its hello.");
        return ReplicaMessage.Decode(payload.Memory) switch
        {
            Hello hello => hello,
            Refusal refusal => throw new InvalidDataException($"It refuses the session: {refusal.Reason}."),
            var other => throw new InvalidDataException($"A {other.GetType().Name} came where a hello should."),
        };
    }

    /// <summary>On the commit loop. Why there is no session, or <see langword="null"/>.</summary>
    Refusal? OpenSession(ReplicaBatch batch, PeerLink link, Hello hello, bool isDialer)
    {
        if (_replica.Refuse(hello, isDialer) is { } refusal)
            return refusal;
        if (!isDialer)
            link.Post(_replica.Hello());
        link.Session = _replica.OpenSession(batch, hello, isDialer);
        _links[link.Peer] = link;
        _replica.PullFromNewPeer(batch, link.Peer, hello);
        return null;
    }

    async Task ConverseAsync(PeerLink link, CancellationToken cancellationToken)
    {
        using var over = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        var tasks = new List<Task> { link.SendAsync(over.Token), ReceiveAsync(link, over.Token) };
        try
        {
            await (await Task.WhenAny(tasks).ConfigureAwait(false)).ConfigureAwait(false);
        }
        finally
        {
            await over.CancelAsync().ConfigureAwait(false);
            link.Close();
            _links.TryRemove(new KeyValuePair<byte, PeerLink>(link.Peer, link));
            await Task.WhenAll(tasks).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            StoreLog.SessionClosed(_logger, link.Peer, link.Stream.RemoteAddress, "the connection is gone");
        }
    }

    async ValueTask CloseSessionAsync(PeerLink link)
    {
        bool isClosed = false;
        do
        {
            try
            {
                await _loop.RunAsync((_, _) =>
                {
                    _links.TryRemove(new KeyValuePair<byte, PeerLink>(link.Peer, link));
                    _replica.CloseSession(link.Peer, link.Session);
                    isClosed = true;
                    return ValueTask.FromResult(true);
                }).ConfigureAwait(false);
            }
            catch (ObjectDisposedException)
            {
                return;                                                     // the store is closed, and its sessions with it
            }
            catch (Exception e)
            {
                // The storage refused the batch. The session is closed all the same if the batch got that far.
                StoreLog.SessionClosed(_logger, link.Peer, link.Stream.RemoteAddress, e.Message);
                await Task.Delay(PeerDialers.FirstRetry, _node.TimeProvider, _stopping.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            }
        }
        while (!isClosed && !_stopping.IsCancellationRequested);
    }

    async Task ReceiveAsync(PeerLink link, CancellationToken cancellationToken)
    {
        var answering = Task.CompletedTask;
        var answer = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        try
        {
            while (await link.Stream.ReadAsync(cancellationToken).ConfigureAwait(false) is { } payload)
            {
                ReplicaMessage message;
                int length = payload.Memory.Length;
                using (payload)
                    message = ReplicaMessage.Decode(payload.Memory);
                switch (message)
                {
                    case Acknowledgement acknowledgement:
                        _board.OnAcknowledged(link.Peer, acknowledgement.Applied);
                        break;
                    case Refusal refusal:
                        throw new InvalidDataException($"It refuses the session: {refusal.Reason}.");
                    case PullRequest request:
                        // One answer at a time for each peer: a new request replaces the answer under way.
                        await answer.CancelAsync().ConfigureAwait(false);
                        await answering.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
                        answer.Dispose();
                        answer = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
                        answering = AnswerAsync(link, request, answer.Token);
                        break;
                    default:
                        await HandleAsync(link, message, length, cancellationToken).ConfigureAwait(false);
                        break;
                }
            }
        }
        finally
        {
            await answer.CancelAsync().ConfigureAwait(false);
            await answering.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            answer.Dispose();
        }
    }

    /// <summary>Hands a message to the replica, and waits while too much of the peer waits there already. Faulty ones end the session.</summary>
    async ValueTask HandleAsync(PeerLink link, ReplicaMessage message, int length, CancellationToken cancellationToken)
    {
        var work = new PeerWork(this, link, message, length);
        link.AddUnhandled(length);
        if (!_loop.TryPost(work))
            await _loop.PostAsync(work, cancellationToken).ConfigureAwait(false);
        // What was posted before is done when something is that is posted now.
        if (link.HasTooMuchUnhandled)
            await _loop.RunAsync(static (_, _) => ValueTask.FromResult(true), cancellationToken).ConfigureAwait(false);
        if (link.Failure is { } failure)
            throw new InvalidDataException(failure.Message, failure);
    }

    async Task AnswerAsync(PeerLink link, PullRequest request, CancellationToken cancellationToken)
    {
        if (!_replica.IsJoined)
            return;
        try
        {
            using var snapshot = await _storage.OpenSnapshotAsync(cancellationToken).ConfigureAwait(false);
            ulong stream = Interlocked.Increment(ref _lastStream);
            await foreach (var part in _pullServer.AnswerAsync(snapshot, request, link.Peer < _node.Id, stream, cancellationToken).ConfigureAwait(false))
                await link.Stream.WriteAsync(part.Encoded, cancellationToken).ConfigureAwait(false);
        }
        catch (Exception e) when (!cancellationToken.IsCancellationRequested)
        {
            // The rest of the session goes on; the peer asks again.
            StoreLog.AnswerFailed(_logger, e, link.Peer);
        }
    }

    void LogEnd(Exception failure, string address)
    {
        if (failure is RpcException or OperationCanceledException or ObjectDisposedException)
            StoreLog.SessionClosed(_logger, 0, address, failure.Message);
        else
            StoreLog.SessionFailed(_logger, failure, address);
    }

    /// <summary>A message of a peer on its way through the commit loop.</summary>
    sealed class PeerWork(PeerLinks links, PeerLink link, ReplicaMessage message, int length) : CommitWork
    {
        IReadOnlyList<StampInterval> _applied = [];

        public override async ValueTask ApplyAsync(ReplicaBatch batch, CancellationToken cancellationToken) =>
            _applied = await links._replica.ReceiveAsync(batch, link.Peer, link.Session, message, cancellationToken).ConfigureAwait(false);

        public override void OnCommitted()
        {
            link.AddUnhandled(-length);
            if (_applied.Count > 0)
                link.Acknowledge(_applied);
            if (message is Report report && report.Peers.TryGetValue(link.Peer, out var known))
                links._board.OnAcknowledged(link.Peer, known.Known[links._replica.Node]);
        }

        public override void OnFailed(Exception failure)
        {
            link.AddUnhandled(-length);
            if (failure is InvalidDataException or ClockDriftException)
                link.Fail(failure);
            else if (failure is not ObjectDisposedException)
                StoreLog.MessageDropped(links._logger, failure, message.GetType().Name, link.Peer);
        }
    }
}
