using System.Diagnostics.CodeAnalysis;
using Datacake.AspNetCore.Diagnostics;
using Datacake.Rpc;

namespace Datacake.AspNetCore.SignalR;

/// <summary>
/// The way of the messages of one hub to one peer: a queue, and a stream that this node opens again whenever it ends. The peer's replies come back on the same stream. A message is written to a stream
/// once, so that none arrives twice. Thread-safe.
/// </summary>
[SuppressMessage("Design", "CA1001", Justification = "A token source without a timer or a parent holds nothing that needs disposing.")]
sealed class PeerLink
{
    static readonly TimeSpan FirstPause = TimeSpan.FromMilliseconds(20), LongestPause = TimeSpan.FromSeconds(1);

    /// <summary>The time between two log messages about messages that are dropped.</summary>
    static readonly TimeSpan LogInterval = TimeSpan.FromMinutes(1);

    readonly ClusterLinks _owner;
    readonly PeerQueue _queue;
    readonly CancellationTokenSource _stop = new();
    readonly TaskCompletionSource _contact = new(TaskCreationOptions.RunContinuationsAsynchronously);
    readonly Lock _lock = new();
    volatile bool _isAbsent;                    // true while the peer does not have the hub, so that it has no connections; written under the lock
    CancellationTokenSource? _connection;       // this and all fields below: under the lock
    TaskCompletionSource _wake = new(TaskCreationOptions.RunContinuationsAsynchronously);
    string? _instance;
    int _greetings;
    long _dropped;
    long _logged;
    Task _running = Task.CompletedTask;

    public PeerLink(ClusterLinks owner, byte nodeId, string address)
    {
        _owner = owner;
        NodeId = nodeId;
        Address = address;
        _queue = new PeerQueue(owner.Options.MaxQueuedBytes, owner.Options.SendTimeout, owner.Node.TimeProvider);
    }

    public byte NodeId { get; }

    public string Address { get; }

    /// <summary>True if the peer does not have the hub, so that it has no connections.</summary>
    public bool IsAbsent => _isAbsent;

    public long QueuedBytes => _queue.Bytes;

    /// <summary>Gets a task that completes when the peer sends its messages to this node, or is known not to do so: it does not have the hub, or cannot be reached.</summary>
    public Task Contact => _contact.Task;

    public void Start()
    {
        // Otherwise, the link would belong to the trace of the first message.
        using (ExecutionContext.SuppressFlow())
            _running = Task.Run(RunAsync);
    }

    /// <summary>Stops the link. What waits is dropped.</summary>
    /// <param name="reason">The reason, as the end of a sentence.</param>
    public async Task StopAsync(string reason)
    {
        await _stop.CancelAsync().ConfigureAwait(false);
        int dropped = _queue.Close();
        if (dropped > 0)
            _owner.Metrics.OnDropped(dropped, BackplaneMetrics.Gone);
        if (dropped > 0 && !_isAbsent)
            AspNetCoreLog.MessagesOfGonePeer(_owner.Logger, dropped, _owner.Hub, NodeId, reason);
        _owner.OnLost(this, reason);
        _contact.TrySetResult();
        await _running.ConfigureAwait(false);
    }

    /// <summary>Queues an entry, whose bytes are copied before the method returns. Returns false if it was dropped because the peer is slow, which is logged and counted.</summary>
    public ValueTask<bool> SendAsync(ReadOnlySpan<byte> entry, CancellationToken cancellationToken)
    {
        if (_isAbsent)
            return ValueTask.FromResult(true);
        var queued = _queue.AddAsync(entry, cancellationToken);
        if (!queued.IsCompletedSuccessfully)
            return new ValueTask<bool>(WaitAsync(queued));
        bool isQueued = queued.Result;
        if (!isQueued)
            OnDropped();
        return ValueTask.FromResult(isQueued);
    }

    /// <summary>Handles the stream that the peer has opened to this node: it has the hub, and its connections expect messages.</summary>
    /// <param name="instance">Identifies the run of the peer.</param>
    public void OnGreeting(string instance)
    {
        CancellationTokenSource? outdated;
        lock (_lock)
        {
            // A connection to an earlier run may not have noticed its end yet.
            outdated = _instance is not null && _instance != instance ? _connection : null;
            _instance = instance;
            _greetings++;
            _isAbsent = false;
            _wake.TrySetResult();
        }
        outdated?.Cancel();
        _contact.TrySetResult();
    }

    async Task RunAsync()
    {
        var pause = FirstPause;
        while (!_stop.IsCancellationRequested)
        {
            int greetings;
            lock (_lock)
            {
                greetings = _greetings;
                _wake = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            }
            try
            {
                var stream = await _owner.Node.ChannelTo(Address).OpenStreamAsync(_owner.Name, ClusterLinks.Message, new RpcCallOptions { Headers = _owner.Greeting }, _stop.Token)
                    .ConfigureAwait(false);
                pause = FirstPause;
                await using (stream.ConfigureAwait(false))
                    await ServeAsync(stream).ConfigureAwait(false);
            }
            catch (RpcException e) when (e.Status is RpcStatus.UnknownService or RpcStatus.UnknownMessage)
            {
                pause = LongestPause;
                OnAbsent(greetings);
            }
            catch (RpcException e)
            {
                AspNetCoreLog.PeerUnreachable(_owner.Logger, e, NodeId, _owner.Hub);
            }
            catch (Exception e) when (e is OperationCanceledException or ObjectDisposedException)
            {
                // The link or its node stops, or the peer has been restarted.
            }
            _contact.TrySetResult();
            Task wake;
            lock (_lock)
                wake = _wake.Task;
            try
            {
                await wake.WaitAsync(pause, _owner.Node.TimeProvider, _stop.Token).ConfigureAwait(false);
            }
            catch (Exception e) when (e is TimeoutException or OperationCanceledException)
            {
                pause = pause * 2 < LongestPause ? pause * 2 : LongestPause;
            }
        }
    }

    async Task ServeAsync(RpcStream stream)
    {
        using var end = CancellationTokenSource.CreateLinkedTokenSource(_stop.Token);
        lock (_lock)
        {
            _connection = end;
            _isAbsent = false;
        }
        AspNetCoreLog.PeerConnected(_owner.Logger, NodeId, _owner.Hub);
        var reading = ReadAsync(stream, end.Token);
        var writing = WriteAsync(stream, end.Token);
        var first = await Task.WhenAny(reading, writing).ConfigureAwait(false);
        lock (_lock)
            _connection = null;
        await end.CancelAsync().ConfigureAwait(false);
        await Task.WhenAll(reading, writing).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        if (_stop.IsCancellationRequested)
            return;
        _owner.OnLost(this, "lost its connection to this node");
        if (first.Exception?.InnerException is { } failure)
            AspNetCoreLog.PeerLost(_owner.Logger, failure, NodeId, _owner.Hub);
        else
            AspNetCoreLog.PeerEnded(_owner.Logger, NodeId, _owner.Hub);
    }

    async Task ReadAsync(RpcStream stream, CancellationToken cancellationToken)
    {
        while (await stream.ReadAsync(cancellationToken).ConfigureAwait(false) is { } reply)
        {
            using (reply)
                _owner.OnReply(this, reply.Memory);
        }
    }

    async Task WriteAsync(RpcStream stream, CancellationToken cancellationToken)
    {
        while (true)
        {
            var block = await _queue.TakeAsync(cancellationToken).ConfigureAwait(false);
            try
            {
                await stream.WriteAsync(block.Bytes, cancellationToken).ConfigureAwait(false);
                _owner.Metrics.OnSent(block.Messages);
                OnProgress();
            }
            catch (RpcException e) when (e.Status == RpcStatus.LimitExceeded && block.Length > PeerQueue.BlockSize)
            {
                _owner.Metrics.OnDropped(block.Messages, BackplaneMetrics.TooLarge);
                AspNetCoreLog.MessageTooLarge(_owner.Logger, e, block.Length, _owner.Hub, NodeId);
            }
            catch
            {
                _owner.Metrics.OnDropped(block.Messages, BackplaneMetrics.Lost);
                throw;
            }
            finally
            {
                block.Release();
            }
        }
    }

    async Task<bool> WaitAsync(ValueTask<bool> queued)
    {
        bool isQueued = await queued.ConfigureAwait(false);
        if (!isQueued)
            OnDropped();
        return isQueued;
    }

    void OnAbsent(int greetings)
    {
        lock (_lock)
        {
            // The peer may have begun to serve the hub while its refusal was on its way.
            if (_greetings != greetings)
                return;
            _isAbsent = true;
            _queue.Clear();
        }
        _owner.OnAbsent(this);
    }

    void OnDropped()
    {
        if (_stop.IsCancellationRequested)
            return;
        long count;
        lock (_lock)
        {
            count = ++_dropped;
            long now = _owner.Node.TimeProvider.GetTimestamp();
            if (count > 1 && _owner.Node.TimeProvider.GetElapsedTime(_logged, now) < LogInterval)
                count = 0;
            else
                _logged = now;
        }
        _owner.Metrics.OnDropped(1, BackplaneMetrics.Slow);
        if (count > 0)
            AspNetCoreLog.PeerSlow(_owner.Logger, NodeId, _owner.Hub, _owner.Options.SendTimeout, count);
    }

    void OnProgress()
    {
        long dropped;
        lock (_lock)
            (dropped, _dropped) = (_dropped, 0);
        if (dropped > 0)
            AspNetCoreLog.PeerNoLongerSlow(_owner.Logger, NodeId, _owner.Hub, dropped);
    }
}
