using System.Buffers;
using Datacake.Crdt;
using Datacake.EventualConsistency.Layout;
using Datacake.Storage;

namespace Datacake.EventualConsistency.Snapshots;

/// <summary>
/// A page of live documents, which are read in place, in memory that is used again for the next page. The content of the page is valid
/// until the page is filled again or disposed. Not thread-safe.
/// </summary>
sealed class DocumentPage : IDisposable
{
    MergePolicy _policy;
    HlcTimestamp _now;

    // Rented. For each document, the cached document, or null if it is the next one of the entries; empty if all documents are entries.
    CachedDocument?[] _found = [];
    int _foundCount;

    /// <summary>True if there was nothing to read. A page that is not empty may still have no live document.</summary>
    public bool IsEmpty => MaxCount == 0;

    /// <summary>Gets the maximum number of live documents in the page.</summary>
    public int MaxCount => _foundCount > 0 ? _foundCount : Entries.Count;

    internal EntryPage Entries { get; } = new();

    /// <summary>Returns an enumerator of the live documents, for <c>foreach</c>.</summary>
    /// <exception cref="StorageException">Thrown by <see cref="Enumerator.MoveNext"/> if the document is damaged.</exception>
    public Enumerator GetEnumerator() => new(this, isLazy: false);

    /// <summary>Returns an enumerator of the live documents, which validates a document once <see cref="DocumentPageEntry.Document"/> is used.</summary>
    public Enumerator Lazily() => new(this, isLazy: true);

    /// <inheritdoc/>
    public void Dispose()
    {
        Clear();
        Return(ref _found);
        Entries.Dispose();
    }

    internal void Clear()
    {
        Entries.Clear();
        _found.AsSpan(0, _foundCount).Clear();
        _foundCount = 0;
    }

    internal EntryPage EntriesFor(MergePolicy policy, HlcTimestamp now)
    {
        Clear();
        _now = now;
        _policy = policy;
        return Entries;
    }

    /// <summary>
    /// Returns the space for the given number of documents of the cache; null stands for a document that is not in the cache and may be
    /// among the entries.
    /// </summary>
    internal Span<CachedDocument?> FoundFor(int count)
    {
        if (_found.Length < count)
        {
            Return(ref _found);
            _found = ArrayPool<CachedDocument?>.Shared.Rent(count);
        }
        _foundCount = count;
        return _found.AsSpan(0, count);
    }

    /// <summary>Removes the documents that were looked up but are not among the entries, after the entries are read.</summary>
    internal void LeaveOutMissing(ReadOnlySpan<ReadOnlyMemory<byte>> sought)
    {
        if (Entries.Count == sought.Length)
            return;
        int count = 0, entry = 0;
        foreach (var found in _found.AsSpan(0, _foundCount))
        {
            if (found is null)
            {
                bool isThere = entry < Entries.Count && Entries.KeyOf(entry).SequenceEqual(sought[0].Span);
                sought = sought[1..];
                if (!isThere)
                    continue;
                entry++;
            }
            _found[count++] = found;
        }
        _found.AsSpan(count, _foundCount - count).Clear();
        _foundCount = count;
    }

    static void Return(ref CachedDocument?[] array)
    {
        if (array.Length > 0)
            ArrayPool<CachedDocument?>.Shared.Return(array);
        array = [];
    }

    /// <summary>An enumerator of the live documents of a page.</summary>
    public ref struct Enumerator
    {
        readonly DocumentPage _page;
        readonly bool _isLazy;
        int _at = -1;
        int _entry;

        internal Enumerator(DocumentPage page, bool isLazy)
        {
            _page = page;
            _isLazy = isLazy;
        }

        /// <summary>Returns the enumerator.</summary>
        public readonly Enumerator GetEnumerator() => this;

        /// <summary>Gets the document that <see cref="MoveNext"/> has found.</summary>
        public DocumentPageEntry Current { get; private set; }

        /// <summary>Advances to the next live document. Returns false at the end of the page.</summary>
        /// <exception cref="StorageException">The document is damaged.</exception>
        public bool MoveNext()
        {
            while (++_at < _page.MaxCount)
            {
                ReadOnlySpan<byte> key;
                DocumentView document;
                bool isValid = true;
                if (_at < _page._foundCount && _page._found[_at] is { } found)
                {
                    key = found.StorageKey;
                    document = found.Document.View;
                }
                else
                {
                    key = _page.Entries.KeyOf(_entry);
                    isValid = !_isLazy;
                    document = isValid ? DocumentRecord.View(key, _page.Entries.ValueOf(_entry++)) : DocumentRecord.ViewHeader(key, _page.Entries.ValueOf(_entry++));
                }
                if (!document.IsAliveAt(_page._now, _page._policy))
                    continue;
                Current = new DocumentPageEntry(key, document, isValid);
                return true;
            }
            return false;
        }
    }
}
