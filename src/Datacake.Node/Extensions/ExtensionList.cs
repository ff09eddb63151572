using Microsoft.Extensions.Logging;

namespace Datacake.Node;

/// <summary>What runs on a node, in the order in which it was added, disposed in reverse. Thread-safe.</summary>
sealed class ExtensionList(ILogger logger) : IAsyncDisposable
{
    readonly Lock _lock = new();
    readonly List<object> _extensions = [];
    readonly HashSet<Type> _types = [];
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
        lock (_lock)
        {
            ObjectDisposedException.ThrowIf(_isDisposed, node);
            if (!_types.Add(typeof(T)))
                throw new InvalidOperationException(
                    $"Node {node.Id} has an extension of type {typeof(T).Name} already, or is starting one. "
                    + $"Use that: node.FindExtension<{typeof(T).Name}>().");
        }
        T? started = null;
        var isKept = false;
        try
        {
            started = await extension.StartAsync(node, cancellationToken).ConfigureAwait(false);
        }
        finally
        {
            lock (_lock)
            {
                if (started is null)
                    _types.Remove(typeof(T));
                else if (!_isDisposed)
                    _extensions.Add(started);
                isKept = started is not null && !_isDisposed;
            }
        }
        if (isKept)
            return started;
        await DisposeAsync(started).ConfigureAwait(false);
        throw new ObjectDisposedException(
            nameof(DatacakeNode), $"Node {node.Id} stopped while the extension {typeof(T).Name} was starting.");
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
