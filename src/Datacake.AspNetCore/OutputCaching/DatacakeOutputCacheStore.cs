using System.Buffers;
using System.Globalization;
using System.IO.Pipelines;
using Datacake.Crdt;
using Datacake.EventualConsistency;
using Datacake.Extensions.Caching.Diagnostics;
using Datacake.Extensions.Caching.Keyspaces;
using Datacake.Extensions.Caching.Records;
using Datacake.Extensions.Caching.Tags;
using Datacake.Node;
using Microsoft.AspNetCore.OutputCaching;

namespace Datacake.AspNetCore.OutputCaching;

/// <summary>
/// The responses of output caching in a keyspace, as documents that expire. The eviction of a tag is one small document, however many responses have the tag: a response is valid if its node
/// knew the last eviction of each of its tags when the request began. Thread-safe.
/// </summary>
sealed class DatacakeOutputCacheStore : IOutputCacheBufferStore, IDisposable, IAsyncDisposable
{
    /// <summary>The beginning of the tag with the origin of a response, which no tag of an application has.</summary>
    const string OriginPrefix = "\0datacake-origin:";

    /// <summary>The origin of a response whose request began before evictions were seen.</summary>
    const long NotReady = -1;

    /// <summary>The time by which an eviction outlives the responses that it concerns, because clocks differ.</summary>
    static readonly TimeSpan TagSlack = TimeSpan.FromDays(1);

    readonly DatacakeOutputCacheOptions _options;
    readonly CacheKeyspace _keyspace;
    readonly TagTable _tags = new();
    volatile OpenedKeyspace? _watched;                  // null while evictions are not seen
    long _start = NotReady;                                   // the evictions that had arrived when the first watch had started

    public DatacakeOutputCacheStore(Func<DatacakeNode> node, DatacakeOutputCacheOptions options)
    {
        _options = options;
        _keyspace = new CacheKeyspace(node, options, new ChangeHandlers(OnStartAsync, OnChange, () => _watched = null));
    }

    /// <summary>Gets the number of tags with an eviction that is remembered.</summary>
    internal int RememberedTags => _tags.Count;

    /// <summary>Returns the tag that says when a response was begun.</summary>
    public string OriginTag() => string.Create(CultureInfo.InvariantCulture, $"{OriginPrefix}{(_watched is null ? NotReady : _tags.Arrivals)}");

    public async ValueTask<byte[]?> GetAsync(string key, CancellationToken cancellationToken) =>
        (await FindAsync(key, cancellationToken).ConfigureAwait(false))?.ToArray();

    public async ValueTask<bool> TryGetAsync(string key, PipeWriter destination, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(destination);
        if (await FindAsync(key, cancellationToken).ConfigureAwait(false) is not { } value)
            return false;
        // Not flushed: the reader may begin only when all is written.
        destination.Write(value.Span);
        return true;
    }

    public ValueTask SetAsync(string key, byte[] value, string[]? tags, TimeSpan validFor, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(value);
        return SetAsync(key, new ReadOnlySequence<byte>(value), tags, validFor, cancellationToken);
    }

    public async ValueTask SetAsync(string key, ReadOnlySequence<byte> value, ReadOnlyMemory<string> tags, TimeSpan validFor, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(key);
        if (validFor <= TimeSpan.Zero)
            return;
        var (tagKeys, begun) = Split(tags);
        var opened = await _keyspace.OpenAsync(cancellationToken).ConfigureAwait(false);
        // A request that began before the cache was ready was rendered after that, because it first waited for the lookup.
        long arrivals = begun is null ? _tags.Arrivals : begun == NotReady ? Interlocked.Read(ref _start) : begun.Value;
        if (_tags.KnownSince(arrivals, tagKeys) is not { } known)
            return;             // evicted while it was rendered
        var document = CacheKeys.OfOutput(key);
        var record = new CacheRecord { Known = known };
        int overhead = record.HeaderLength + document.Encoded.Length + KeyspaceSize.OverheadPerDocument;
        if (_options.SizeLimit is { } limit && value.Length > limit - overhead)
            throw TooLarge(value.Length, $"The limit of the whole cache is {limit} bytes: raise {nameof(DatacakeOutputCacheOptions.SizeLimit)} on all nodes.");
        var expires = opened.Now + (validFor < _options.MaxExpiration ? validFor : _options.MaxExpiration);
        try
        {
            await opened.Documents.PutExpiringAsync(document, record.Encode(value), expires, _options.Consistency, cancellationToken).ConfigureAwait(false);
        }
        catch (TransactionLimitException e)
        {
            throw TooLarge(value.Length, $"The store accepts documents of {e.Limit} bytes: raise {nameof(ReplicatedStoreOptions.MaxDocumentLength)} on all nodes.", e);
        }
    }

    public async ValueTask EvictByTagAsync(string tag, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(tag);
        var opened = await _keyspace.OpenAsync(cancellationToken).ConfigureAwait(false);
        var document = KeyOf(tag);
        var mark = new CacheRecord { Kind = CacheRecordKind.Tag }.Encode(default);
        var committed = await opened.Documents.PutExpiringAsync(document, mark, opened.Now + _options.MaxExpiration + TagSlack, _options.Consistency, cancellationToken).ConfigureAwait(false);
        _tags.Invalidate(document, committed.Stamp);
    }

    public void Dispose() => DisposeAsync().AsTask().GetAwaiter().GetResult();

    public ValueTask DisposeAsync() => _keyspace.DisposeAsync();

    async ValueTask<ReadOnlyMemory<byte>?> FindAsync(string key, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(key);
        var opened = await _keyspace.OpenAsync(cancellationToken).ConfigureAwait(false);
        var document = await opened.Documents.GetAsync(CacheKeys.OfOutput(key), cancellationToken).ConfigureAwait(false);
        bool isFound = CacheRecord.TryRead(document, out var record) && record.Kind == CacheRecordKind.Entry && _watched is not null && _tags.IsValid(record.Known ?? Knowledge.None);
        opened.Metrics.OnRead(isFound ? CacheMetrics.InStore : CacheMetrics.Missing);
        return isFound ? record.Payload : (ReadOnlyMemory<byte>?)null;
    }

    async ValueTask OnStartAsync(OpenedKeyspace opened, CancellationToken cancellationToken)
    {
        // The tags come first.
        await foreach (var document in opened.Documents.ReadAllAsync(cancellationToken).ConfigureAwait(false))
        {
            if (document.Key > CacheKeys.EndOfTags)
                break;
            if (CacheRecord.TryRead(document.Document, out var record) && record.Kind == CacheRecordKind.Tag)
                _tags.Invalidate(document.Key, document.Document.Born);
        }
        Interlocked.CompareExchange(ref _start, _tags.Arrivals, NotReady);
        _watched = opened;
    }

    void OnChange(DocumentChange change)
    {
        if (change.After is not { } after)
            _tags.Forget(change.Key, change.Before?.Born ?? HlcTimestamp.None);
        else if (CacheRecord.TryRead(after, out var record) && record.Kind == CacheRecordKind.Tag)
            _tags.Invalidate(change.Key, after.Born);
    }

    /// <summary>Returns the keys of an application's tags, and the origin among the tags: null if there is none, and a negative number if the cache was not ready when the request began.</summary>
    static (DocumentKey[]? Keys, long? Begun) Split(ReadOnlyMemory<string> tags)
    {
        var keys = new HashSet<DocumentKey>();
        long? begun = null;
        foreach (string tag in tags.Span)
        {
            if (tag is null)
                throw new ArgumentException("A tag of a response is null. Use texts.", nameof(tags));
            if (!tag.StartsWith(OriginPrefix, StringComparison.Ordinal))
                keys.Add(KeyOf(tag));
            else if (long.TryParse(tag.AsSpan(OriginPrefix.Length), CultureInfo.InvariantCulture, out long arrivals))
                begun = arrivals;
        }
        return keys.Count switch
        {
            0 => (null, begun),
            <= CacheRecord.MaxTags => ([.. keys], begun),
            _ => throw new ArgumentException($"A response has {keys.Count} tags. The limit is {CacheRecord.MaxTags}.", nameof(tags)),
        };
    }

    /// <summary>Returns the key of a tag. The prefix sets tags of output caching apart from the tag that stands for everything.</summary>
    static DocumentKey KeyOf(string tag) => CacheKeys.OfTag($"o:{tag}");

    static ArgumentException TooLarge(long length, string remedy, Exception? inner = null) =>
        new($"A response of {length} bytes is too large for the output cache, and was not stored. Lower {nameof(OutputCacheOptions.MaximumBodySize)}, or store more: {remedy}", inner);
}
