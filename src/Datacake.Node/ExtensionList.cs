using Datacake.Node.Diagnostics;
using Microsoft.Extensions.Logging;

namespace Datacake.Node;

/// <summary>The extensions of a node, in the order in which they were added. They are disposed in reverse order. Thread-safe.</summary>
sealed class ExtensionList(ILogger logger) : IAsyncDisposable
{
    readonly Lock _lock = new();
    readonly List<object> _extensions = [];
    readonly Dictionary<Type, Task> _starts = [];       // a Task<T> for each type T of an extension that has started or is starting
    bool _isDisposed;

    public T? Find<T>()
        where T : class
    {
        lock (_lock)
            return _extensions.OfType<T>().FirstOrDefault();
    }

    /// <summary>Starts an extension. It starts outside of the lock because it may add other extensions that it needs.</summary>
    public async ValueTask<T> AddAsync<T>(IClusterExtension<T> extension, DatacakeNode node, CancellationToken cancellationToken)
        where T : class
    {
        var start = new TaskCompletionSource<T>(TaskCreationOptions.RunContinuationsAsynchronously);
        lock (_lock)
        {
            ObjectDisposedException.ThrowIf(_isDisposed, node);
            if (!_starts.TryAdd(typeof(T), start.Task))
                throw new InvalidOperationException(
                    $"Node {node.Id} already has an extension of type {typeof(T).Name}, or is starting one. "
                    + $"Use node.FindExtension<{typeof(T).Name}>() to get it.");
        }
        return await StartAsync(extension, node, start, cancellationToken).ConfigureAwait(false);
    }

    /// <summary>
    /// Returns the extension of a type once it has started, and adds it if there is none. Canceling one call does not affect other callers.
    /// </summary>
    public async ValueTask<T> GetOrAddAsync<T>(IClusterExtension<T> extension, DatacakeNode node, CancellationToken cancellationToken)
        where T : class
    {
        var start = new TaskCompletionSource<T>(TaskCreationOptions.RunContinuationsAsynchronously);
        Task? existing = null;
        lock (_lock)
        {
            ObjectDisposedException.ThrowIf(_isDisposed, node);
            if (!_starts.TryAdd(typeof(T), start.Task))
                existing = _starts[typeof(T)];
        }
        var started = (Task<T>?)existing ?? StartAsync(extension, node, start, CancellationToken.None);
        return await started.WaitAsync(cancellationToken).ConfigureAwait(false);
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
                throw new ObjectDisposedException(nameof(DatacakeNode), $"Node {node.Id} was stopped while the extension {typeof(T).Name} was starting.");
            }
            start.SetResult(started);
            return started;
        }
        catch (Exception failure)
        {
            lock (_lock)
                _starts.Remove(typeof(T));
            start.SetException(failure);
            _ = start.Task.Exception;           // marks it as observed, because no other caller may be waiting for the start
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

    /// <summary>
    /// Disposes all extensions, the last added first. Failures are logged and do not prevent the disposal of other extensions.
    /// </summary>
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
