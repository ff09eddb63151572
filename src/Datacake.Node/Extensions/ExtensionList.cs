using Microsoft.Extensions.Logging;

namespace Datacake.Node;

/// <summary>What runs on a node, in the order in which it was added, disposed in reverse. Thread-safe.</summary>
sealed class ExtensionList(ILogger logger) : IAsyncDisposable
{
    readonly Lock _lock = new();
    readonly List<object> _extensions = [];
    readonly Dictionary<Type, Task> _starts = [];       // a Task<T> for each type, of an extension that has started or is starting
    bool _isDisposed;

    public T? Find<T>()
        where T : class
    {
        lock (_lock)
            return _extensions.OfType<T>().FirstOrDefault();
    }

    /// <summary>Starts an extension, outside of the lock: it may add others that it needs.</summary>
    public async ValueTask<T> AddAsync<T>(IClusterExtension<T> extension, DatacakeNode node, CancellationToken cancellationToken)
        where T : class
    {
        var start = new TaskCompletionSource<T>(TaskCreationOptions.RunContinuationsAsynchronously);
        lock (_lock)
        {
            ObjectDisposedException.ThrowIf(_isDisposed, node);
            if (!_starts.TryAdd(typeof(T), start.Task))
                throw new InvalidOperationException(
                    $"Node {node.Id} has an extension of type {typeof(T).Name} already, or is starting one. "
                    + $"Use that: node.FindExtension<{typeof(T).Name}>().");
        }
        return await StartAsync(extension, node, start, cancellationToken).ConfigureAwait(false);
    }

    /// <summary>The extension of a type, once it has started; it is added if there is none. One caller's cancellation is not another's.</summary>
    public async ValueTask<T> GetOrAddAsync<T>(IClusterExtension<T> extension, DatacakeNode node, CancellationToken cancellationToken)
        where T : class
    {
        var start = new TaskCompletionSource<T>(TaskCreationOptions.RunContinuationsAsynchronously);
        Task? under = null;
        lock (_lock)
        {
            ObjectDisposedException.ThrowIf(_isDisposed, node);
            if (!_starts.TryAdd(typeof(T), start.Task))
                under = _starts[typeof(T)];
        }
        var wanted = (Task<T>?)under ?? StartAsync(extension, node, start, CancellationToken.None);
        return await wanted.WaitAsync(cancellationToken).ConfigureAwait(false);
    }

    async Task<T> StartAsync<T>(IClusterExtension<T> extension, DatacakeNode node, TaskCompletionSource<T> start, CancellationToken cancellationToken)
        where T : class
    {
        try
        {
            var started = await extension.StartAsync(node, cancellationToken).ConfigureAwait(false);
            if (!TryKeep(started))
            {
                await DisposeAsync(started).ConfigureAwait(false);
                throw new ObjectDisposedException(nameof(DatacakeNode), $"Node {node.Id} stopped while the extension {typeof(T).Name} was starting.");
            }
            start.SetResult(started);
            return started;
        }
        catch (Exception failure)
        {
            lock (_lock)
                _starts.Remove(typeof(T));
            start.SetException(failure);
            _ = start.Task.Exception;           // who waits for the start sees it; there may be nobody
            throw;
        }
    }

    bool TryKeep(object started)
    {
        lock (_lock)
        {
            if (!_isDisposed)
                _extensions.Add(started);
            return !_isDisposed;
        }
    }

    /// <summary>Disposes all, the last added first. One that fails is logged, and does not keep the others from being disposed.</summary>
    public async ValueTask DisposeAsync()
    {
        object[] extensions;
        lock (_lock)
        {
            _isDisposed = true;
            extensions = [.. _extensions];
            _extensions.Clear();
        }
        foreach (var extension in extensions.Reverse())
            await DisposeAsync(extension).ConfigureAwait(false);
    }

    async ValueTask DisposeAsync(object extension)
    {
        try
        {
            if (extension is IAsyncDisposable disposable)
                await disposable.DisposeAsync().ConfigureAwait(false);
        }
        catch (Exception failure) when (failure is not OutOfMemoryException)
        {
            NodeLog.ExtensionFailed(logger, extension.GetType().Name, failure);
        }
    }
}
