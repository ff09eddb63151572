using Datacake.Crdt;
using Datacake.EventualConsistency.Replication;
using Datacake.Storage;

namespace Datacake.EventualConsistency;

/// <summary>
/// A page of living documents, which are read in place, in memory that is used again for the next page. What it shows is valid until it is
/// filled again or disposed. Not thread-safe.
/// </summary>
public sealed class DocumentPage : IDisposable
{
    MergePolicy _policy;

    /// <summary>Whether there was nothing to read; a page that is not empty may still have no living document.</summary>
    public bool IsEmpty => Entries.Count == 0;

    /// <summary>How many living documents it has at most.</summary>
    public int MaxCount => Entries.Count;

    internal EntryPage Entries { get; } = new();

    /// <summary>The living documents, for <c>foreach</c>.</summary>
    /// <exception cref="StorageException">On moving to a document: it is damaged.</exception>
    public Enumerator GetEnumerator() => new(Entries, _policy);

    /// <inheritdoc/>
    public void Dispose() => Entries.Dispose();

    internal EntryPage EntriesFor(MergePolicy policy)
    {
        _policy = policy;
        return Entries;
    }

    /// <summary>Goes through the documents of a page.</summary>
    public ref struct Enumerator
    {
        readonly EntryPage _entries;
        readonly MergePolicy _policy;
        int _at;

        internal Enumerator(EntryPage entries, MergePolicy policy)
        {
            _entries = entries;
            _policy = policy;
            _at = -1;
        }

        /// <summary>The document that <see cref="MoveNext"/> found.</summary>
        public DocumentPageEntry Current { get; private set; }

        /// <summary>Goes to the next living document.</summary>
        /// <exception cref="StorageException">It is damaged.</exception>
        public bool MoveNext()
        {
            while (++_at < _entries.Count)
            {
                var key = _entries.KeyOf(_at);
                var document = ReplicaBatch.ViewStored(key, _entries.ValueOf(_at));
                if (!document.IsAlive(_policy))
                    continue;
                Current = new DocumentPageEntry(key, document);
                return true;
            }
            return false;
        }
    }
}
