using System.Buffers;
using System.Collections.Concurrent;
using Datacake.Crdt;
using Datacake.EventualConsistency;
using Datacake.Extensions.Caching.Diagnostics;
using Datacake.Extensions.Caching.Keyspaces;
using Datacake.Extensions.Caching.Records;
using Datacake.Node;
using Microsoft.Extensions.Caching.Distributed;

namespace Datacake.Extensions.Caching;

/// <summary>
/// An <see cref="IDistributedCache"/> in a keyspace of a cluster. All nodes have all entries, so reads are local, and a node that is cut off continues to work. Thread-safe.
/// </summary>
/// <remarks>
/// <para>An entry with a sliding expiry is not written at each read: a read renews it in the background once a quarter of its time has gone, and it lives for five quarters of it from then on. So it
/// expires between one and one and a quarter of its time after its last read, unless its absolute expiry comes first.</para>
/// <para>Synchronous methods do their work on the calling thread. They block it if the store has not joined its cluster, and while a set or removal is committed. Their continuations do not come back
/// to the caller's synchronization context, so they do not deadlock there.</para>
/// </remarks>
public sealed class DatacakeDistributedCache : IBufferDistributedCache, IDisposable, IAsyncDisposable
{
    /// <summary>The maximum number of renewals at a time. Further ones are left to later reads.</summary>
    const int MaxRenewals = 256;

    static readonly TimeSpan MissesLogInterval = TimeSpan.FromMinutes(1);

    // The store accepts expiries until 2158.
    static readonly DateTimeOffset LastExpiry = new(2150, 1, 1, 0, 0, 0, TimeSpan.Zero);

    readonly DatacakeDistributedCacheOptions _options;
    readonly CacheKeyspace _keyspace;
    readonly ConcurrentDictionary<DocumentKey, Task> _renewals = [];
    long _missedRenewals;               // since they were last logged
    long _missesLoggedAt;               // in ticks of UTC

    /// <summary>Creates a cache in the cluster of a node.</summary>
    /// <param name="node">The node. Its store is opened when the cache is first used.</param>
    public DatacakeDistributedCache(DatacakeNode node)
        : this(node, static _ => { })
    {
    }

    /// <summary>Creates a cache in the cluster of a node, with other settings than the defaults.</summary>
    /// <param name="node">The node. Its store is opened when the cache is first used.</param>
    /// <param name="configure">Changes the settings.</param>
    /// <exception cref="ArgumentException">A setting is out of its range.</exception>
    public DatacakeDistributedCache(DatacakeNode node, Action<DatacakeDistributedCacheOptions> configure)
        : this(() => node, DatacakeCacheOptions.Create(configure)) => ArgumentNullException.ThrowIfNull(node);

    internal DatacakeDistributedCache(Func<DatacakeNode> node, DatacakeDistributedCacheOptions options)
    {
        _options = options;
        _keyspace = new CacheKeyspace(node, options, handlers: null);
    }

    /// <summary>Returns the value of an entry, or null if there is none. See <see cref="GetAsync"/>.</summary>
    /// <inheritdoc cref="GetAsync"/>
    public byte[]? Get(string key) => Wait(FindAsync(key, CancellationToken.None))?.ToArray();

    /// <summary>Returns the value of an entry from the local node, or null if there is none. Counts as a read for its sliding expiry.</summary>
    /// <param name="key">The key, which can be any string.</param>
    /// <param name="token">Cancels the call.</param>
    /// <exception cref="InvalidOperationException">There is no node, or the node has not started.</exception>
    /// <exception cref="TimeoutException">The store has not joined its cluster in time.</exception>
    /// <exception cref="ObjectDisposedException">The cache is disposed, or the node has stopped.</exception>
    public async Task<byte[]?> GetAsync(string key, CancellationToken token = default) => (await FindAsync(key, token).ConfigureAwait(false))?.ToArray();

    /// <summary>Writes the value of an entry to a buffer, and returns false if there is none. See <see cref="GetAsync"/>.</summary>
    /// <param name="key">The key, which can be any string.</param>
    /// <param name="destination">Receives the value.</param>
    public bool TryGet(string key, IBufferWriter<byte> destination)
    {
        ArgumentNullException.ThrowIfNull(destination);
        return Write(Wait(FindAsync(key, CancellationToken.None)), destination);
    }

    /// <summary>Writes the value of an entry from the local node to a buffer, and returns false if there is none. Counts as a read for its sliding expiry.</summary>
    /// <param name="key">The key, which can be any string.</param>
    /// <param name="destination">Receives the value.</param>
    /// <param name="token">Cancels the call.</param>
    public async ValueTask<bool> TryGetAsync(string key, IBufferWriter<byte> destination, CancellationToken token = default)
    {
        ArgumentNullException.ThrowIfNull(destination);
        return Write(await FindAsync(key, token).ConfigureAwait(false), destination);
    }

    /// <summary>Sets an entry, and blocks the thread until the level is reached. See <see cref="SetAsync(string, byte[], DistributedCacheEntryOptions, CancellationToken)"/>.</summary>
    /// <inheritdoc cref="SetAsync(string, byte[], DistributedCacheEntryOptions, CancellationToken)"/>
    public void Set(string key, byte[] value, DistributedCacheEntryOptions options)
    {
        ArgumentNullException.ThrowIfNull(value);
        Set(key, new ReadOnlySequence<byte>(value), options);
    }

    /// <summary>Sets an entry. Of two nodes that set the same one at the same time, the later wins everywhere.</summary>
    /// <param name="key">The key, which can be any string.</param>
    /// <param name="value">The value, which may be empty.</param>
    /// <param name="options">The expiry. Of two absolute ones, the relative one counts. Without any, the default of the settings counts.</param>
    /// <param name="token">Cancels the wait for the level.</param>
    /// <exception cref="ArgumentOutOfRangeException">The absolute expiry is not in the future.</exception>
    /// <exception cref="ArgumentException">The value is too large for the store or for the limit of the cache. Nothing was stored.</exception>
    /// <exception cref="NotEnoughNodesException">Too few nodes are up for the level. Nothing was stored.</exception>
    /// <exception cref="ConsistencyException">The level was not reached in time. The entry is set and continues to replicate.</exception>
    /// <exception cref="InvalidOperationException">There is no node, or the node has not started.</exception>
    /// <exception cref="TimeoutException">The store has not joined its cluster in time.</exception>
    /// <exception cref="ObjectDisposedException">The cache is disposed, or the node has stopped.</exception>
    public Task SetAsync(string key, byte[] value, DistributedCacheEntryOptions options, CancellationToken token = default)
    {
        ArgumentNullException.ThrowIfNull(value);
        return SetAsync(key, new ReadOnlySequence<byte>(value), options, token).AsTask();
    }

    /// <summary>Sets an entry, and blocks the thread until the level is reached. See <see cref="SetAsync(string, ReadOnlySequence{byte}, DistributedCacheEntryOptions, CancellationToken)"/>.</summary>
    /// <inheritdoc cref="SetAsync(string, byte[], DistributedCacheEntryOptions, CancellationToken)"/>
    public void Set(string key, ReadOnlySequence<byte> value, DistributedCacheEntryOptions options) => Wait(SetAsync(key, value, options, CancellationToken.None));

    /// <inheritdoc cref="SetAsync(string, byte[], DistributedCacheEntryOptions, CancellationToken)"/>
    public ValueTask SetAsync(string key, ReadOnlySequence<byte> value, DistributedCacheEntryOptions options, CancellationToken token = default)
    {
        ArgumentNullException.ThrowIfNull(key);
        ArgumentNullException.ThrowIfNull(options);
        return SetOnceOpenAsync(key, value, options, token);
    }

    /// <summary>Renews the sliding expiry of an entry, and blocks the thread until it is renewed. See <see cref="RefreshAsync"/>.</summary>
    /// <inheritdoc cref="RefreshAsync"/>
    public void Refresh(string key) => Wait(RefreshOnceOpenAsync(key, CancellationToken.None));

    /// <summary>Renews the sliding expiry of an entry, if it has one and a quarter of its time has gone. Does nothing if there is no entry.</summary>
    /// <param name="key">The key, which can be any string.</param>
    /// <param name="token">Cancels the call.</param>
    /// <exception cref="NotEnoughNodesException">Too few nodes are up for the level. The entry was not renewed.</exception>
    /// <exception cref="ConsistencyException">The level was not reached in time. The entry is renewed.</exception>
    public Task RefreshAsync(string key, CancellationToken token = default) => RefreshOnceOpenAsync(key, token).AsTask();

    /// <summary>Removes an entry, and blocks the thread until the level is reached. See <see cref="RemoveAsync"/>.</summary>
    /// <inheritdoc cref="RemoveAsync"/>
    public void Remove(string key) => Wait(RemoveOnceOpenAsync(key, CancellationToken.None));

    /// <summary>Removes an entry. It need not exist.</summary>
    /// <param name="key">The key, which can be any string.</param>
    /// <param name="token">Cancels the wait for the level.</param>
    /// <exception cref="NotEnoughNodesException">Too few nodes are up for the level. Nothing was removed.</exception>
    /// <exception cref="ConsistencyException">The level was not reached in time. The entry is removed.</exception>
    public Task RemoveAsync(string key, CancellationToken token = default) => RemoveOnceOpenAsync(key, token).AsTask();

    /// <summary>Stops the background work of the cache. The entries stay.</summary>
    public void Dispose() => DisposeAsync().AsTask().GetAwaiter().GetResult();

    /// <summary>Stops the background work of the cache. The entries stay.</summary>
    public async ValueTask DisposeAsync()
    {
        await _keyspace.DisposeAsync().ConfigureAwait(false);
        await Task.WhenAll(_renewals.Values).ConfigureAwait(false);
    }

    async ValueTask<ReadOnlyMemory<byte>?> FindAsync(string key, CancellationToken token)
    {
        ArgumentNullException.ThrowIfNull(key);
        var opened = await _keyspace.OpenAsync(token).ConfigureAwait(false);
        var documentKey = CacheKeys.OfDistributed(key);
        var document = await opened.Documents.GetAsync(documentKey, token).ConfigureAwait(false);
        bool isFound = CacheRecord.TryRead(document, out var record) && record.Kind == CacheRecordKind.Entry;
        opened.Metrics.OnRead(isFound ? CacheMetrics.InStore : CacheMetrics.Missing);
        if (!isFound)
            return null;
        if (RenewalOf(opened, document!, record) is { } expiry)
            RenewInBackground(opened, documentKey, document!, expiry);
        return record.Payload;
    }

    async ValueTask SetOnceOpenAsync(string key, ReadOnlySequence<byte> value, DistributedCacheEntryOptions options, CancellationToken token)
    {
        var opened = await _keyspace.OpenAsync(token).ConfigureAwait(false);
        var documentKey = CacheKeys.OfDistributed(key);
        var (record, expires) = ExpiryOf(opened.Now, options);
        CheckLength(key, value.Length, record.HeaderLength + documentKey.Encoded.Length + KeyspaceSize.OverheadPerDocument);
        byte[] buffer = ArrayPool<byte>.Shared.Rent(checked(record.HeaderLength + (int)value.Length));
        try
        {
            var bytes = buffer.AsMemory(0, record.HeaderLength + (int)value.Length);
            record.WriteHeader(bytes.Span);
            value.CopyTo(bytes.Span[record.HeaderLength..]);
            // The document is made of the bytes before the call returns.
            var writing = expires is { } instant
                ? opened.Documents.PutExpiringAsync(documentKey, bytes, instant, _options.Consistency, token)
                : opened.Documents.PutAsync(documentKey, bytes, _options.Consistency, token);
            await writing.ConfigureAwait(false);
        }
        catch (TransactionLimitException e)
        {
            throw CacheRecord.TooLarge(key, value.Length, $"The store accepts documents of {e.Limit} bytes: store less, or raise {nameof(ReplicatedStoreOptions.MaxDocumentLength)} on all nodes.", e);
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }

    async ValueTask RefreshOnceOpenAsync(string key, CancellationToken token)
    {
        ArgumentNullException.ThrowIfNull(key);
        var opened = await _keyspace.OpenAsync(token).ConfigureAwait(false);
        var documentKey = CacheKeys.OfDistributed(key);
        var document = await opened.Documents.GetAsync(documentKey, token).ConfigureAwait(false);
        if (CacheRecord.TryRead(document, out var record) && record.Kind == CacheRecordKind.Entry && RenewalOf(opened, document!, record) is { } expiry)
            await RenewAsync(opened, documentKey, document!, expiry, token).ConfigureAwait(false);
    }

    async ValueTask RemoveOnceOpenAsync(string key, CancellationToken token)
    {
        ArgumentNullException.ThrowIfNull(key);
        var opened = await _keyspace.OpenAsync(token).ConfigureAwait(false);
        await opened.Documents.DeleteAsync(CacheKeys.OfDistributed(key), _options.Consistency, token).ConfigureAwait(false);
    }

    (CacheRecord Record, DateTimeOffset? Expires) ExpiryOf(DateTimeOffset now, DistributedCacheEntryOptions options)
    {
        var (relative, absolute, sliding) = (options.AbsoluteExpirationRelativeToNow, options.AbsoluteExpiration, options.SlidingExpiration);
        if (relative is null && absolute is null && sliding is null)
            (relative, sliding) = (_options.DefaultExpiration, _options.DefaultSlidingExpiration);
        if (relative is { } time)
            absolute = After(now, time);
        else if (absolute <= now)
            throw new ArgumentOutOfRangeException(nameof(options), absolute, $"The absolute expiry {absolute:O} is not in the future. Set a later one, or remove the entry.");
        if (absolute > LastExpiry)
            absolute = null;
        // Without an end, there is nothing to renew.
        var window = sliding is { } idle ? WindowOf(idle) : TimeSpan.Zero;
        if (window <= TimeSpan.Zero || After(now, window) > LastExpiry)
            return (new CacheRecord(), absolute);
        var end = now + window;
        return (new CacheRecord { Sliding = sliding!.Value, Absolute = absolute }, absolute < end ? absolute : end);
    }

    /// <summary>Returns the instant until which an entry has to be renewed now, because it was read; null if that is not needed.</summary>
    static DateTimeOffset? RenewalOf(OpenedKeyspace opened, Document document, in CacheRecord record)
    {
        if (record.Sliding <= TimeSpan.Zero || document.Expires.IsNone)
            return null;
        var now = opened.Now;
        var expires = document.Expires.Time;
        var end = now + WindowOf(record.Sliding);
        if (end > record.Absolute)
            end = record.Absolute.Value;
        // The stored expiry has a resolution of 4 ms.
        return expires - now <= record.Sliding && end - expires >= TimeSpan.FromMilliseconds(4) ? end : null;
    }

    void RenewInBackground(OpenedKeyspace opened, DocumentKey key, Document document, DateTimeOffset expires)
    {
        if (_renewals.Count >= MaxRenewals)
        {
            OnRenewalMissed(opened, CacheMetrics.Skipped, exception: null);
            return;
        }
        var start = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        if (_renewals.TryAdd(key, RunAsync()))
            start.SetResult();
        else
            start.SetCanceled(CancellationToken.None);

        async Task RunAsync()
        {
            try
            {
                await start.Task.ConfigureAwait(false);
            }
            catch (OperationCanceledException)
            {
                return;         // another read renews it
            }
            try
            {
                await RenewAsync(opened, key, document, expires, CancellationToken.None).ConfigureAwait(false);
            }
            catch (Exception e)
            {
                // Whatever kept it from being renewed, a later read tries again.
                OnRenewalMissed(opened, CacheMetrics.Failed, e);
            }
            finally
            {
                _renewals.TryRemove(key, out _);
            }
        }
    }

    /// <summary>Counts a renewal that was not made, and logs that once a minute at most.</summary>
    internal void OnRenewalMissed(OpenedKeyspace opened, string reason, Exception? exception)
    {
        opened.Metrics.OnRenewalMissed(reason);
        Interlocked.Increment(ref _missedRenewals);
        long now = opened.Now.UtcTicks, last = Interlocked.Read(ref _missesLoggedAt);
        if (now - last >= MissesLogInterval.Ticks && Interlocked.CompareExchange(ref _missesLoggedAt, now, last) == last)
            CachingLog.RenewalsMissed(opened.Logger, exception, opened.Documents.Name, Interlocked.Exchange(ref _missedRenewals, 0));
    }

    /// <summary>Renews an entry as it was read. If it was changed in the meantime, does nothing, so that the change stays.</summary>
    async ValueTask RenewAsync(OpenedKeyspace opened, DocumentKey key, Document read, DateTimeOffset expires, CancellationToken cancellationToken)
    {
        // A renewal is a put, which would undo a set or removal that others have acknowledged at the level and this node has not got yet.
        if (_options.Consistency != Consistency.None && (await opened.Documents.GetAsync(key, _options.Consistency, cancellationToken).ConfigureAwait(false))?.Born != read.Born)
            return;
        var transaction = new Transaction();
        transaction.Renew(opened.Documents.Name, key, DocumentContent.Empty, expires);
        transaction.Require(opened.Documents.Name, key, document => document?.Born == read.Born);
        try
        {
            await opened.Store.CommitAsync(transaction, _options.Consistency, cancellationToken).ConfigureAwait(false);
        }
        catch (Exception e) when (e is TransactionConflictException or DocumentNotFoundException)
        {
            // The entry was set or removed, or has expired.
        }
    }

    void CheckLength(string key, long length, int overhead)
    {
        if (_options.SizeLimit is { } limit && length > limit - overhead)
            throw CacheRecord.TooLarge(key, length, $"The limit of the whole cache is {limit} bytes: store less, or raise {nameof(DatacakeCacheOptions.SizeLimit)} on all nodes.");
        if (length > Array.MaxLength / 2)
            throw CacheRecord.TooLarge(key, length, "Store less.");
    }

    /// <summary>Returns the time for which an entry lives after a renewal.</summary>
    static TimeSpan WindowOf(TimeSpan sliding) => TimeSpan.MaxValue - sliding > sliding / 4 ? sliding + (sliding / 4) : TimeSpan.MaxValue;

    static DateTimeOffset After(DateTimeOffset now, TimeSpan time) => DateTimeOffset.MaxValue - now > time ? now + time : DateTimeOffset.MaxValue;

    static bool Write(ReadOnlyMemory<byte>? found, IBufferWriter<byte> destination)
    {
        if (found is { } value)
            destination.Write(value.Span);
        return found is not null;
    }

    static T Wait<T>(ValueTask<T> task) => task.IsCompleted ? task.GetAwaiter().GetResult() : task.AsTask().GetAwaiter().GetResult();

    static void Wait(ValueTask task)
    {
        if (task.IsCompleted)
            task.GetAwaiter().GetResult();
        else
            task.AsTask().GetAwaiter().GetResult();
    }
}
