using Datacake.Crdt;
using Datacake.EventualConsistency;
using Datacake.EventualConsistency.Indexes;
using Datacake.EventualConsistency.Sequencing;
using Datacake.EventualConsistency.Snapshots;
using Datacake.Storage;

namespace Datacake.Data.Serial;

/// <summary>
/// The entities of serial keyspaces that were read for a serial save, found or not, and the ranges of keys and indexes that were searched. They are conditions of
/// its commit. Not thread-safe, like the context.
/// </summary>
sealed class SerialReads : ISnapshotObserver
{
    /// <summary>The number of documents that a sequencer reads for the ranges of one transaction.</summary>
    const int MaxRecords = 10_000;

    const int PageSize = 500;

    const int MaxPosition = DocumentIndex.MaxValueLength + DocumentKey.MaxLength;

    readonly HashSet<SerialCondition> _known = [];
    readonly List<SerialCondition> _conditions = [];
    readonly List<SerialRange> _keyRanges = [];
    readonly List<IndexRead> _indexRanges = [];
    readonly Dictionary<(string, DocumentKey), UInt128> _contents = [];     // as the first read has found them
    readonly Dictionary<(string Keyspace, DocumentKey Key), UInt128> _tracked = [];     // when the work began, and not read again since

    /// <summary>Gets the keyspaces of the context, whose classes the exception for a conflict names; empty if the caller does not throw it.</summary>
    public IReadOnlyList<KeyspaceModel> Keyspaces { get; init; } = [];

    /// <summary>Gets or sets what the exception for a conflict says about the unit of work, and what to do.</summary>
    public string Remedy { get; set; } = "";

    /// <summary>True if nothing was read.</summary>
    public bool IsEmpty => _conditions.Count + _keyRanges.Count + _indexRanges.Count + _tracked.Count == 0;

    /// <summary>Gets the entities that must be as they were read, in the order of the reads.</summary>
    public IEnumerable<SerialCondition> Conditions => _conditions.Concat(_tracked.Select(static known => new SerialCondition(known.Key.Keyspace, known.Key.Key, known.Value)));

    /// <summary>Returns the name of the entity class of a keyspace.</summary>
    public string NameOf(string keyspace) => Keyspaces.First(known => known.Name == keyspace).Entity.Name;

    /// <summary>Returns the ranges that must show what they did.</summary>
    /// <param name="store">The store, from which entities are read that only an index has shown.</param>
    /// <param name="unknown">The indexes that the sequencer does not have. A search of them is replaced by a condition on all entities of the keyspace.</param>
    /// <param name="cancellationToken">Cancels the reads.</param>
    public async ValueTask<IReadOnlyList<SerialRange>> RangesAsync(ReplicatedStore store, UnknownIndexes unknown, CancellationToken cancellationToken)
    {
        // The same range is often read several times, and checked once.
        var ranges = new List<SerialRange>();
        var known = new HashSet<(string, string?, UInt128, string, string?)>();
        foreach (var range in _keyRanges)
            AddOnce(range);
        if (_indexRanges.Count == 0)
            return ranges;
        using var snapshot = await store.OpenSnapshotAsync(cancellationToken).ConfigureAwait(false);
        foreach (var read in _indexRanges)
        {
            var (keyspace, index, values, keys) = read;
            if (unknown.Contains(keyspace, index.Name))
            {
                AddOnce(await AllOfAsync(snapshot, read, cancellationToken).ConfigureAwait(false));
                continue;
            }
            var hash = new RangeHash();
            foreach (var key in keys)
            {
                if (!_contents.TryGetValue((keyspace, key), out var content))
                {
                    // Only the entry of the index was read, so the entity may have changed since. If it is gone, the range has changed, and no content is right.
                    content = await snapshot.GetAsync(keyspace, key, cancellationToken).ConfigureAwait(false) is { } document ? ContentHash.Of(document) : 0;
                    _contents.Add((keyspace, key), content);
                }
                hash.Add(key.Encoded.Span, content);
            }
            AddOnce(SerialRange.OfIndex(keyspace, index, values, hash));
        }
        return ranges;

        void AddOnce(SerialRange range)
        {
            string? end = range.Range.End is { } bound ? Convert.ToHexString(bound.Span) : null;
            if (known.Add((range.Keyspace, range.Index, range.Hash, Convert.ToHexString(range.Range.Start.Span), end)))
                ranges.Add(range);
        }
    }

    /// <summary>
    /// Returns the transaction that has effects if all of it still holds. If a sequencer could not check the ranges, only the entities are conditions that were
    /// found in them.
    /// </summary>
    /// <param name="store">The store.</param>
    /// <param name="effects">The effects.</param>
    /// <param name="written">The keyspaces of the effects, whose unique indexes are enforced.</param>
    /// <param name="unknown">The indexes that the sequencer does not have.</param>
    /// <param name="checksRanges">False if the sequencer has found that the ranges have too much.</param>
    /// <param name="cancellationToken">Cancels the reads.</param>
    public async ValueTask<SerialTransaction> ToTransactionAsync(
        ReplicatedStore store, Transaction effects, IEnumerable<KeyspaceModel> written, UnknownIndexes unknown, bool checksRanges, CancellationToken cancellationToken)
    {
        var ranges = checksRanges ? await RangesAsync(store, unknown, cancellationToken).ConfigureAwait(false) : [];
        bool canCheck = checksRanges && ranges.Count <= SerialRange.MaxRanges && ranges.Sum(static range => range.Count) <= MaxRecords;
        if (!canCheck)
        {
            foreach (var ((keyspace, key), content) in _contents.ToList())
                Add(keyspace, key, content);
        }
        return new SerialTransaction(effects, _conditions) { Ranges = canCheck ? ranges : [], UniqueIndexes = UniqueIndexes.Of(written) };
    }

    /// <summary>
    /// Returns the condition that no entity of a keyspace changes after a snapshot, in which an index still shows what it has shown. If it does not, returns a
    /// condition that does not hold.
    /// </summary>
    async ValueTask<SerialRange> AllOfAsync(StoreSnapshot snapshot, IndexRead read, CancellationToken cancellationToken)
    {
        var contents = new Dictionary<DocumentKey, UInt128>();
        var hash = new RangeHash();
        var rest = KeyRange.All;
        // The sequencer refuses to read more.
        while (hash.Count <= MaxRecords)
        {
            var page = await snapshot.ScanAsync(read.Keyspace, rest, ScanDirection.Forward, PageSize, cancellationToken).ConfigureAwait(false);
            if (page.Count == 0)
                break;
            foreach (var (key, document) in page)
            {
                contents[key] = ContentHash.Of(document);
                hash.Add(key.Encoded.Span, contents[key]);
            }
            rest = rest.After(page[^1].Key.Encoded);
        }
        bool isSame = await ShowsAsync(snapshot, read, cancellationToken).ConfigureAwait(false)
            && read.Keys.All(key => contents.TryGetValue(key, out var content) && (!_contents.TryGetValue((read.Keyspace, key), out var shown) || shown == content));
        if (!isSame)
            hash.Add([], 0);
        return SerialRange.OfKeys(read.Keyspace, KeyRange.All, hash);
    }

    /// <summary>Returns true if the index of a snapshot shows the keys that were read.</summary>
    static async ValueTask<bool> ShowsAsync(StoreSnapshot snapshot, IndexRead read, CancellationToken cancellationToken)
    {
        if (snapshot.FindIndex(read.Keyspace, read.Index.Name)?.Signature != read.Index.Signature)
            return false;
        var keys = new List<DocumentKey>(read.Keys.Count);
        using var page = new IndexPage();
        for (var rest = read.Values; keys.Count <= read.Keys.Count;)
        {
            var last = await snapshot.ScanIndexAsync(read.Keyspace, read.Index.Name, rest, ScanDirection.Forward, PageSize, page, cancellationToken).ConfigureAwait(false);
            if (page.Count == 0)
                break;
            for (int i = 0; i < page.Count; i++)
                keys.Add(new DocumentKey(page.KeyOf(i).ToArray()));
            rest = rest.After(last);
        }
        return keys.SequenceEqual(read.Keys);
    }

    /// <summary>Adds an entity that the caller knows from before the work, and may use without asking for it again.</summary>
    public void AddTracked(string keyspace, DocumentKey key, UInt128 content) => _tracked[(keyspace, key)] = content;

    /// <summary>Notes that the instance that the caller knew has the values of a later read, which is a condition of its own.</summary>
    public void OnReloaded(string keyspace, DocumentKey key) => _tracked.Remove((keyspace, key));

    /// <summary>Adds an entity with the content that the caller was shown; null if there was none.</summary>
    public void Add(string keyspace, DocumentKey key, UInt128? content)
    {
        // Two different contents of an entity contradict each other, so that the commit fails: the caller has seen both.
        var condition = new SerialCondition(keyspace, key, content);
        if (_known.Add(condition))
            _conditions.Add(condition);
        if (content is { } known)
            _contents.TryAdd((keyspace, key), known);
    }

    /// <summary>Returns the transaction that has effects if the entities that were looked up are still the same.</summary>
    public SerialTransaction ToTransaction(Transaction effects) => new(effects, _conditions);

    /// <inheritdoc/>
    public void OnRead(string keyspace, MergePolicy policy, DocumentKey key, Document? document)
    {
        if (policy == MergePolicy.Serial)
            Add(keyspace, key, document is null ? null : ContentHash.Of(document));
    }

    /// <inheritdoc/>
    public void OnScanned(string keyspace, MergePolicy policy, KeyRange keys, DocumentPage page)
    {
        if (policy != MergePolicy.Serial || keys.IsEmpty)
            return;
        var found = new List<(DocumentKey Key, UInt128 Content)>(page.MaxCount);
        foreach (var document in page)
            found.Add((new DocumentKey(document.EncodedKey.ToArray()), ContentHash.Of(Document.Parse(document.Document.Encoded.ToArray()))));
        // The page of a backward scan is in descending order.
        if (found is [var first, .., var last] && first.Key > last.Key)
            found.Reverse();
        var hash = new RangeHash();
        foreach (var (key, content) in found)
        {
            hash.Add(key.Encoded.Span, content);
            _contents.TryAdd((keyspace, key), content);
        }
        _keyRanges.Add(SerialRange.OfKeys(keyspace, Copy(keys), hash));
    }

    /// <inheritdoc/>
    public void OnIndexScanned(string keyspace, MergePolicy policy, DocumentIndex index, KeyRange values, IndexPage page)
    {
        if (policy != MergePolicy.Serial || values.IsEmpty)
            return;
        var keys = new List<DocumentKey>(page.Count);
        for (int i = 0; i < page.Count; i++)
            keys.Add(new DocumentKey(page.KeyOf(i).ToArray()));
        if (page.Count > 1 && page.PositionOf(0).SequenceCompareTo(page.PositionOf(page.Count - 1)) > 0)
            keys.Reverse();
        _indexRanges.Add(new IndexRead(keyspace, index, Copy(values), keys));
    }

    /// <summary>Returns a range that stays as it is when the reader uses its memory again.</summary>
    static KeyRange Copy(KeyRange range) => new(BoundOf(range.Start), range.End is { } end ? BoundOf(end) : default(ReadOnlyMemory<byte>?));

    /// <summary>
    /// Returns a copy of a bound. One that is longer than all positions, such as a long text that a query compares with, is replaced by the least bound above the
    /// longest position that it begins with: no position lies between the two.
    /// </summary>
    static ReadOnlyMemory<byte> BoundOf(ReadOnlyMemory<byte> bound) =>
        bound.Length <= MaxPosition ? bound.ToArray() : (byte[])[.. bound.Span[..MaxPosition], 0];

    /// <summary>The read of a range of an index.</summary>
    /// <param name="Keyspace">The keyspace.</param>
    /// <param name="Index">The index.</param>
    /// <param name="Values">The range of positions.</param>
    /// <param name="Keys">The keys of the entries that it has shown, in ascending order of their positions.</param>
    sealed record IndexRead(string Keyspace, DocumentIndex Index, KeyRange Values, IReadOnlyList<DocumentKey> Keys);
}
