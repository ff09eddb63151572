using Datacake.Crdt;
using Datacake.EventualConsistency.Diagnostics;
using Datacake.EventualConsistency.Layout;
using Datacake.EventualConsistency.Links;
using Datacake.EventualConsistency.Replication;
using Datacake.EventualConsistency.Replication.Messages;
using Datacake.Storage;

namespace Datacake.EventualConsistency.Following;

/// <summary>
/// The changes of a member's store, as a sequence of differences that all followers of the same keyspaces share: each is read from the store and encoded once,
/// however many followers there are. The feed runs while it has subscribers, and remembers a bounded number of bytes. A follower that falls further behind is sent a
/// difference of its own, and continues with the feed. Thread-safe.
/// </summary>
/// <remarks>
/// A subscriber takes the position of the feed first, and reads its own difference from a snapshot that is opened afterwards. So that snapshot knows everything that the
/// feed has passed, and nothing is left out between the two. The steps that lead to no more than that snapshot are skipped (<see cref="FeedStep.IsNewTo"/>).
/// See PROTOCOL.md: feed.
/// </remarks>
sealed class FollowerFeed : IDisposable
{
    const long MaxLength = 16 * 1024 * 1024;
    const int MaxSteps = 1_024;

    /// <summary>The shortest time between two differences. Many small commits then share the cost of one.</summary>
    static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(10);

    static readonly TimeSpan Retry = TimeSpan.FromSeconds(1);

    readonly SessionContext _context;
    readonly PullServer _server;
    readonly WakeUp _news;
    readonly SemaphoreSlim _starting = new(1);
    readonly Lock _lock = new();
    readonly FeedStep?[] _steps = new FeedStep?[MaxSteps];  // each at its position modulo the length; under the lock
    long _first;                                            // the position of the first step that is remembered; under the lock
    long _next;                                             // the position after the last one; under the lock
    long _length;                                           // of all that are remembered, in bytes; under the lock
    TaskCompletionSource _grown = NewSignal();              // under the lock
    int _subscribers;                                       // changed within the semaphore
    VersionVector _known = VersionVector.Empty;             // the state that the last step leads to; used by the running task
    volatile SourceState? _state;                           // what the member has said last; null before the first subscriber
    CancellationTokenSource? _stopping;                     // within the semaphore
    Task _running = Task.CompletedTask;                     // within the semaphore

    /// <summary>Creates a feed.</summary>
    /// <param name="context">The parts of the store.</param>
    /// <param name="keyspaces">The keyspaces that are followed; null for all.</param>
    public FollowerFeed(SessionContext context, IReadOnlySet<string>? keyspaces)
    {
        _context = context;
        Keyspaces = keyspaces;
        _news = new WakeUp(context.Node.TimeProvider);
        _server = NewServer();
    }

    /// <summary>Gets the keyspaces that are followed; null for all.</summary>
    public IReadOnlySet<string>? Keyspaces { get; }

    /// <summary>Gets the position after the last step.</summary>
    public long Position
    {
        get
        {
            lock (_lock)
                return _next;
        }
    }

    /// <summary>Gets what the member says to its followers as a sign of life. It has at least one subscriber.</summary>
    public SourceState State => _state!;

    /// <summary>Creates a server for the own difference of a follower.</summary>
    public PullServer NewServer() => new(_context.Replica.Catalog, PullResponder.MaxPartLength, Keyspaces);

    /// <summary>Notes that the store has changed.</summary>
    public void OnCommitted() => _news.Call();

    /// <summary>Adds a subscriber, for which the feed starts to run if it is the first.</summary>
    public async ValueTask SubscribeAsync(CancellationToken cancellationToken)
    {
        await _starting.WaitAsync(cancellationToken).ConfigureAwait(false);
        try
        {
            if (_subscribers == 0)
            {
                using var snapshot = await _context.Storage.OpenSnapshotAsync(cancellationToken).ConfigureAwait(false);
                var state = await Replica.ReadStateAsync(snapshot, cancellationToken).ConfigureAwait(false);
                _known = state.Known;
                _state = await SayAsync(snapshot, state, cancellationToken).ConfigureAwait(false);
                _stopping = CancellationTokenSource.CreateLinkedTokenSource(_context.Stopping);
                var token = _stopping.Token;
                _running = Task.Run(() => RunAsync(token), CancellationToken.None);
            }
            _subscribers++;
        }
        finally
        {
            _starting.Release();
        }
    }

    /// <summary>Removes a subscriber.</summary>
    public async ValueTask UnsubscribeAsync()
    {
        await _starting.WaitAsync().ConfigureAwait(false);
        try
        {
            if (--_subscribers > 0)
                return;
            await _stopping!.CancelAsync().ConfigureAwait(false);
            await _running.ConfigureAwait(false);
            _stopping.Dispose();
            _stopping = null;
            Forget();
        }
        finally
        {
            _starting.Release();
        }
    }

    /// <summary>Returns the step at a position, or waits for it, for at most the given time.</summary>
    /// <returns>
    /// The step; null if there was none in time. The second value is true if the feed has forgotten the step, so that the follower needs a difference of its own.
    /// </returns>
    public async ValueTask<(FeedStep? Step, bool IsForgotten)> ReadAsync(long position, TimeSpan atMost, CancellationToken cancellationToken)
    {
        Task grown;
        lock (_lock)
        {
            if (TryRead(position, out var found))
                return found;
            grown = _grown.Task;
        }
        try
        {
            await grown.WaitAsync(atMost, _context.Node.TimeProvider, cancellationToken).ConfigureAwait(false);
        }
        catch (TimeoutException)
        {
            return (null, false);
        }
        lock (_lock)
            return TryRead(position, out var found) ? found : (null, false);
    }

    /// <summary>Releases the feed. It must have no subscribers.</summary>
    public void Dispose()
    {
        _starting.Dispose();
        _stopping?.Dispose();
    }

    bool TryRead(long position, out (FeedStep? Step, bool IsForgotten) found)
    {
        found = position < _first ? (null, true) : position < _next ? (_steps[position % MaxSteps], false) : default;
        return position < _next;
    }

    async Task RunAsync(CancellationToken cancellationToken)
    {
        bool hasFailed = false;
        while (!cancellationToken.IsCancellationRequested)
        {
            try
            {
                await _news.WaitAsync(null, cancellationToken).ConfigureAwait(false);
                await StepAsync(cancellationToken).ConfigureAwait(false);
                hasFailed = false;
                await Task.Delay(Pause, _context.Node.TimeProvider, cancellationToken).ConfigureAwait(false);
            }
            catch (Exception) when (cancellationToken.IsCancellationRequested)
            {
                return;
            }
            catch (Exception e)
            {
                if (!hasFailed)
                    StoreLog.FeedFailed(_context.Logger, e, _context.Node.Id);
                hasFailed = true;
                _news.Call();
                await Task.Delay(Retry, _context.Node.TimeProvider, cancellationToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            }
        }
    }

    /// <summary>Adds the difference between the state that the last step leads to and the present one.</summary>
    async ValueTask StepAsync(CancellationToken cancellationToken)
    {
        // A record that was repaired from other members may show more than this store claims.
        if (!FollowerSession.CanServe(_context))
            return;
        using var snapshot = new YieldingSnapshot(await _context.Storage.OpenSnapshotAsync(cancellationToken).ConfigureAwait(false));
        var state = await Replica.ReadStateAsync(snapshot, cancellationToken).ConfigureAwait(false);
        if (!state.Known.Equals(_known) || !state.Truncated.Equals(State.Truncated))
            _state = await SayAsync(snapshot, state, cancellationToken).ConfigureAwait(false);
        if (state.Known.Equals(_known))
            return;
        if (!_known.Covers(state.Truncated))
        {
            // The feed was held up for so long that the log is gone. Its followers need differences of their own.
            Forget();
            _known = state.Known;
            return;
        }
        var messages = new List<byte[]>();
        long length = 0;
        var request = new PullRequest(Pull: 0, _known, VersionVector.Empty, IsJoining: false);
        await foreach (var part in _server.AnswerAsync(snapshot, request, isOfLower: false, stream: 0, cancellationToken).ConfigureAwait(false))
        {
            messages.Add(part.Encoded);
            length += part.Encoded.Length;
            if (length <= MaxLength)
                continue;
            // More than the feed remembers. The followers are sent differences of their own, part by part.
            Forget();
            _known = state.Known;
            return;
        }
        _known = state.Known;
        Add(new FeedStep(messages, state.Known));
    }

    async ValueTask<SourceState> SayAsync(IStorageSnapshot snapshot, ReplicaState state, CancellationToken cancellationToken)
    {
        var replica = _context.Replica;
        return new SourceState(
            replica.Protocol, replica.Identity.Cluster, replica.Node, replica.Identity.StoreId, state.Known, state.Truncated,
            await _server.FingerprintAsync(snapshot, cancellationToken).ConfigureAwait(false));
    }

    void Add(FeedStep step)
    {
        TaskCompletionSource grown;
        lock (_lock)
        {
            if (_next - _first == MaxSteps)
                Drop();
            _steps[_next++ % MaxSteps] = step;
            _length += step.Length;
            while (_length > MaxLength)
                Drop();
            (grown, _grown) = (_grown, NewSignal());
        }
        grown.SetResult();
    }

    /// <summary>Drops the first step. Called under the lock.</summary>
    void Drop()
    {
        ref var step = ref _steps[_first++ % MaxSteps];
        _length -= step!.Length;
        step = null;
    }

    /// <summary>Forgets all steps, and takes a position that none of the followers has.</summary>
    void Forget()
    {
        TaskCompletionSource grown;
        lock (_lock)
        {
            while (_first < _next)
                Drop();
            _first = ++_next;
            (grown, _grown) = (_grown, NewSignal());
        }
        grown.SetResult();
    }

    static TaskCompletionSource NewSignal() => new(TaskCreationOptions.RunContinuationsAsynchronously);
}
