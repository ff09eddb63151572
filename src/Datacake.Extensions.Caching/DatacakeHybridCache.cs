using System.Buffers;
using System.Collections.Concurrent;
using Datacake.Crdt;
using Datacake.EventualConsistency;
using Datacake.Extensions.Caching.Diagnostics;
using Datacake.Extensions.Caching.Flights;
using Datacake.Extensions.Caching.Keyspaces;
using Datacake.Extensions.Caching.Memory;
using Datacake.Extensions.Caching.Records;
using Datacake.Extensions.Caching.Serialization;
using Datacake.Extensions.Caching.Tags;
using Datacake.Node;
using Microsoft.Extensions.Caching.Hybrid;

namespace Datacake.Extensions.Caching;

/// <summary>
/// A <see cref="HybridCache"/> whose entries are in the memory of the process and in a keyspace of a cluster. A set, a removal or the invalidation of a tag on one node removes what it concerns from
/// the memory of all other nodes within milliseconds. Thread-safe.
/// </summary>
/// <remarks>
/// <para>Of the callers that ask for the same missing entry at the same time, one runs its factory, and the others get its value. Only with
/// <see cref="DatacakeHybridCacheOptions.OneFactoryInCluster"/>, this is so in the whole cluster.</para>
/// <para>The value of a factory that was running when its entry was removed, or one of its tags invalidated, is returned to the callers that waited for it, and is not stored. If another node did that
/// and the change arrives after the factory has ended, the stored value becomes invalid when the change arrives.</para>
/// <para>An error of the store does not fail <c>GetOrCreateAsync</c>: it is logged, and the factory runs. It fails sets and removals.</para>
/// </remarks>
public sealed class DatacakeHybridCache : HybridCache, IDisposable, IAsyncDisposable
{
    const int RemovalsPerCommit = 500;

    /// <summary>The time for which the mark of a removal is kept, so that nodes that learn late of the value of a factory know that it is stale.</summary>
    static readonly TimeSpan RemovalLifetime = TimeSpan.FromMinutes(10);

    static readonly TimeSpan DefaultExpiration = TimeSpan.FromMinutes(5);

    /// <summary>The time by which an invalidation outlives the entries that it concerns, because clocks differ.</summary>
    static readonly TimeSpan TagSlack = TimeSpan.FromDays(1);

    /// <summary>A stamp that is later than those of all changes.</summary>
    static readonly HlcTimestamp Latest = new(ulong.MaxValue);

    readonly DatacakeHybridCacheOptions _options;
    readonly EntrySerializers _serializers;
    readonly CacheKeyspace _keyspace;
    readonly LocalCache _local;
    readonly TagTable _tags = new();
    readonly FlightTable _flights = new();
    readonly FactoryLeases _leases;
    readonly ConcurrentDictionary<Task, bool> _removals = [];           // that run in the background
    volatile bool _isWatching;
    volatile TimeProvider _time = TimeProvider.System;      // that of the node, once it is known

    /// <summary>Creates a cache in the cluster of a node.</summary>
    /// <param name="node">The node. Its store is opened when the cache is first used.</param>
    public DatacakeHybridCache(DatacakeNode node)
        : this(node, static _ => { })
    {
    }

    /// <summary>Creates a cache in the cluster of a node, with other settings than the defaults.</summary>
    /// <param name="node">The node. Its store is opened when the cache is first used.</param>
    /// <param name="configure">Changes the settings.</param>
    /// <exception cref="ArgumentException">A setting is out of its range.</exception>
    public DatacakeHybridCache(DatacakeNode node, Action<DatacakeHybridCacheOptions> configure)
        : this(() => node, DatacakeCacheOptions.Create(configure), services: null) => ArgumentNullException.ThrowIfNull(node);

    internal DatacakeHybridCache(Func<DatacakeNode> node, DatacakeHybridCacheOptions options, IServiceProvider? services)
    {
        _options = options;
        _serializers = new EntrySerializers(options, services);
        _local = new LocalCache(options.LocalSizeLimit);
        _leases = new FactoryLeases(options);
        _keyspace = new CacheKeyspace(node, options, new ChangeHandlers(OnStartAsync, OnChange, OnStop));
    }

    /// <summary>Gets the length of the entries in memory in bytes, and their number.</summary>
    internal (long Length, int Count) LocalSize => _local.Size;

    /// <summary>Gets the number of tags with an invalidation that is remembered.</summary>
    internal int RememberedTags => _tags.Count;

    /// <summary>
    /// Returns the value of an entry: from memory, from the keyspace, or made by the factory, which is then stored in both.
    /// </summary>
    /// <param name="key">The key, which can be any string.</param>
    /// <param name="state">The state that the factory is given.</param>
    /// <param name="factory">Makes the value. Its token is canceled when no caller waits for the value any longer.</param>
    /// <param name="options">The options of the entry; null for the default ones.</param>
    /// <param name="tags">The tags by which the entry can be removed. They count when the value is made.</param>
    /// <param name="cancellationToken">Cancels the wait.</param>
    /// <exception cref="ArgumentException">A tag is empty, white space, or <c>*</c>, which all entries have; or there are more than 65,535 tags.</exception>
    /// <exception cref="NotSupportedException">The type of the value cannot be serialized, and several callers wait for the value.</exception>
    /// <exception cref="InvalidOperationException">There is no node, or the node has not started.</exception>
    /// <exception cref="ObjectDisposedException">The cache is disposed, or the node has stopped.</exception>
    public override ValueTask<T> GetOrCreateAsync<TState, T>(
        string key, TState state, Func<TState, CancellationToken, ValueTask<T>> factory, HybridCacheEntryOptions? options = null, IEnumerable<string>? tags = null,
        CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(key);
        ArgumentNullException.ThrowIfNull(factory);
        return TryGetLocal(key, options, cancellationToken, out T value)
            ? ValueTask.FromResult(value)
            : new ValueTask<T>(JoinAsync(key, state, factory, options, tags, cancellationToken));
    }

    /// <summary>Returns the value of an entry, like the method for a string, without a string for the key if the entry is in memory.</summary>
    /// <inheritdoc cref="GetOrCreateAsync{TState, T}(string, TState, Func{TState, CancellationToken, ValueTask{T}}, HybridCacheEntryOptions?, IEnumerable{string}?, CancellationToken)"/>
    public override ValueTask<T> GetOrCreateAsync<TState, T>(
        ReadOnlySpan<char> key, TState state, Func<TState, CancellationToken, ValueTask<T>> factory, HybridCacheEntryOptions? options = null, IEnumerable<string>? tags = null,
        CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(factory);
        return TryGetLocal(key, options, cancellationToken, out T value)
            ? ValueTask.FromResult(value)
            : new ValueTask<T>(JoinAsync(key.ToString(), state, factory, options, tags, cancellationToken));
    }

    /// <summary>Sets an entry. Of two nodes that set the same one at the same time, the later wins everywhere.</summary>
    /// <param name="key">The key, which can be any string.</param>
    /// <param name="value">The value.</param>
    /// <param name="options">The options of the entry; null for the default ones.</param>
    /// <param name="tags">The tags by which the entry can be removed.</param>
    /// <param name="cancellationToken">Cancels the wait for the level.</param>
    /// <exception cref="ArgumentException">
    /// The value is too large for the store or for the limit of the cache; or a tag is empty, white space, or <c>*</c>, which all entries have; or there are more than 65,535 tags. Nothing was
    /// stored.
    /// </exception>
    /// <exception cref="NotSupportedException">The type of the value cannot be serialized.</exception>
    /// <exception cref="NotEnoughNodesException">Too few nodes are up for the level. Nothing was stored.</exception>
    /// <exception cref="ConsistencyException">The level was not reached in time. The entry is set and continues to replicate.</exception>
    /// <exception cref="InvalidOperationException">There is no node, or the node has not started.</exception>
    /// <exception cref="TimeoutException">The store has not joined its cluster in time.</exception>
    /// <exception cref="StoreExcludedException">The store is no longer part of its cluster.</exception>
    /// <exception cref="ObjectDisposedException">The cache is disposed, or the node has stopped.</exception>
    public override async ValueTask SetAsync<T>(
        string key, T value, HybridCacheEntryOptions? options = null, IEnumerable<string>? tags = null, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(key);
        var tagKeys = KeysOf(tags);
        var opened = await OpenAsync(cancellationToken).ConfigureAwait(false);
        var entry = Encode(opened, key, value, options, _tags.KnownOf(entry: null, tagKeys));
        var flags = FlagsOf(options);
        if (flags.HasFlag(HybridCacheEntryFlags.DisableDistributedCacheWrite))
        {
            var hidden = await StampOfAsync(opened, entry.Document, cancellationToken).ConfigureAwait(false);
            // No stamp tells it from what a running factory knows.
            _flights.Detach(entry.Document, Latest, isSet: false);
            _local.OnChange(entry.Document, Latest);
            AddLocal(entry, hidden, _local.Begin(entry.Document), flags);
            return;
        }
        var ticket = _local.Begin(entry.Document);
        var stamp = (await PutAsync(opened, entry, _options.Consistency, cancellationToken).ConfigureAwait(false)).Stamp;
        _flights.Detach(entry.Document, stamp, isSet: true);
        AddLocal(entry, stamp, ticket, flags);
    }

    /// <summary>Removes an entry from the keyspace, and from the memory of all nodes. It need not exist.</summary>
    /// <param name="key">The key, which can be any string.</param>
    /// <param name="cancellationToken">Cancels the wait for the level.</param>
    /// <exception cref="NotEnoughNodesException">Too few nodes are up for the level. Nothing was removed.</exception>
    /// <exception cref="ConsistencyException">The level was not reached in time. The entry is removed.</exception>
    /// <exception cref="TimeoutException">The store has not joined its cluster in time.</exception>
    /// <exception cref="ObjectDisposedException">The cache is disposed, or the node has stopped.</exception>
    public override ValueTask RemoveAsync(string key, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(key);
        return RemoveAsync([key], cancellationToken);
    }

    /// <summary>Removes entries, like <see cref="RemoveAsync(string, CancellationToken)"/>, in transactions of up to 500.</summary>
    /// <param name="keys">The keys.</param>
    /// <param name="cancellationToken">Cancels the wait for the level.</param>
    public override async ValueTask RemoveAsync(IEnumerable<string> keys, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(keys);
        DocumentKey[] documents = [.. keys.Select(static key => key is null ? throw new ArgumentException("A key is null. Use strings.", nameof(keys)) : CacheKeys.OfHybrid(key)).Distinct()];
        var opened = await OpenAsync(cancellationToken).ConfigureAwait(false);
        foreach (var chunk in documents.Chunk(RemovalsPerCommit))
            await MarkAsync(opened, CacheRecordKind.Removal, chunk, RemovalLifetime, OnRemoved, cancellationToken).ConfigureAwait(false);

        void OnRemoved(DocumentKey document, HlcTimestamp stamp)
        {
            _flights.Detach(document, stamp, isSet: false);
            _local.OnChange(document, stamp);
        }
    }

    /// <summary>
    /// Invalidates all entries with a tag, on all nodes. They are no longer returned, and their memory is freed when they expire or space is needed. The tag <c>*</c> stands for all entries.
    /// </summary>
    /// <param name="tag">The tag.</param>
    /// <param name="cancellationToken">Cancels the wait for the level.</param>
    /// <exception cref="ArgumentException">The tag is empty or white space.</exception>
    /// <exception cref="NotEnoughNodesException">Too few nodes are up for the level. Nothing was invalidated.</exception>
    /// <exception cref="ConsistencyException">The level was not reached in time. The entries are invalidated.</exception>
    /// <exception cref="TimeoutException">The store has not joined its cluster in time.</exception>
    /// <exception cref="ObjectDisposedException">The cache is disposed, or the node has stopped.</exception>
    public override ValueTask RemoveByTagAsync(string tag, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(tag);
        return RemoveByTagAsync([tag], cancellationToken);
    }

    /// <summary>Invalidates all entries with one of several tags, like <see cref="RemoveByTagAsync(string, CancellationToken)"/>.</summary>
    /// <param name="tags">The tags.</param>
    /// <param name="cancellationToken">Cancels the wait for the level.</param>
    public override async ValueTask RemoveByTagAsync(IEnumerable<string> tags, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(tags);
        DocumentKey[] documents = [.. tags.Select(static tag => KeyOfTag(tag, mayBeEverything: true)).Distinct()];
        var opened = await OpenAsync(cancellationToken).ConfigureAwait(false);
        foreach (var chunk in documents.Chunk(RemovalsPerCommit))
            await MarkAsync(opened, CacheRecordKind.Tag, chunk, _options.MaxExpiration + TagSlack, OnInvalidated, cancellationToken).ConfigureAwait(false);
    }

    /// <summary>Stops the background work of the cache. The entries stay in the keyspace.</summary>
    public void Dispose() => DisposeAsync().AsTask().GetAwaiter().GetResult();

    /// <summary>Stops the background work of the cache. The entries stay in the keyspace.</summary>
    public async ValueTask DisposeAsync()
    {
        // Factories that still run return their values, and store none.
        _flights.Close();
        await _keyspace.DisposeAsync().ConfigureAwait(false);
        await Task.WhenAll(_removals.Keys).ConfigureAwait(false);
    }

    bool TryGetLocal<T>(ReadOnlySpan<char> key, HybridCacheEntryOptions? options, CancellationToken cancellationToken, out T value)
    {
        value = default!;
        if (FlagsOf(options).HasFlag(HybridCacheEntryFlags.DisableLocalCacheRead) || cancellationToken.IsCancellationRequested
            || _local.Find(key, _time.GetUtcNow().UtcTicks) is not { } entry || !_tags.IsValid(entry.Known))
        {
            return false;
        }
        // An entry of another type is missing, as it is when it is read from the store and is of no use.
        if (entry.IsNull ? default(T) is not null : entry.Shared is null ? entry.Type != typeof(T) : entry.Shared is not T)
            return false;
        _keyspace.Metrics.OnRead(CacheMetrics.InMemory);
        if (entry.IsNull)
            return true;
        if (entry.Shared is null)
        {
            value = _serializers.Of<T>().Deserialize(new ReadOnlySequence<byte>(entry.Payload));
            return true;
        }
        value = (T)entry.Shared;
        return true;
    }

    async Task<T> JoinAsync<TState, T>(
        string key, TState state, Func<TState, CancellationToken, ValueTask<T>> factory, HybridCacheEntryOptions? options, IEnumerable<string>? tags, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        var flight = _flights.Join<T>(CacheKeys.OfHybrid(key), FlagsOf(options), KeysOf(tags), _leases.IsInFactory, out bool isFirst);
        try
        {
            if (isFirst)
                _ = FlyAsync(flight, key, state, factory, options);
            var produced = await flight.Result.WaitAsync(cancellationToken).ConfigureAwait(false);
            return isFirst || produced.IsShared ? produced.Value : _serializers.Of<T>().Deserialize(new ReadOnlySequence<byte>(produced.Payload));
        }
        finally
        {
            _flights.Leave(flight);
        }
    }

    /// <summary>Completes a flight with its value or its error.</summary>
    async Task FlyAsync<TState, T>(Flight<T> flight, string key, TState state, Func<TState, CancellationToken, ValueTask<T>> factory, HybridCacheEntryOptions? options)
    {
        try
        {
            var produced = await ProduceAsync(flight, key, state, factory, options).ConfigureAwait(false);
            _flights.Remove(flight);
            flight.Complete(produced);
        }
        catch (Exception e)
        {
            _flights.Remove(flight);
            flight.Fail(e);
        }
    }

    async Task<ProducedValue<T>> ProduceAsync<TState, T>(
        Flight<T> flight, string key, TState state, Func<TState, CancellationToken, ValueTask<T>> factory, HybridCacheEntryOptions? options)
    {
        // If the store has not joined its cluster, or cannot be read, the application goes on without a cache.
        if (await _keyspace.TryOpenAsync(flight.Abandoned).ConfigureAwait(false) is not { } opened)
            return await MakeAsync().ConfigureAwait(false);
        bool readsStore = !flight.Flags.HasFlag(HybridCacheEntryFlags.DisableDistributedCacheRead);
        var found = readsStore ? await ReadAsync<T>(opened, flight, key, options, Consistency.None).ConfigureAwait(false) : null;
        opened.Metrics.OnRead(found is null ? CacheMetrics.Missing : CacheMetrics.InStore);
        if (found is not null)
            return found.Value;
        if (flight.Flags.HasFlag(HybridCacheEntryFlags.DisableUnderlyingData))
            return new ProducedValue<T>(default!, default, IsShared: true);
        if (!_options.OneFactoryInCluster || !readsStore || flight.Flags.HasFlag(HybridCacheEntryFlags.DisableDistributedCacheWrite)
            || flight.IsInFactory || !_leases.AreAvailable(opened))
            return await MakeAndStoreAsync(_options.Consistency).ConfigureAwait(false);

        var (lease, arrived) = await _leases.AcquireAsync(
            opened, flight, level => ReadAsync<T>(opened, flight, key, options, level)).ConfigureAwait(false);
        if (arrived is { } other)
            return other;
        if (lease is null)
            return await MakeAndStoreAsync(_options.Consistency).ConfigureAwait(false);
        await using (lease.ConfigureAwait(false))
        using (_leases.EnterFactory())
        {
            // The next holder of the lease reads from a quorum, and must find the value.
            return await MakeAndStoreAsync(_options.Consistency < Consistency.Quorum ? Consistency.Quorum : _options.Consistency).ConfigureAwait(false);
        }

        async Task<ProducedValue<T>> MakeAsync()
        {
            var value = await factory(state, flight.Abandoned).ConfigureAwait(false);
            bool isShared = value is null || Immutability<T>.IsImmutable;
            return new ProducedValue<T>(value, isShared || _flights.TryClose(flight) ? default : Serialize(value), isShared);
        }

        async Task<ProducedValue<T>> MakeAndStoreAsync(Consistency level)
        {
            var known = _flights.BeginFactory(flight, await StampOfAsync(opened, flight.Document, flight.Abandoned).ConfigureAwait(false), _tags);
            var ticket = _local.Begin(flight.Document);
            var value = await factory(state, flight.Abandoned).ConfigureAwait(false);
            EncodedEntry entry;
            try
            {
                entry = Encode(opened, key, value, options, known);
            }
            catch (Exception e) when (_flights.TryClose(flight))
            {
                // The caller gets what its factory has made. Others would need values of their own.
                CachingLog.StoreFailed(opened.Logger, e, _options.Keyspace);
                return new ProducedValue<T>(value, default, IsShared: true);
            }
            if (!_flights.IsDetached(flight))
                await StoreAsync(opened, flight, entry, level, ticket).ConfigureAwait(false);
            return new ProducedValue<T>(value, entry.Record.Payload, value is null || Immutability<T>.IsImmutable);
        }
    }

    /// <summary>Returns the value of an entry in the keyspace, and adds it to the memory; null if there is none, or it cannot be read.</summary>
    async Task<ProducedValue<T>?> ReadAsync<T>(OpenedKeyspace opened, Flight flight, string key, HybridCacheEntryOptions? options, Consistency level)
    {
        var ticket = _local.Begin(flight.Document);
        try
        {
            var document = level == Consistency.None
                ? await opened.Documents.GetAsync(flight.Document, flight.Abandoned).ConfigureAwait(false)
                : await opened.Documents.GetAsync(flight.Document, level, flight.Abandoned).ConfigureAwait(false);
            if (!CacheRecord.TryRead(document, out var record) || record.Kind != CacheRecordKind.Entry || !_tags.IsValid(record.Known ?? Knowledge.None))
                return null;
            if (!_isWatching && !await ReadTagsAsync(opened, record.Known ?? Knowledge.None, flight.Abandoned).ConfigureAwait(false))
                return null;
            if (record.IsNull && default(T) is not null)
                return null;
            var value = record.IsNull ? default! : _serializers.Of<T>().Deserialize(new ReadOnlySequence<byte>(record.Payload));
            AddLocal(new EncodedEntry(key, flight.Document, record, value, document!.Expires.IsNone ? DateTimeOffset.MaxValue : document.Expires.Time, LocalExpirationOf(options), Immutability<T>.IsImmutable, typeof(T)),
                document.Born, ticket, flight.Flags);
            return new ProducedValue<T>(value, record.Payload, record.IsNull || Immutability<T>.IsImmutable);
        }
        catch (Exception e) when (!flight.Abandoned.IsCancellationRequested)
        {
            // Whatever the store or a serializer of another version of the application has thrown, the factory can make the value.
            CachingLog.ReadFailed(opened.Logger, e, _options.Keyspace);
            return null;
        }
    }

    /// <summary>Learns the invalidations of an entry's tags from the store, because they are not reported at present. Returns true if the entry is valid.</summary>
    async ValueTask<bool> ReadTagsAsync(OpenedKeyspace opened, Knowledge known, CancellationToken cancellationToken)
    {
        foreach (var tag in known.Tags.Select(static tag => tag.Tag).Append(TagTable.AllTag))
        {
            var document = await opened.Documents.GetAsync(tag, cancellationToken).ConfigureAwait(false);
            if (CacheRecord.TryRead(document, out var record) && record.Kind == CacheRecordKind.Tag)
                OnInvalidated(tag, document!.Born);
        }
        return _tags.IsValid(known);
    }

    /// <summary>Returns the stamp of a document on this node; none if there is none, or it cannot be read.</summary>
    async ValueTask<HlcTimestamp> StampOfAsync(OpenedKeyspace opened, DocumentKey key, CancellationToken cancellationToken)
    {
        try
        {
            return (await opened.Documents.GetAsync(key, cancellationToken).ConfigureAwait(false))?.Born ?? HlcTimestamp.None;
        }
        catch (Exception e) when (!cancellationToken.IsCancellationRequested)
        {
            CachingLog.ReadFailed(opened.Logger, e, _options.Keyspace);
            return HlcTimestamp.None;
        }
    }

    async Task StoreAsync(OpenedKeyspace opened, Flight flight, EncodedEntry entry, Consistency level, LocalTicket ticket)
    {
        // An entry that is only in memory hides the document that its maker knew.
        var stamp = entry.Known.Entry ?? HlcTimestamp.None;
        if (!flight.Flags.HasFlag(HybridCacheEntryFlags.DisableDistributedCacheWrite))
        {
            try
            {
                stamp = (await PutAsync(opened, entry, level, CancellationToken.None).ConfigureAwait(false)).Stamp;
            }
            catch (TransactionConflictException)
            {
                return;         // set or removed while the factory ran
            }
            catch (Exception e)
            {
                CachingLog.StoreFailed(opened.Logger, e, _options.Keyspace);
            }
        }
        AddLocal(entry, stamp, ticket, flight.Flags);
    }

    async ValueTask<CommitResult> PutAsync(OpenedKeyspace opened, EncodedEntry entry, Consistency level, CancellationToken cancellationToken)
    {
        long length = entry.Record.Payload.Length;
        if (_options.SizeLimit is { } limit && length > limit - (entry.Record.HeaderLength + entry.Document.Encoded.Length + KeyspaceSize.OverheadPerDocument))
            throw CacheRecord.TooLarge(entry.Key, length, $"The limit of the whole cache is {limit} bytes: store less, or raise {nameof(DatacakeCacheOptions.SizeLimit)} on all nodes.");
        var transaction = new Transaction();
        transaction.PutExpiring(_options.Keyspace, entry.Document, DocumentContent.OfRaw(entry.Record.Encode(new ReadOnlySequence<byte>(entry.Record.Payload))), entry.Expires);
        // What was set or removed while the factory ran is later than what it has read.
        if (entry.Known.Entry is { } known)
            transaction.Require(_options.Keyspace, entry.Document, document => document is null || document.Born <= known);
        try
        {
            return await opened.Store.CommitAsync(transaction, level, cancellationToken).ConfigureAwait(false);
        }
        catch (TransactionLimitException e)
        {
            throw CacheRecord.TooLarge(entry.Key, length, $"The store accepts documents of {e.Limit} bytes: store less, or raise {nameof(ReplicatedStoreOptions.MaxDocumentLength)} on all nodes.", e);
        }
    }

    /// <summary>Puts documents that are marks, for some time, and calls a function with each and its stamp once they are on this node.</summary>
    async ValueTask MarkAsync(
        OpenedKeyspace opened, CacheRecordKind kind, DocumentKey[] documents, TimeSpan lifetime, Action<DocumentKey, HlcTimestamp> onMarked, CancellationToken cancellationToken)
    {
        var mark = DocumentContent.OfRaw(new CacheRecord { Kind = kind }.Encode(default));
        var expires = opened.Now + lifetime;
        var transaction = new Transaction();
        foreach (var document in documents)
            transaction.PutExpiring(_options.Keyspace, document, mark, expires);
        // An exception that says that the commit was made, but is not everywhere yet, leaves the rest to the watch.
        var committed = await opened.Store.CommitAsync(transaction, _options.Consistency, cancellationToken).ConfigureAwait(false);
        foreach (var document in documents)
            onMarked(document, committed.Stamp);
    }

    async ValueTask OnStartAsync(OpenedKeyspace opened, CancellationToken cancellationToken)
    {
        _time = opened.Node.TimeProvider;
        _local.Close();
        var before = _tags.ToDictionary();
        // The tags come first.
        await foreach (var document in opened.Documents.ReadAllAsync(cancellationToken).ConfigureAwait(false))
        {
            if (document.Key > CacheKeys.EndOfTags)
                break;
            if (CacheRecord.TryRead(document.Document, out var record) && record.Kind == CacheRecordKind.Tag)
            {
                OnInvalidated(document.Key, document.Document.Born);
                before.Remove(document.Key);
            }
        }
        // The rest has expired while changes were not seen.
        foreach (var (tag, stamp) in before)
            _tags.Forget(tag, stamp);
        _flights.DetachAll();
        _isWatching = true;
        _local.Open();
    }

    void OnStop()
    {
        _isWatching = false;
        _local.Close();
    }

    void OnChange(DocumentChange change)
    {
        if (change.After is not { } after)
        {
            // It has expired, or was removed to limit the size.
            _tags.Forget(change.Key, change.Before?.Born ?? HlcTimestamp.None);
            _local.OnChange(change.Key, HlcTimestamp.None);
        }
        else if (CacheRecord.TryRead(after, out var record) && record.Kind == CacheRecordKind.Tag)
        {
            OnInvalidated(change.Key, after.Born);
        }
        else
        {
            _local.OnChange(change.Key, after.Born);
            _flights.Detach(change.Key, after.Born, isSet: record.Kind == CacheRecordKind.Entry);
            // The factory of another node has not got the removal in time, and its node may never see it, because the value is later.
            if (CacheRecord.TryRead(change.Before, out var before) && before.Kind == CacheRecordKind.Removal && record.Known?.Entry < change.Before!.Born
                && change.Before.Expires.Time > _time.GetUtcNow())
            {
                RemoveAgain(change.Key, after.Born);
            }
        }
    }

    /// <summary>Replaces a stale entry by the mark of a removal, in the background, unless it has changed.</summary>
    void RemoveAgain(DocumentKey document, HlcTimestamp stale)
    {
        var removing = RunAsync();
        if (!removing.IsCompleted)
        {
            _removals[removing] = true;
            _ = removing.ContinueWith(done => _removals.TryRemove(done, out _), CancellationToken.None, TaskContinuationOptions.ExecuteSynchronously, TaskScheduler.Default);
        }

        async Task RunAsync()
        {
            OpenedKeyspace? opened = null;
            try
            {
                opened = await OpenAsync(CancellationToken.None).ConfigureAwait(false);
                var transaction = new Transaction();
                transaction.PutExpiring(_options.Keyspace, document, DocumentContent.OfRaw(new CacheRecord { Kind = CacheRecordKind.Removal }.Encode(default)), opened.Now + RemovalLifetime);
                transaction.Require(_options.Keyspace, document, present => present?.Born == stale);
                await opened.Store.CommitAsync(transaction, Consistency.None, CancellationToken.None).ConfigureAwait(false);
            }
            catch (Exception e) when (e is TransactionConflictException or ObjectDisposedException)
            {
                // Set or removed in the meantime, or this node ends, and another that knew of the removal does the same.
            }
            catch (Exception e)
            {
                if (opened is not null)
                    CachingLog.RemovalFailed(opened.Logger, e, _options.Keyspace);
            }
        }
    }

    void OnInvalidated(DocumentKey tag, HlcTimestamp stamp)
    {
        _tags.Invalidate(tag, stamp);
        _flights.DetachTagged(tag == TagTable.AllTag ? (DocumentKey?)null : tag, stamp);
    }

    ValueTask<OpenedKeyspace> OpenAsync(CancellationToken cancellationToken) => _keyspace.OpenAsync(cancellationToken);

    EncodedEntry Encode<T>(OpenedKeyspace opened, string key, T value, HybridCacheEntryOptions? options, Knowledge known)
    {
        var payload = Serialize(value);
        var expiration = options?.Expiration ?? _options.DefaultEntryOptions?.Expiration ?? DefaultExpiration;
        expiration = expiration <= TimeSpan.Zero ? TimeSpan.Zero : expiration <= _options.MaxExpiration ? expiration : _options.MaxExpiration;
        return new EncodedEntry(
            key, CacheKeys.OfHybrid(key), new CacheRecord { Known = known, IsNull = value is null, Payload = payload }, value, opened.Now + expiration, LocalExpirationOf(options),
            Immutability<T>.IsImmutable, typeof(T));
    }

    ReadOnlyMemory<byte> Serialize<T>(T value)
    {
        if (value is null)
            return default;
        var writer = new ArrayBufferWriter<byte>();
        _serializers.Of<T>().Serialize(value, writer);
        // The buffer may be twice as long, and the bytes stay in memory.
        return writer.WrittenSpan.ToArray();
    }

    void AddLocal(EncodedEntry entry, HlcTimestamp stamp, LocalTicket ticket, HybridCacheEntryFlags flags)
    {
        var now = _time.GetUtcNow();
        var expires = entry.LocalExpiration is { } time && time < entry.Expires - now ? now + (time > TimeSpan.Zero ? time : TimeSpan.Zero) : entry.Expires;
        bool isShared = entry.IsImmutable || entry.Record.IsNull;
        var payload = entry.Record.Payload;
        _local.Add(
            new LocalEntry
            {
                Key = entry.Key,
                Document = entry.Document,
                Stamp = stamp,
                Known = entry.Known,
                ExpiresAt = expires.UtcTicks,
                IsNull = entry.Record.IsNull,
                Type = entry.Type,
                Shared = isShared ? entry.Value : null,
                Payload = isShared ? default : payload,
                Length = LocalCache.LengthOf(entry.Key, entry.Known.Tags, isShared && entry.Value is string text ? sizeof(char) * text.Length : payload.Length),
            },
            ticket,
            isKept: !flags.HasFlag(HybridCacheEntryFlags.DisableLocalCacheWrite));
    }

    HybridCacheEntryFlags FlagsOf(HybridCacheEntryOptions? options) => options?.Flags ?? _options.DefaultEntryOptions?.Flags ?? HybridCacheEntryFlags.None;

    TimeSpan? LocalExpirationOf(HybridCacheEntryOptions? options) => options?.LocalCacheExpiration ?? _options.DefaultEntryOptions?.LocalCacheExpiration;

    static DocumentKey[]? KeysOf(IEnumerable<string>? tags)
    {
        if (tags is null)
            return null;
        DocumentKey[] keys = [.. tags.Select(static tag => KeyOfTag(tag, mayBeEverything: false)).Distinct()];
        return keys.Length switch
        {
            0 => null,
            <= CacheRecord.MaxTags => keys,
            _ => throw new ArgumentException($"The entry has {keys.Length} tags. The limit is {CacheRecord.MaxTags}.", nameof(tags)),
        };
    }

    static DocumentKey KeyOfTag(string? tag, bool mayBeEverything)
    {
        if (string.IsNullOrWhiteSpace(tag))
            throw new ArgumentException("A tag is null, empty, or white space. Use a text, or leave the tag out.", nameof(tag));
        if (tag == CacheKeys.Everything && !mayBeEverything)
            throw new ArgumentException($"The tag '{CacheKeys.Everything}' stands for all entries, and cannot be given to one. Use another tag.", nameof(tag));
        return CacheKeys.OfTag(tag);
    }

    /// <summary>An entry with its value and its bytes.</summary>
    readonly record struct EncodedEntry(
        string Key, DocumentKey Document, CacheRecord Record, object? Value, DateTimeOffset Expires, TimeSpan? LocalExpiration, bool IsImmutable, Type Type)
    {
        public Knowledge Known => Record.Known ?? Knowledge.None;
    }
}
