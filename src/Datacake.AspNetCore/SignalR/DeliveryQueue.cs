namespace Datacake.AspNetCore.SignalR;

/// <summary>
/// Writes the messages of a hub to its connections, one after another and in the order in which they are added: by the caller if it is alone, otherwise by the thread that is at work. Several threads that
/// wrote to the same connections would wait for each other at each of them. Successive messages for the same connections that wait together are written together. Thread-safe.
/// </summary>
/// <param name="write">Writes a message, and returns the task of the writes that did not complete at once.</param>
sealed class DeliveryQueue(Func<Delivery, Task> write) : IThreadPoolWorkItem
{
    readonly Lock _lock = new();
    List<(Delivery Delivery, TaskCompletionSource Written)> _waiting = [];      // this and below: under the lock
    bool _isBusy;

    /// <summary>
    /// Adds a message that is written later, at the latest after the next call of <see cref="Run"/>. The task completes when it has been written to all connections. Its continuations run on the thread that
    /// writes, and must be short.
    /// </summary>
    public Task AddAsync(in Delivery delivery)
    {
        if (delivery.Connections.Count == 0)
            return Task.CompletedTask;
        var written = new TaskCompletionSource();
        lock (_lock)
            _waiting.Add((delivery, written));
        return written.Task;
    }

    /// <summary>Writes a message, after those that wait. The task completes when it has been written to all connections.</summary>
    public Task WriteAsync(in Delivery delivery)
    {
        if (delivery.Connections.Count == 0)
            return Task.CompletedTask;
        lock (_lock)
        {
            if (_isBusy || _waiting.Count > 0)
            {
                var written = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
                _waiting.Add((delivery, written));
                if (!_isBusy)
                {
                    _isBusy = true;
                    ThreadPool.UnsafeQueueUserWorkItem(this, preferLocal: false);
                }
                return written.Task;
            }
            _isBusy = true;
        }
        Task writing;
        try
        {
            writing = write(delivery);
        }
        finally
        {
            bool hasMore;
            lock (_lock)
                hasMore = _isBusy = _waiting.Count > 0;
            // The caller need not wait for the messages of others.
            if (hasMore)
                ThreadPool.UnsafeQueueUserWorkItem(this, preferLocal: false);
        }
        return writing;
    }

    /// <summary>Writes what waits, unless another thread is at it.</summary>
    public void Run()
    {
        lock (_lock)
        {
            if (_isBusy || _waiting.Count == 0)
                return;
            _isBusy = true;
        }
        Drain();
    }

    void IThreadPoolWorkItem.Execute() => Drain();

    void Drain()
    {
        while (true)
        {
            List<(Delivery Delivery, TaskCompletionSource Written)> batch;
            lock (_lock)
            {
                if (_waiting.Count == 0)
                {
                    _isBusy = false;
                    return;
                }
                (batch, _waiting) = (_waiting, []);
            }
            for (int first = 0, next; first < batch.Count; first = next)
            {
                var together = batch[first].Delivery;
                next = first + 1;
                if (next < batch.Count && together.CanJoin(batch[next].Delivery))
                {
                    int bytes = together.Length;
                    while (next < batch.Count && together.CanJoin(batch[next].Delivery) && (bytes += batch[next].Delivery.Length) <= Delivery.MaxJoined)
                        next++;
                    together = Delivery.Join([.. batch[first..next].Select(static waiting => waiting.Delivery)]);
                }
                _ = WriteTogetherAsync(together, batch[first..next]);
            }
        }
    }

    async Task WriteTogetherAsync(Delivery delivery, List<(Delivery Delivery, TaskCompletionSource Written)> waiting)
    {
        try
        {
            await write(delivery).ConfigureAwait(false);
            foreach (var (_, written) in waiting)
                written.SetResult();
        }
        catch (Exception e)
        {
            foreach (var (_, written) in waiting)
                written.SetException(e);
        }
    }
}
