using Datacake.Crdt;
using Datacake.EventualConsistency.Layout;

namespace Datacake.EventualConsistency.Snapshots;

/// <summary>A document of a <see cref="DocumentPage"/>, which is valid as long as the content of the page.</summary>
readonly ref struct DocumentPageEntry
{
    readonly ReadOnlySpan<byte> _storageKey;

    internal DocumentPageEntry(ReadOnlySpan<byte> storageKey, DocumentView document)
    {
        _storageKey = storageKey;
        Document = document;
    }

    /// <summary>Gets the encoded key.</summary>
    public ReadOnlySpan<byte> EncodedKey => _storageKey[StoreLayout.DocumentPrefixLength..];

    /// <summary>Gets the document.</summary>
    public DocumentView Document { get; }
}
