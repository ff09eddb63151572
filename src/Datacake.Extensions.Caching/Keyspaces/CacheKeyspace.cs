using Datacake.EventualConsistency;
using Datacake.Extensions.Caching.Diagnostics;
using Datacake.Node;
using Microsoft.Extensions.Logging;

namespace Datacake.Extensions.Caching.Keyspaces;

/// <summary>The keyspace of a cache: opened at its first use, watched, and limited in its size, until it is disposed. Thread-safe.</summary>
/// <param name="findNode">Finds the node.</param>
/// <param name="options">The settings of the cache.</param>
/// <param name="handlers">The functions that are called with changes; null if there are none.</param>
sealed class CacheKeyspace(Func<DatacakeNode> findNode, DatacakeCacheOptions options, ChangeHandlers? handlers) : IAsyncDisposable
{
    static readonly TimeSpan RetryDelay = TimeSpan.FromSeconds(1);

    readonly Lock _lock = new();
    readonly SemaphoreSlim _opening = new(1);
    readonly CancellationTokenSource _stop = new();
    OpenedKeyspace? _opened;                                // written once, under the semaphore
    TaskCompletionSource _ready = NewReady();               // under the lock; replaced when an attempt failed
    Task _running = Task.CompletedTask;                     // under the lock
    Task _retrying = Task.CompletedTask;                    // under the lock
    Task? _disposing;                                       // under the lock
    volatile bool _hasFailed;                               // the last attempt to open the store; set under the lock
    volatile bool _isDisposed;                              // written under the lock

    /// <summary>Gets the metrics of the cache.</summary>
    public CacheMetrics Metrics { get; } = new(options.Keyspace);

    bool IsWatched => handlers is not null || options.SizeLimit is not null;

    /// <summary>Returns the keyspace. The first call opens the store and, if there are handlers, waits until their start has completed.</summary>
    /// <exception cref="InvalidOperationException">There is no node, or the node has not started.</exception>
    /// <exception cref="TimeoutException">The store has not joined its cluster in time.</exception>
    /// <exception cref="ObjectDisposedException">The cache is disposed, or the store is closed.</exception>
    public ValueTask<OpenedKeyspace> OpenAsync(CancellationToken cancellationToken) => OpenAsync(mayFail: false, cancellationToken);

    ValueTask<OpenedKeyspace> OpenAsync(bool mayFail, CancellationToken cancellationToken)
    {
        if (_isDisposed)
            return ValueTask.FromException<OpenedKeyspace>(Disposed());
        return Volatile.Read(ref _opened) is { } opened && (handlers is null || ReadyTask.IsCompletedSuccessfully)
            ? ValueTask.FromResult(opened)
            : mayFail && _hasFailed ? ValueTask.FromException<OpenedKeyspace>(NotOpen())
            : OpenOnceAsync(mayFail, cancellationToken);
    }

    /// <summary>
    /// Returns the keyspace for a caller that can do without it; null if the store has not joined its cluster or cannot be read. Only the first attempt is waited for. After a failed one, the next
    /// attempts are made in the background.
    /// </summary>
    /// <inheritdoc cref="OpenAsync(CancellationToken)"/>
    public ValueTask<OpenedKeyspace?> TryOpenAsync(CancellationToken cancellationToken)
    {
        var opening = OpenAsync(mayFail: true, cancellationToken);
        return opening.IsCompletedSuccessfully ? ValueTask.FromResult<OpenedKeyspace?>(opening.Result) : new ValueTask<OpenedKeyspace?>(WaitAsync(opening));

        async Task<OpenedKeyspace?> WaitAsync(ValueTask<OpenedKeyspace> opening)
        {
            try
            {
                return await opening.ConfigureAwait(false);
            }
            catch (Exception e) when (e is TimeoutException or Storage.StorageException && !_isDisposed)
            {
                lock (_lock)
                {
                    if (_hasFailed && _opened is null && _retrying.IsCompleted && !_isDisposed)
                        _retrying = Task.Run(RetryAsync, CancellationToken.None);
                    if (!_hasFailed)
                        CachingLog.WithoutStore(findNode().LoggerFactory.CreateLogger("Datacake.Extensions.Caching"), e, options.Keyspace);
                    _hasFailed = true;
                }
                return null;
            }
        }
    }

    public ValueTask DisposeAsync()
    {
        lock (_lock)
        {
            _isDisposed = true;
            return new ValueTask(_disposing ??= StopAsync());
        }
    }

    async Task StopAsync()
    {
        Task running, retrying;
        lock (_lock)
        {
            (running, retrying) = (_running, _retrying);
            Fail(Disposed());
        }
        await _stop.CancelAsync().ConfigureAwait(false);
        await running.ConfigureAwait(false);
        await retrying.ConfigureAwait(false);
        handlers?.OnStop();
        Metrics.Dispose();
    }

    Task ReadyTask
    {
        get
        {
            lock (_lock)
                return _ready.Task;
        }
    }

    /// <summary>Makes another attempt to open the store, whose result the next caller finds.</summary>
    async Task RetryAsync()
    {
        try
        {
            await OpenOnceAsync(mayFail: false, _stop.Token).ConfigureAwait(false);
        }
        catch (Exception)
        {
            // The next caller starts another attempt.
        }
    }

    async ValueTask<OpenedKeyspace> OpenOnceAsync(bool mayFail, CancellationToken cancellationToken)
    {
        OpenedKeyspace? opened;
        await _opening.WaitAsync(cancellationToken).ConfigureAwait(false);
        try
        {
            // A caller before has waited for all that came while it did.
            opened = _opened ?? (mayFail && _hasFailed ? throw NotOpen() : await OpenStoreAsync(cancellationToken).ConfigureAwait(false));
        }
        finally
        {
            _opening.Release();
        }
        if (handlers is not null)
            await ReadyTask.WaitAsync(cancellationToken).ConfigureAwait(false);
        _hasFailed = false;
        return opened;
    }

    async ValueTask<OpenedKeyspace> OpenStoreAsync(CancellationToken cancellationToken)
    {
        var node = findNode();
        var store = await node.OpenStoreAsync(cancellationToken).ConfigureAwait(false);
        var opened = new OpenedKeyspace(node, store, store.Keyspace(options.Keyspace), node.LoggerFactory.CreateLogger("Datacake.Extensions.Caching"), Metrics);
        Metrics.OnOpened(node);
        lock (_lock)
        {
            if (_isDisposed)
                throw Disposed();
            if (IsWatched)
                _running = Task.Run(() => RunAsync(opened, _stop.Token), CancellationToken.None);
        }
        Volatile.Write(ref _opened, opened);
        return opened;
    }

    async Task RunAsync(OpenedKeyspace opened, CancellationToken stopping)
    {
        var size = options.SizeLimit is { } limit ? new KeyspaceSize(opened, limit) : null;
        var limiting = size?.RunAsync(stopping) ?? Task.CompletedTask;
        while (await WatchAsync(opened, size, stopping).ConfigureAwait(false))
        {
            try
            {
                await Task.Delay(RetryDelay, opened.Node.TimeProvider, stopping).ConfigureAwait(false);
            }
            catch (OperationCanceledException)
            {
                break;
            }
        }
        await limiting.ConfigureAwait(false);
    }

    /// <summary>Watches the keyspace until that fails. Returns true if it is to be watched again.</summary>
    async Task<bool> WatchAsync(OpenedKeyspace opened, KeyspaceSize? size, CancellationToken stopping)
    {
        bool isStarted = false;
        try
        {
            await foreach (var changes in opened.Documents.WatchAsync(WatchPosition.Now, stopping).ConfigureAwait(false))
            {
                if (!isStarted || changes.HasGap)
                {
                    size?.Recount();
                    if (handlers is not null)
                        await handlers.OnStart(opened, stopping).ConfigureAwait(false);
                    isStarted = true;
                    lock (_lock)
                        _ready.TrySetResult();
                }
                foreach (var change in changes.Changes)
                {
                    size?.OnChange(change);
                    handlers?.OnChange(change);
                }
            }
            return false;
        }
        catch (Exception) when (stopping.IsCancellationRequested)
        {
            return false;
        }
        catch (Exception e)
        {
            handlers?.OnStop();
            bool isClosed = e is ObjectDisposedException;
            lock (_lock)
            {
                // Callers that wait learn why. Later ones wait for the next attempt, if there is one. Once the cache was ready, nobody waits any longer.
                if (!_isDisposed && Fail(e) && !isClosed)
                    _ready = NewReady();
            }
            if (!isClosed)
                CachingLog.WatchFailed(opened.Logger, e, options.Keyspace, RetryDelay.TotalSeconds);
            return !isClosed;
        }
    }

    /// <summary>Fails those who wait until the cache is ready. Returns false if it is ready.</summary>
    bool Fail(Exception e)
    {
        bool hasFailed = _ready.TrySetException(e);
        // There may be nobody.
        _ = _ready.Task.Exception;
        return hasFailed;
    }

    static TaskCompletionSource NewReady() => new(TaskCreationOptions.RunContinuationsAsynchronously);

    TimeoutException NotOpen() => new($"The store of the cache in keyspace '{options.Keyspace}' could not be opened yet. The cache continues to try that in the background.");

    ObjectDisposedException Disposed() => new(nameof(CacheKeyspace), $"The cache in keyspace '{options.Keyspace}' is disposed. Do not use it after its host has stopped.");
}
