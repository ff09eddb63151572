using Datacake.Rpc.Framing;
using Datacake.Rpc.Logging;

namespace Datacake.Rpc.Server;

/// <summary>
/// The answering side of a connection. It runs handlers on the thread pool, and keeps track of calls and streams in flight.
/// </summary>
sealed class ServerConnection : IFrameSink, IDisposable
{
    /// <summary>The name of unknown services and messages in metrics and traces, because callers can invent any number of names.</summary>
    const string UnknownName = "_unknown";

    /// <summary>The time that a client has to read the last replies and to close the connection.</summary>
    static readonly TimeSpan GraceTime = TimeSpan.FromSeconds(1);

    /// <summary>The maximum number of parked calls that begin at the same time when the client has read its replies.</summary>
    const int CallsAtOnce = 16;

    readonly ServiceTable _services;
    readonly RpcServerOptions _options;
    readonly ServerLog _log;
    readonly DateTimeOffset? _expires;
    readonly string _address;
    readonly ItemPool<ServerCall> _pool;
    readonly DeadlineTimer _deadlines;
    readonly TaskCompletionSource _ended = new(TaskCreationOptions.RunContinuationsAsynchronously);
    readonly Lock _gate = new();
    bool _limitWasLogged;       // Logged once per connection.
    bool _wasAskedToClose;      // Used only by the idle timer.

    // All fields below are under the lock.
    readonly Dictionary<uint, ServerCall> _calls = [];
    bool _wasUsed;              // Since the last check of the idle timer.
    RpcException? _closed;
    bool _isShuttingDown;
    TaskCompletionSource? _allDone;
    readonly List<ServerCall> _parked = [];     // Calls that begin when the client has read more of its replies.
    long _waitingReplies;                       // The size of the replies that wait for room in the send queue, in bytes.

    public ServerConnection(FrameConnection frames, ServiceTable services, RpcServerOptions options, ServerLog log, string address, DateTimeOffset? expires)
    {
        _address = address;
        Frames = frames;
        _services = services;
        _options = options;
        _log = log;
        _expires = expires;
        _pool = new ItemPool<ServerCall>(options.Limits.CallsInFlight, () => new ServerCall(this));
        _deadlines = new DeadlineTimer(options.TimeProvider, Expire);
    }

    public FrameConnection Frames { get; }

    public string RemoteAddress => Frames.RemoteAddress;

    /// <summary>Runs until the connection has ended and every handler has returned or has ignored its token for too long.</summary>
    public async Task RunAsync()
    {
        RpcException reason;
        try
        {
            using (new IdleTimer(_options.TimeProvider, _options.Limits.IdleTime, CheckUse, OnIdle))
            using (new ExpiryTimer(_options.TimeProvider, _expires, () => Frames.Signal(FrameType.Shutdown, 0), Frames.Expire))
                reason = await Frames.RunAsync(this).ConfigureAwait(false);
        }
        catch (Exception error)
        {
            reason = Frames.Fail(this, error);
        }

        _log.ConnectionEnded(RemoteAddress, reason);
        await AllDoneAsync(_options.DrainTimeout).ConfigureAwait(false);
        lock (_gate)
        {
            if (_calls.Count > 0)
                _log.HandlersLeft(RemoteAddress, _calls.Count);
        }
    }

    public void Dispose() => _deadlines.Dispose();

    /// <summary>Refuses new calls, cancels open streams, lets calls finish for a limited time, and ends the connection.</summary>
    public async Task ShutDownAsync()
    {
        lock (_gate)
            _isShuttingDown = true;
        Frames.Signal(FrameType.Shutdown, 0);
        CancelAll(RpcStatus.ShuttingDown, streamsOnly: true);
        if (!await AllDoneAsync(_options.DrainTimeout).ConfigureAwait(false))
        {
            CancelAll(RpcStatus.ShuttingDown, streamsOnly: false);
            await AllDoneAsync(_options.DrainTimeout).ConfigureAwait(false);
        }

        // The client should close first, when it has all of its replies. The server then knows that they were received.
        if (await CompletesWithinAsync(_ended.Task, GraceTime).ConfigureAwait(false))
            return;
        Frames.Finish();
        if (!await CompletesWithinAsync(_ended.Task, GraceTime).ConfigureAwait(false))
            Frames.Abort(new RpcException(RpcStatus.ShuttingDown, "The server has shut down."));
    }

    public void OnMessage(PayloadBuffer message)
    {
        switch (message.Header.Type)
        {
            case FrameType.Request or FrameType.OpenStream:
                Start(message);
                break;
            case FrameType.Message:
                if (FindStream(message.Header.Id) is { } stream)
                    stream.OnMessage(message);
                else
                    message.Release(message.Version);
                break;
            default:
                throw new RpcException(RpcStatus.InvalidPayload, $"a client must not send frames of type {message.Header.Type}.");
        }
    }

    public void OnSignal(FrameHeader frame)
    {
        switch (frame.Type)
        {
            case FrameType.Cancel:
                Cancel(frame.Id);
                break;
            case FrameType.Credit:
                FindStream(frame.Id)?.OnCredit(frame.Value);
                break;
            case FrameType.Complete:
                FindStream(frame.Id)?.OnCompleted(isOver: false);
                break;
            default:
                throw new RpcException(RpcStatus.InvalidPayload, $"a client must not send frames of type {frame.Type}.");
        }
    }

    public void OnRefused(uint id, string reason)
    {
        FindStream(id)?.Fail(new RpcException(RpcStatus.LimitExceeded, reason));
        Refuse(id, RpcStatus.LimitExceeded, reason);
    }

    public void OnClosed(RpcException reason)
    {
        List<RpcStream> streams;
        lock (_gate)
        {
            _closed = reason;
            streams = [.. from call in _calls.Values where call.Stream is not null select call.Stream];
        }

        foreach (var stream in streams)
            stream.Fail(reason);
        CancelAll(RpcStatus.Connection, streamsOnly: false);
        _ended.TrySetResult();
    }

    /// <summary>
    /// Returns true if a call may begin, and parks it otherwise. While the client does not read its waiting replies, no new calls begin. A
    /// parked call begins when some replies have been read, or to report its cancellation.
    /// </summary>
    public bool MayRun(ServerCall call)
    {
        lock (_gate)
        {
            if (_waitingReplies < _options.Limits.BufferedBytes || call.Stream is not null || call.CanceledBy is not null || _closed is not null)
                return true;
            _parked.Add(call);
            return false;
        }
    }

    /// <summary>Returns true if a call was canceled before it began.</summary>
    public bool IsCanceled(ServerCall call)
    {
        lock (_gate)
            return call.CanceledBy is not null;
    }

    /// <summary>
    /// Adds the size of a reply that begins to wait, or subtracts it (as a negative number) when the reply no longer waits.
    /// </summary>
    public void AddWaitingReply(int bytes)
    {
        List<ServerCall> ready;
        lock (_gate)
        {
            _waitingReplies += bytes;
            ready = TakeReady();
        }

        Begin(ready);
    }

    // Under the lock. Removes the parked calls that were canceled, and some that may begin now. When those end, they let the next ones begin.
    List<ServerCall> TakeReady()
    {
        if (_parked.Count == 0)
            return [];
        var ready = _parked.FindAll(static call => call.CanceledBy is not null);
        if (ready.Count > 0)
            _parked.RemoveAll(static call => call.CanceledBy is not null);
        if (_closed is null && _waitingReplies >= _options.Limits.BufferedBytes)
            return ready;
        var count = Math.Min(_parked.Count, CallsAtOnce);
        ready.AddRange(_parked[..count]);
        _parked.RemoveRange(0, count);
        return ready;
    }

    static void Begin(List<ServerCall> calls)
    {
        foreach (var call in calls)
            ThreadPool.UnsafeQueueUserWorkItem(call, preferLocal: false);
    }

    public void Forget(ServerCall call)
    {
        TaskCompletionSource? allDone = null;
        List<ServerCall> ready;
        lock (_gate)
        {
            _calls.Remove(call.Id);
            if (_calls.Count == 0)
                (allDone, _allDone) = (_allDone, null);
            ready = TakeReady();
        }

        Begin(ready);
        call.Reset();
        _pool.Return(call);
        allDone?.TrySetResult();
    }

    public RpcException UnknownRoute(PayloadBuffer message, bool isStream)
    {
        var route = message.Meta[..Route.Measure(message.Meta)];
        var (service, name) = Route.Decode(route);
        if (!_services.HasService(service))
            return new RpcException(RpcStatus.UnknownService, $"There is no service '{service}' here.");
        if (_services.Find(route) is not null)
        {
            var mismatch = isStream ? "accepts calls, not streams" : "accepts streams, not calls";
            return new RpcException(RpcStatus.UnknownMessage, $"The message '{name}' of the service '{service}' {mismatch}.");
        }

        return new RpcException(RpcStatus.UnknownMessage, $"The service '{service}' has no message '{name}'.");
    }

    public CallObservation Observe(HandlerEntry? entry, RpcHeaders headers) => CallObservation.OfServer(
        entry?.Service ?? UnknownName, entry?.Message ?? UnknownName, _address, headers, _options.TimeProvider);

    /// <summary>Sends a failure to the caller, and returns the status that was sent.</summary>
    public RpcStatus SendFailure(ServerCall call, Exception error)
    {
        RpcStatus? canceledBy;
        lock (_gate)
            canceledBy = call.CanceledBy;
        var failure = error switch
        {
            RpcException rpc => rpc,
            OperationCanceledException when canceledBy is { } status => new RpcException(status, "The call was canceled."),
            _ => new RpcException(RpcStatus.Internal, $"The handler failed: {MessageOf(error)}", error),
        };
        if (failure.Status == RpcStatus.Internal)
            _log.HandlerFailed(RemoteAddress, call.Handler, error);
        call.Stream?.Fail(failure);
        Frames.SendError(call.Id, failure.Status, failure.Message);
        return failure.Status;
    }

    // The Message property of an exception can be application code, which may throw.
    static string MessageOf(Exception error)
    {
        try
        {
            return error.Message;
        }
        catch (Exception)
        {
            return error.GetType().Name;
        }
    }

    void Start(PayloadBuffer message)
    {
        var header = message.Header;
        var routeLength = Route.Measure(message.Meta);
        if (routeLength == 0)
            throw new RpcException(RpcStatus.InvalidPayload, "a call has no valid route.");
        if (!RpcHeaders.IsReadable(message.Meta[routeLength..]))
            throw new RpcException(RpcStatus.InvalidPayload, "a call has malformed headers.");
        var isStream = header.Type == FrameType.OpenStream;
        var entry = _services.Find(message.Meta[..routeLength]);
        if (entry?.IsStream != isStream)
            entry = null;

        var call = _pool.Rent();
        call.Start(message, entry, isStream ? NewStream(message) : null);
        if (TryRegister(call, header.Value) is not { } refusal)
        {
            ThreadPool.UnsafeQueueUserWorkItem(call, preferLocal: false);
            return;
        }

        call.Reset();
        _pool.Return(call);
        Telemetry.CallEnded(
            Telemetry.ServerSide, entry?.Service ?? UnknownName, entry?.Message ?? UnknownName, refusal, TimeSpan.Zero);
        Refuse(header.Id, refusal, refusal == RpcStatus.LimitExceeded
            ? $"{_options.Limits.CallsInFlight} calls on this connection are already in flight (CallsInFlight)."
            : "The server is shutting down.");
    }

    RpcStream NewStream(PayloadBuffer opening)
    {
        var headers = opening.GetHeaders(opening.Version);
        return new RpcStream(Frames, opening.Header.Id, _options.Limits.StreamWindow, headers, forget: null);
    }

    /// <summary>Adds a call to the table. Returns the reason if it is refused, or null.</summary>
    RpcStatus? TryRegister(ServerCall call, uint timeLimitMs)
    {
        lock (_gate)
        {
            if (_isShuttingDown || _closed is not null)
                return RpcStatus.ShuttingDown;
            // The caller respects the limit from its own point of view. Calls that it has canceled, or whose reply it has received, may not
            // have ended here yet. Therefore, twice the limit is allowed.
            if (_calls.Count >= 2L * _options.Limits.CallsInFlight)
                return RpcStatus.LimitExceeded;
            if (!_calls.TryAdd(call.Id, call))
                throw new RpcException(RpcStatus.InvalidPayload, $"the call id {call.Id} is already in use.");
            _wasUsed = true;
            if (timeLimitMs > 0)
            {
                call.Due = _deadlines.After(TimeSpan.FromMilliseconds(timeLimitMs));
                _deadlines.Arm(call.Due);
            }

            return null;
        }
    }

    // Returns whether the connection is in use or was used since the last call, and resets the flag.
    bool CheckUse()
    {
        lock (_gate)
        {
            var isUsed = _wasUsed || _calls.Count > 0;
            _wasUsed = false;
            return isUsed;
        }
    }

    // A client that is asked to close does so as soon as it has nothing in flight. Calls until then are answered.
    void OnIdle()
    {
        if (_wasAskedToClose)
        {
            Frames.Abort(new RpcException(
                RpcStatus.LimitExceeded,
                $"{RemoteAddress} has made no calls for {_options.Limits.IdleTime} (IdleTime), and did not close the connection when asked to."));
            return;
        }

        _wasAskedToClose = true;
        Frames.Signal(FrameType.Shutdown, 0);
    }

    void Refuse(uint id, RpcStatus status, string reason)
    {
        if (status == RpcStatus.LimitExceeded && !Interlocked.Exchange(ref _limitWasLogged, true))
            _log.LimitExceeded(RemoteAddress, reason);
        Frames.SendError(id, status, reason);
    }

    RpcStream? FindStream(uint id)
    {
        lock (_gate)
            return _calls.TryGetValue(id, out var call) ? call.Stream : null;
    }

    void Cancel(uint id)
    {
        CancellationTokenSource? cancellation = null;
        RpcStream? stream = null;
        List<ServerCall> ready;
        lock (_gate)
        {
            if (_calls.TryGetValue(id, out var call))
                (cancellation, stream) = (call.MarkCanceled(RpcStatus.Canceled), call.Stream);
            ready = TakeReady();
        }

        Begin(ready);

        stream?.Fail(new RpcException(RpcStatus.Canceled, $"{RemoteAddress} has canceled the stream."));
        Fire(cancellation);
    }

    void CancelAll(RpcStatus reason, bool streamsOnly)
    {
        List<CancellationTokenSource?> cancellations;
        List<ServerCall> ready;
        lock (_gate)
        {
            cancellations = [.. from call in _calls.Values where !streamsOnly || call.Stream is not null select call.MarkCanceled(reason)];
            ready = TakeReady();
        }

        Begin(ready);
        foreach (var cancellation in cancellations)
            Fire(cancellation);
    }

    void Expire()
    {
        var expired = new List<CancellationTokenSource?>();
        List<ServerCall> ready;
        lock (_gate)
        {
            _deadlines.Disarm();
            var now = _deadlines.Now;
            foreach (var call in _calls.Values)
            {
                if (call.CanceledBy is not null)
                    continue;
                if (call.Due <= now)
                    expired.Add(call.MarkCanceled(RpcStatus.Timeout));
                else
                    _deadlines.Arm(call.Due);
            }

            ready = TakeReady();
        }

        Begin(ready);
        foreach (var cancellation in expired)
            Fire(cancellation);
    }

    // The callbacks are user code. They run on the thread pool, not on the thread that reads the connection.
    void Fire(CancellationTokenSource? cancellation)
    {
        if (cancellation is not null)
            _ = FireAsync(cancellation);
    }

    async Task FireAsync(CancellationTokenSource cancellation)
    {
        try
        {
            await cancellation.CancelAsync().ConfigureAwait(false);
        }
        catch (Exception error)
        {
            _log.HandlerFailed(RemoteAddress, "cancellation callback", error);
        }
    }

    /// <summary>Waits until nothing is in flight. Returns false if that takes longer than the limit.</summary>
    async Task<bool> AllDoneAsync(TimeSpan limit)
    {
        Task done;
        lock (_gate)
        {
            if (_calls.Count == 0)
                return true;
            _allDone ??= new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            done = _allDone.Task;
        }

        return await CompletesWithinAsync(done, limit).ConfigureAwait(false);
    }

    async Task<bool> CompletesWithinAsync(Task task, TimeSpan limit)
    {
        try
        {
            await task.WaitAsync(limit, _options.TimeProvider).ConfigureAwait(false);
            return true;
        }
        catch (TimeoutException)
        {
            return false;
        }
    }
}
