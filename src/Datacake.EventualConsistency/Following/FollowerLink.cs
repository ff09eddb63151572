using Datacake.Crdt;
using Datacake.EventualConsistency.Diagnostics;
using Datacake.EventualConsistency.Links;
using Datacake.EventualConsistency.Replication.Messages;
using Datacake.Node;
using Datacake.Rpc;
using Datacake.Storage;
using Microsoft.Extensions.Logging;

namespace Datacake.EventualConsistency.Following;

/// <summary>
/// The connection of a follower to one member at a time, and to another one if it fails [R21]. The follower dials, so it may be behind a NAT. Thread-safe.
/// </summary>
/// <remarks>See PROTOCOL.md: source.</remarks>
sealed class FollowerLink : IAsyncDisposable
{
    static readonly TimeSpan OpenTimeout = TimeSpan.FromSeconds(5);
    static readonly TimeSpan FirstRetry = TimeSpan.FromMilliseconds(50);
    static readonly TimeSpan LastRetry = TimeSpan.FromSeconds(5);

    /// <summary>The silence after which a source counts as gone.</summary>
    static readonly TimeSpan MaxSilence = FollowerSession.Heartbeat * 5;

    /// <summary>The duration from which on a connection counts as a success, so that the next one is tried at once.</summary>
    static readonly TimeSpan ShortConnection = TimeSpan.FromSeconds(5);

    const long MaxUnhandledBytes = 4 * 1024 * 1024;

    readonly SessionContext _context;
    readonly string[] _addresses;
    readonly Random _random = new();                        // spreads followers over the members, and their attempts over time
    readonly CancellationTokenSource _stopping;
    readonly Task _running;
    volatile FollowStatus _status;
    volatile bool _isReported;                              // the failure was logged
    int _next;                                              // the next source, counted up
    long _current;                                          // the timestamp of the last state of a source of which the store had everything; 0 for none

    /// <summary>Starts to follow.</summary>
    /// <param name="context">The parts of the store.</param>
    /// <param name="addresses">The addresses of the members to follow; if there are none, the nodes that hold the store, according to gossip.</param>
    public FollowerLink(SessionContext context, IEnumerable<string> addresses)
    {
        _context = context;
        _addresses = [.. addresses];
        _next = _random.Next(1 << 16);
        _status = new FollowStatus(false, null, null, Now, "it has not reached a member yet");
        _stopping = CancellationTokenSource.CreateLinkedTokenSource(context.Stopping);
        _running = Task.Run(RunAsync);
    }

    public FollowStatus Status => _status with { Behind = Volatile.Read(ref _current) is > 0 and var current ? _context.Node.TimeProvider.GetElapsedTime(current) : null };

    DateTimeOffset Now => _context.Node.TimeProvider.GetUtcNow();

    public async ValueTask DisposeAsync()
    {
        await _stopping.CancelAsync().ConfigureAwait(false);
        await _running.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        _stopping.Dispose();
    }

    /// <summary>Returns the addresses of the members that can be asked, the current source first.</summary>
    public IReadOnlyList<string> Sources()
    {
        string[] all = _addresses.Length > 0 ? _addresses
            : [.. _context.Host.Members.Where(member => member.IsUp && member.NodeId != _context.Node.Id).OrderBy(static member => member.NodeId).Select(static member => member.Address)];
        // The nodes of the same data center, if gossip tells which they are, come before the others.
        var near = _addresses.Length > 0 ? [] : _context.Host.Members.Where(member => member.DataCenter == _context.Node.DataCenter).Select(static member => member.Address).ToHashSet();
        string? current = _status is { IsConnected: true } status ? status.Address : null;
        return [.. all.OrderByDescending(address => address == current).ThenByDescending(near.Contains)];
    }

    async Task RunAsync()
    {
        int failures = 0;
        while (true)
        {
            var sources = Sources();
            if (sources.Count == 0)
            {
                OnFailed("no node is up that is known to hold the store");
                await PauseAsync(++failures).ConfigureAwait(false);
                continue;
            }
            // Takes turns, so that a source that is up but cannot serve does not hold the follower.
            string address = sources[_next % sources.Count];
            long started = _context.Node.TimeProvider.GetTimestamp();
            string failure = await FollowAsync(address).ConfigureAwait(false);
            _stopping.Token.ThrowIfCancellationRequested();
            OnFailed(failure.Contains(address, StringComparison.Ordinal) ? failure : $"{address}: {failure}");
            bool hasLasted = _context.Node.TimeProvider.GetElapsedTime(started) > ShortConnection;
            failures = hasLasted ? 0 : failures + 1;
            _next++;
            // Each source is tried once without a pause.
            if (failures >= sources.Count)
                await PauseAsync(failures - sources.Count + 1).ConfigureAwait(false);
        }
    }

    Task PauseAsync(int failures)
    {
        var pause = TimeSpan.FromTicks(Math.Min(FirstRetry.Ticks << Math.Min(failures, 10), LastRetry.Ticks));
        return Task.Delay(pause * (1 - _random.NextDouble() / 2), _context.Node.TimeProvider, _stopping.Token);
    }

    /// <summary>Follows a member until the connection ends, and returns the reason for that, as a clause.</summary>
    async Task<string> FollowAsync(string address)
    {
        ulong connection = 0;
        try
        {
            if (await _context.Loop.RunInReserveAsync(
                (_, _) => ValueTask.FromResult(_context.Replica.MustFinishBeforeFollowing ? default : _context.Replica.BeginFollowing()), _stopping.Token).ConfigureAwait(false)
                is not (_, { } request) begun)
            {
                return "an earlier snapshot is being finished, or cleared away";
            }
            connection = begun.Connection;
            var stream = await _context.Node.ChannelTo(address)
                .OpenStreamAsync(FollowerService.NameFor(_context.Host), FollowerService.FollowMessage, new RpcCallOptions { Timeout = OpenTimeout }, _stopping.Token).ConfigureAwait(false);
            await using (stream.ConfigureAwait(false))
            {
                await new LaneWriter(stream, MessageLane.Short).WriteAsync(request.Encoded, _stopping.Token).ConfigureAwait(false);
                return await ReceiveAsync(stream, connection, address).ConfigureAwait(false);
            }
        }
        catch (Exception e) when (e is RpcException or OperationCanceledException or ObjectDisposedException)
        {
            return e.Message.TrimEnd('.');
        }
        catch (Exception e) when (e is InvalidDataException or StorageException)
        {
            StoreLog.MessageDropped(_context.Logger, e, nameof(SourceState), _status.NodeId ?? 0);
            return e.Message.TrimEnd('.');
        }
        catch (Exception e)
        {
            // The member must be dialed again, whatever the failure is.
            return e.Message.TrimEnd('.');
        }
        finally
        {
            await EndAsync(connection).ConfigureAwait(false);
        }
    }

    async ValueTask EndAsync(ulong connection)
    {
        try
        {
            await _context.Loop.RunInReserveAsync((_, _) =>
            {
                _context.Replica.EndFollowing(connection);
                return ValueTask.FromResult(true);
            }).ConfigureAwait(false);
        }
        catch (Exception)
        {
            // The store is closing, or its storage refuses a batch, which is logged. The next connection ends this one.
        }
    }

    async Task<string> ReceiveAsync(RpcStream stream, ulong connection, string address)
    {
        SourceState? source = null;
        var assembler = new MessageAssembler();
        long unhandled = 0;
        Exception? failure = null;
        using var over = CancellationTokenSource.CreateLinkedTokenSource(_stopping.Token);
        while (true)
        {
            var message = await ReadAsync(stream, assembler, over.Token).ConfigureAwait(false);
            if (Volatile.Read(ref failure) is { } failed)
                return failed.Message.TrimEnd('.');
            if (message is not var (read, length))
                return "the member closed the connection";
            switch (read)
            {
                case Refusal refusal:
                    return refusal.Reason;
                case PullDeclined:
                    await _context.Loop.RunInReserveAsync((_, _) =>
                    {
                        _context.Replica.OnSourceLacksDiscarded();
                        return ValueTask.FromResult(true);
                    }, over.Token).ConfigureAwait(false);
                    return "the member lacks something that this store has already discarded, or cannot serve at present";
                case SourceState state when source is null:
                    if (_context.Replica.Protocol.With(state.Protocol) is null)
                        return $"node {state.Node} speaks {state.Protocol} of the replication protocol, and this store speaks {_context.Replica.Protocol}";
                    source = state;
                    _status = new FollowStatus(true, state.Node, address, Now, null);
                    _isReported = false;
                    StoreLog.Follows(_context.Logger, _context.Host.Noun, state.Node, address);
                    break;
                case not SourceState when source is null:
                    return $"the first message of the member is a {read.GetType().Name}";
            }
            Interlocked.Add(ref unhandled, length);
            long received = _context.Node.TimeProvider.GetTimestamp();
            var work = new FollowWork(_context.Replica, connection, source!, read, error =>
            {
                Interlocked.Add(ref unhandled, -length);
                if (error is null)
                {
                    if (read is SourceState told && _context.Replica.State.Known.Covers(told.Known))
                        Volatile.Write(ref _current, received);
                    return;
                }
                Interlocked.CompareExchange(ref failure, error, null);
                Cancel(over);
            });
            if (!_context.Loop.TryPost(work))
                await _context.Loop.PostAsync(work, over.Token).ConfigureAwait(false);
            // Work is done in order: once work that is posted here is done, so is all earlier work.
            if (Interlocked.Read(ref unhandled) > MaxUnhandledBytes)
                await _context.Loop.RunInReserveAsync(static (_, _) => ValueTask.FromResult(true), over.Token).ConfigureAwait(false);
        }
    }

    /// <summary>Reads the next message; null at the end of the stream.</summary>
    /// <exception cref="RpcException">The stream is broken, or nothing has come for a long time.</exception>
    async ValueTask<(ReplicaMessage Message, int Length)?> ReadAsync(RpcStream stream, MessageAssembler assembler, CancellationToken cancellationToken)
    {
        using var silence = new CancellationTokenSource(MaxSilence, _context.Node.TimeProvider);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(silence.Token, cancellationToken);
        try
        {
            while (await stream.ReadAsync(either.Token).ConfigureAwait(false) is { } payload)
            {
                using (payload)
                {
                    assembler.Take(payload.Memory, out var bytes);
                    if (bytes.IsEmpty)
                        silence.CancelAfter(MaxSilence);
                    else if (ReplicaMessage.TryDecode(bytes, out _) is { } message)
                        return (message, bytes.Length);
                }
            }
            return null;
        }
        catch (OperationCanceledException) when (silence.IsCancellationRequested && !cancellationToken.IsCancellationRequested)
        {
            throw new RpcException(RpcStatus.Timeout, $"The member was silent for {MaxSilence.TotalSeconds:0} s.");
        }
    }

    /// <summary>Ends the reading, which may be over already, without running it on the commit loop.</summary>
    static void Cancel(CancellationTokenSource over)
    {
        try
        {
            _ = over.CancelAsync();
        }
        catch (ObjectDisposedException)
        {
            // An earlier failure has ended it.
        }
    }

    void OnFailed(string failure)
    {
        var before = _status;
        _status = before with { IsConnected = false, Since = before.IsConnected ? Now : before.Since, Failure = failure };
        if (_isReported || _stopping.IsCancellationRequested)
            return;
        _isReported = true;
        StoreLog.FollowsNobody(_context.Logger, _context.Host.Noun, failure);
    }
}
