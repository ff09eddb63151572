namespace Datacake.AspNetCore.SignalR;

/// <summary>
/// The number of messages to slow clients that a receiver may leave behind. A single client that does not read then does not hold up the messages to all others, until so many wait that the node runs out
/// of its budget; ASP.NET Core ends the connection of such a client after <c>TransportSendTimeout</c>. Used by one reader; messages are written by any thread.
/// </summary>
sealed class WriteBudget(int limit)
{
    readonly Lock _lock = new();
    int _pending;                                   // this and below: under the lock
    TaskCompletionSource? _room;

    /// <summary>True if there is room for further messages.</summary>
    public bool HasRoom
    {
        get
        {
            lock (_lock)
                return _pending < limit;
        }
    }

    public void Add(Task write)
    {
        if (write.IsCompletedSuccessfully)
            return;
        lock (_lock)
            _pending++;
        _ = FinishAsync(write);
    }

    /// <summary>Waits until there is room for further messages.</summary>
    public Task WaitAsync(CancellationToken cancellationToken)
    {
        lock (_lock)
        {
            if (_pending < limit)
                return Task.CompletedTask;
            _room = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            return _room.Task.WaitAsync(cancellationToken);
        }
    }

    async Task FinishAsync(Task write)
    {
        // A write that fails ends its connection, which is logged there.
        await write.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        TaskCompletionSource? room = null;
        lock (_lock)
        {
            if (--_pending < limit)
                (room, _room) = (_room, null);
        }
        room?.TrySetResult();
    }
}
