using Datacake.Crdt;
using Datacake.EventualConsistency.Layout;

namespace Datacake.EventualConsistency;

/// <summary>A document of a <see cref="DocumentPage"/>, valid as long as what the page shows.</summary>
public readonly ref struct DocumentPageEntry
{
    readonly ReadOnlySpan<byte> _storageKey;

    internal DocumentPageEntry(ReadOnlySpan<byte> storageKey, DocumentView document)
    {
        _storageKey = storageKey;
        Document = document;
    }

    /// <summary>The encoded key.</summary>
    public ReadOnlySpan<byte> EncodedKey => _storageKey[StoreLayout.DocumentPrefixLength..];

    /// <summary>The document.</summary>
    public DocumentView Document { get; }
}
