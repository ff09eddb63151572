using System.Diagnostics.CodeAnalysis;
using Datacake.Crdt;
using Datacake.EventualConsistency.Indexes;
using Datacake.EventualConsistency.Keyspaces;
using Datacake.EventualConsistency.Transactions;
using Datacake.Storage;

namespace Datacake.EventualConsistency.Sequencing;

/// <summary>
/// The last write of each document among the entries that wait, with the positions of the written documents in the order of keys, and of each index that was
/// asked for. Not thread-safe.
/// </summary>
sealed class WaitingWrites
{
    readonly Dictionary<string, OfKeyspace> _keyspaces = [];

    /// <summary>Gets the set without writes.</summary>
    public static WaitingWrites None { get; } = new();

    /// <summary>Notes a write of an entry, which is newer than all others.</summary>
    public void Note(ulong entry, DocumentOperation operation)
    {
        if (!_keyspaces.TryGetValue(operation.Keyspace, out var keyspace))
            _keyspaces.Add(operation.Keyspace, keyspace = new OfKeyspace());
        keyspace.Put(new WaitingWrite(entry, operation));
    }

    /// <summary>Forgets a write, unless an entry that still waits has written the document since.</summary>
    public void Forget(ulong entry, DocumentOperation operation)
    {
        if (!_keyspaces.TryGetValue(operation.Keyspace, out var keyspace) || !keyspace.TryGet(operation.Key, out var newest) || newest.Entry != entry)
            return;
        keyspace.Remove(operation.Key);
        if (keyspace.IsEmpty)
            _keyspaces.Remove(operation.Keyspace);
    }

    /// <summary>Returns the last write of a document, or null if there is none.</summary>
    public WaitingWrite? Find(string keyspace, DocumentKey key) =>
        _keyspaces.TryGetValue(keyspace, out var found) && found.TryGet(key, out var write) ? write : null;

    /// <summary>Returns the positions of written documents in a range, in ascending order.</summary>
    /// <param name="keyspace">The keyspace.</param>
    /// <param name="index">The index; null for the keys.</param>
    /// <param name="range">The range of positions.</param>
    public IEnumerable<RangePosition> Within(string keyspace, IndexEntrySet? index, KeyRange range) =>
        _keyspaces.TryGetValue(keyspace, out var found) ? found.OrderOf(index).Within(range) : [];

    /// <summary>Returns the last key in a range that a write gives a document; null if there is none.</summary>
    public DocumentKey? LastKey(string keyspace, KeyRange keys) =>
        _keyspaces.TryGetValue(keyspace, out var found) ? found.OrderOf(index: null).LastWithin(keys)?.Key : null;

    /// <summary>Forgets all writes.</summary>
    public void Clear() => _keyspaces.Clear();

    sealed class OfKeyspace
    {
        readonly Dictionary<DocumentKey, WaitingWrite> _last = [];
        readonly List<RangeOrder> _orders = [];

        public bool IsEmpty => _last.Count == 0;

        public bool TryGet(DocumentKey key, [NotNullWhen(true)] out WaitingWrite? write) => _last.TryGetValue(key, out write);

        public void Put(WaitingWrite write)
        {
            _last[write.Operation.Key] = write;
            foreach (var order in _orders)
                order.Put(write.Operation.Key, write.Document);
        }

        public void Remove(DocumentKey key)
        {
            _last.Remove(key);
            foreach (var order in _orders)
                order.Remove(key);
        }

        /// <summary>Returns the order of an index, which is built when it is first asked for. Later, it costs as much as the writes.</summary>
        public RangeOrder OrderOf(IndexEntrySet? index)
        {
            if (_orders.Find(order => ReferenceEquals(order.Definition, index?.Definition)) is { } found)
                return found;
            var added = new RangeOrder(index);
            foreach (var (key, write) in _last)
                added.Put(key, write.Document);
            _orders.Add(added);
            return added;
        }
    }
}

/// <summary>A write of a document by an entry that waits.</summary>
/// <param name="Entry">The index of the entry.</param>
/// <param name="Operation">The write.</param>
sealed record WaitingWrite(ulong Entry, DocumentOperation Operation)
{
    Document? _document;

    /// <summary>Gets the document that the write results in; null if it deletes the document.</summary>
    public Document? Document => Operation.Kind == DocumentOperationKind.Delete ? null : _document ??= Document.Put(SerialOperation.NoStampYet, Operation.Content);
}

/// <summary>A document at its position in the order of keys, or of an index.</summary>
/// <param name="Position">The encoded key, or the encoded value followed by the encoded key.</param>
/// <param name="Key">The key.</param>
/// <param name="Document">The document.</param>
readonly record struct RangePosition(ReadOnlyMemory<byte> Position, DocumentKey Key, Document Document);

/// <summary>Documents in the order of keys, or of an index. Not thread-safe.</summary>
/// <param name="index">The index; null for the order of keys.</param>
sealed class RangeOrder(IndexEntrySet? index)
{
    static readonly Comparer<RangePosition> ByPosition = Comparer<RangePosition>.Create(static (a, b) => a.Position.Span.SequenceCompareTo(b.Position.Span));

    readonly IndexValues _values = new();
    readonly Dictionary<DocumentKey, RangePosition[]> _positionsOf = [];
    readonly SortedSet<RangePosition> _positions = new(ByPosition);

    /// <summary>Gets the definition of the index; null for the order of keys.</summary>
    public DocumentIndex? Definition => index?.Definition;

    /// <summary>Adds a document in place of an earlier one with the same key. Null stands for one that does not exist.</summary>
    public void Put(DocumentKey key, Document? document)
    {
        Remove(key);
        if (document is null)
            return;
        RangePosition[] positions = index is null
            ? [new RangePosition(key.Encoded, key, document)]
            : [.. index.ValuesOf(key.Encoded.Span, document, _values).Select(value => new RangePosition((byte[])[.. value, .. key.Encoded.Span], key, document))];
        if (positions.Length == 0)
            return;
        _positionsOf[key] = positions;
        _positions.UnionWith(positions);
    }

    /// <summary>Removes a document, if there is one.</summary>
    public void Remove(DocumentKey key)
    {
        if (!_positionsOf.Remove(key, out var positions))
            return;
        foreach (var position in positions)
            _positions.Remove(position);
    }

    /// <summary>Returns the positions in a range, in ascending order.</summary>
    public IEnumerable<RangePosition> Within(KeyRange range)
    {
        var first = new RangePosition(range.Start, default, Document.Nothing);
        if (_positions.Count == 0 || ByPosition.Compare(first, _positions.Max) > 0)
            return [];
        return _positions.GetViewBetween(first, _positions.Max).TakeWhile(position => range.Contains(position.Position.Span));
    }

    /// <summary>Returns the last position in a range; null if there is none.</summary>
    public RangePosition? LastWithin(KeyRange range)
    {
        var first = new RangePosition(range.Start, default, Document.Nothing);
        var last = range.End is { } end ? new RangePosition(end, default, Document.Nothing) : _positions.Max;
        if (_positions.Count == 0 || ByPosition.Compare(first, last) > 0)
            return null;
        foreach (var position in _positions.GetViewBetween(first, last).Reverse())
        {
            if (range.Contains(position.Position.Span))
                return position;
        }
        return null;
    }
}
