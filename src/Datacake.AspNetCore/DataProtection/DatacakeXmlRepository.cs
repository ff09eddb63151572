using System.Text;
using System.Xml;
using System.Xml.Linq;
using Datacake.AspNetCore.Diagnostics;
using Datacake.EventualConsistency;
using Datacake.Node;
using Microsoft.AspNetCore.DataProtection.Repositories;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;

namespace Datacake.AspNetCore.DataProtection;

/// <summary>
/// The keys and revocations of data protection in a keyspace, each in a document of its own that is never changed, so that nodes which make keys at the same time keep them all. Thread-safe.
/// </summary>
/// <remarks>
/// Data protection has synchronous methods. They block their thread for a bounded time while the store does its work on other threads, whose continuations do not come back to the caller.
/// </remarks>
/// <param name="findNode">Finds the node.</param>
/// <param name="options">The settings.</param>
/// <param name="readKeys">Makes data protection read the keys again. Called when another node has changed them.</param>
/// <param name="loggers">The loggers of the application; null for none.</param>
sealed class DatacakeXmlRepository(Func<DatacakeNode> findNode, DatacakeDataProtectionOptions options, Action readKeys, ILoggerFactory? loggers)
    : IDeletableXmlRepository, IDisposable, IAsyncDisposable
{
    static readonly TimeSpan RetryDelay = TimeSpan.FromSeconds(1);

    readonly ILogger _logger = (loggers ?? NullLoggerFactory.Instance).CreateLogger("Datacake.AspNetCore.DataProtection");
    readonly Lock _lock = new();
    readonly CancellationTokenSource _stop = new();
    Opened? _opened;                                        // this and all below under the lock
    CancellationTokenSource _expiry = new();
    bool _isDisposed;
    bool _isJoinAwaited;                                    // once a wait for the join has failed, later callers do not wait again

    public IReadOnlyCollection<XElement> GetAllElements() => [.. Run(static (me, keyspace, cancellation) => me.ReadAsync(keyspace, cancellation)).Select(static stored => stored.Element)];

    public void StoreElement(XElement element, string friendlyName)
    {
        ArgumentNullException.ThrowIfNull(element);
        // The name is for people. Only the identifier makes sure that no two elements get the same document.
        string name = $"{(friendlyName is { Length: <= 100 } ? friendlyName : "element")}/{Guid.CreateVersion7():N}";
        byte[] value = Encoding.UTF8.GetBytes(element.ToString(SaveOptions.DisableFormatting));
        Run(async (me, keyspace, cancellation) =>
        {
            try
            {
                await keyspace.PutAsync(DocumentKey.Of(name), value, me.Options.Consistency, cancellation).ConfigureAwait(false);
            }
            catch (ConsistencyException e)
            {
                // The key stays. Failing would make another one at the next request, and again.
                AspNetCoreLog.KeyNotAcknowledged(me._logger, e, name);
            }
            return true;
        });
    }

    public bool DeleteElements(Action<IReadOnlyCollection<IDeletableElement>> chooseElements)
    {
        ArgumentNullException.ThrowIfNull(chooseElements);
        var elements = Run(static (me, keyspace, cancellation) => me.ReadAsync(keyspace, cancellation));
        chooseElements(elements);
        foreach (var element in elements.Where(static element => element.DeletionOrder is not null).OrderBy(static element => element.DeletionOrder))
        {
            try
            {
                Run(async (me, keyspace, cancellation) =>
                {
                    await keyspace.DeleteAsync(element.Key, me.Options.Consistency, cancellation).ConfigureAwait(false);
                    return true;
                });
            }
            catch (Exception e)
            {
                AspNetCoreLog.KeyNotDeleted(_logger, e, element.Key.ToString(), options.Keyspace);
                return false;
            }
        }
        return true;
    }

    /// <summary>Returns a token that is canceled when another one is, or when a node has changed the keys.</summary>
    public CancellationToken ExpireWith(CancellationToken token)
    {
        lock (_lock)
        {
            if (_isDisposed)
                return token;
            // Whichever comes first cancels the source. It holds no more than its registration, which ends with it.
            var expiry = _expiry;
            token.UnsafeRegister(static source => ((CancellationTokenSource)source!).Cancel(), expiry);
            return expiry.Token;
        }
    }

    public void Dispose() => DisposeAsync().AsTask().GetAwaiter().GetResult();

    public async ValueTask DisposeAsync()
    {
        Task watching;
        lock (_lock)
        {
            if (_isDisposed)
                return;
            _isDisposed = true;
            watching = _opened?.Watching ?? Task.CompletedTask;
        }
        await _stop.CancelAsync().ConfigureAwait(false);
        await watching.ConfigureAwait(false);
    }

    DatacakeDataProtectionOptions Options => options;

    /// <summary>Runs an operation on the keyspace, and blocks the thread until it has completed.</summary>
    TResult Run<TResult>(Func<DatacakeXmlRepository, KeyspaceHandle, CancellationToken, Task<TResult>> operation)
    {
        var node = findNode();
        using var timeout = new CancellationTokenSource(options.Timeout, node.TimeProvider);
        try
        {
            // Not on the thread pool, whose threads may all wait for these keys. The continuations are, and none comes back to the context of the blocked thread.
            return RunAsync().GetAwaiter().GetResult();
        }
        catch (OperationCanceledException e) when (timeout.IsCancellationRequested)
        {
            throw new TimeoutException(
                $"The data protection keys in keyspace '{options.Keyspace}' could not be read or written within {options.Timeout}. See the log of the node for the reason, or raise the "
                + $"{nameof(DatacakeDataProtectionOptions.Timeout)} of PersistKeysToDatacake.", e);
        }

        async Task<TResult> RunAsync()
        {
            var opened = await OpenAsync(node, timeout.Token).ConfigureAwait(false);
            return await operation(this, opened.Keyspace, timeout.Token).ConfigureAwait(false);
        }
    }

    async Task<Opened> OpenAsync(DatacakeNode node, CancellationToken cancellationToken)
    {
        var store = await node.OpenStoreAsync(cancellationToken).ConfigureAwait(false);
        await WaitUntilJoinedAsync(store).ConfigureAwait(false);
        Opened opened;
        lock (_lock)
        {
            ObjectDisposedException.ThrowIf(_isDisposed, this);
            if (_opened is null)
            {
                var keyspace = store.Keyspace(options.Keyspace);
                var started = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
                _opened = new Opened(keyspace, started.Task, Task.Run(() => WatchAsync(node, keyspace, started, _stop.Token), CancellationToken.None));
            }
            opened = _opened;
        }
        // What is read after the watch has started is complete, together with what the watch reports.
        await opened.Started.WaitAsync(cancellationToken).ConfigureAwait(false);
        return opened;
    }

    /// <summary>Waits until the store has the keys of the cluster. Until then, data protection would make keys that the cluster does not need.</summary>
    async ValueTask WaitUntilJoinedAsync(ReplicatedStore store)
    {
        if (store.Joined.IsCompletedSuccessfully)
            return;
        bool waits;
        lock (_lock)
            waits = !_isJoinAwaited;
        try
        {
            // Requests wait one after another for the keys, so only the first may take its time.
            await store.WaitUntilJoinedAsync(waits ? options.Timeout : TimeSpan.Zero, _stop.Token).ConfigureAwait(false);
        }
        catch (TimeoutException e)
        {
            lock (_lock)
                _isJoinAwaited = true;
            throw new TimeoutException($"The data protection keys cannot be used yet, because they are in the cluster. {e.Message}", e);
        }
    }

    async Task<List<StoredElement>> ReadAsync(KeyspaceHandle keyspace, CancellationToken cancellationToken)
    {
        var elements = new List<StoredElement>();
        await foreach (var stored in keyspace.ReadAllAsync(cancellationToken).ConfigureAwait(false))
        {
            try
            {
                using var reader = XmlReader.Create(new MemoryStream((stored.Document.Value ?? default).ToArray()));
                elements.Add(new StoredElement(stored.Key, XElement.Load(reader)));
            }
            catch (XmlException e)
            {
                // The other keys can still be used.
                AspNetCoreLog.KeyUnreadable(_logger, e, stored.Key.ToString(), options.Keyspace);
            }
        }
        return elements;
    }

    async Task WatchAsync(DatacakeNode node, KeyspaceHandle keyspace, TaskCompletionSource started, CancellationToken stopping)
    {
        bool hasMissed = false;
        while (true)
        {
            try
            {
                await foreach (var changes in keyspace.WatchAsync(WatchPosition.Now, stopping).ConfigureAwait(false))
                {
                    if (changes.Changes.Count > 0 || changes.HasGap || hasMissed)
                        Expire();
                    hasMissed = false;
                    started.TrySetResult();
                }
                return;
            }
            catch (Exception e) when (stopping.IsCancellationRequested || e is ObjectDisposedException)
            {
                started.TrySetException(e);
                _ = started.Task.Exception;
                return;
            }
            catch (Exception e)
            {
                // Keys can be used without the watch.
                AspNetCoreLog.KeyWatchFailed(_logger, e, options.Keyspace, RetryDelay.TotalSeconds);
                started.TrySetResult();
                hasMissed = true;
            }
            try
            {
                await Task.Delay(RetryDelay, node.TimeProvider, stopping).ConfigureAwait(false);
            }
            catch (OperationCanceledException)
            {
                return;
            }
        }
    }

    /// <summary>Makes data protection read the keys again, at once, so that the next request already has them.</summary>
    void Expire()
    {
        CancellationTokenSource expired;
        lock (_lock)
        {
            expired = _expiry;
            _expiry = new CancellationTokenSource();
        }
        expired.Cancel();
        // Returns the old keys at once, and begins to read the new ones beside.
        _ = Task.Run(() =>
        {
            try
            {
                readKeys();
            }
            catch (Exception)
            {
                // Data protection has logged it. The next request reads the keys.
            }
        });
    }

    /// <summary>The open keyspace.</summary>
    /// <param name="Keyspace">The keyspace.</param>
    /// <param name="Started">Completes when the watch has started.</param>
    /// <param name="Watching">Completes when the watch has ended.</param>
    sealed record Opened(KeyspaceHandle Keyspace, Task Started, Task Watching);
}
