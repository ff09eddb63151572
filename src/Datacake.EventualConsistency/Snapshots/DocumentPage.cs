using System.Buffers;
using Datacake.Crdt;
using Datacake.EventualConsistency.Layout;
using Datacake.EventualConsistency.Snapshots;
using Datacake.Storage;

namespace Datacake.EventualConsistency;

/// <summary>
/// A page of living documents, which are read in place, in memory that is used again for the next page. What it shows is valid until it is
/// filled again or disposed. Not thread-safe.
/// </summary>
public sealed class DocumentPage : IDisposable
{
    MergePolicy _policy;

    // Rented: for each document the one of the cache, or null for the next one of the entries; empty when all are entries.
    CachedDocument?[] _found = [];
    int _foundCount;

    /// <summary>Whether there was nothing to read; a page that is not empty may still have no living document.</summary>
    public bool IsEmpty => MaxCount == 0;

    /// <summary>How many living documents it has at most.</summary>
    public int MaxCount => _foundCount > 0 ? _foundCount : Entries.Count;

    internal EntryPage Entries { get; } = new();

    /// <summary>The living documents, for <c>foreach</c>.</summary>
    /// <exception cref="StorageException">On moving to a document: it is damaged.</exception>
    public Enumerator GetEnumerator() => new(this);

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

    internal EntryPage EntriesFor(MergePolicy policy)
    {
        Clear();
        _policy = policy;
        return Entries;
    }

    /// <summary>Where so many documents of the cache go, or null for one that is not there and may be among the entries.</summary>
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

    /// <summary>The entries are there: what was sought and is not among them is left out.</summary>
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

    /// <summary>Goes through the documents of a page.</summary>
    public ref struct Enumerator
    {
        readonly DocumentPage _page;
        int _at = -1;
        int _entry;

        internal Enumerator(DocumentPage page) => _page = page;

        /// <summary>The document that <see cref="MoveNext"/> found.</summary>
        public DocumentPageEntry Current { get; private set; }

        /// <summary>Goes to the next living document.</summary>
        /// <exception cref="StorageException">It is damaged.</exception>
        public bool MoveNext()
        {
            while (++_at < _page.MaxCount)
            {
                ReadOnlySpan<byte> key;
                DocumentView document;
                if (_at < _page._foundCount && _page._found[_at] is { } found)
                {
                    key = found.StorageKey;
                    document = found.Document.View;
                }
                else
                {
                    key = _page.Entries.KeyOf(_entry);
                    document = DocumentRecord.View(key, _page.Entries.ValueOf(_entry++));
                }
                if (!document.IsAlive(_page._policy))
                    continue;
                Current = new DocumentPageEntry(key, document);
                return true;
            }
            return false;
        }
    }
}
