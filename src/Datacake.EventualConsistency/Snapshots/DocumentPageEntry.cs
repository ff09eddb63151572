using Datacake.Crdt;
using Datacake.EventualConsistency.Layout;

namespace Datacake.EventualConsistency.Snapshots;

/// <summary>A document of a <see cref="DocumentPage"/>, which is valid as long as the content of the page.</summary>
readonly ref struct DocumentPageEntry
{
    readonly ReadOnlySpan<byte> _storageKey;

    readonly DocumentView _document;
    readonly bool _isValid;

    internal DocumentPageEntry(ReadOnlySpan<byte> storageKey, DocumentView document, bool isValid)
    {
        _storageKey = storageKey;
        _document = document;
        _isValid = isValid;
    }

    /// <summary>Gets the encoded key.</summary>
    public ReadOnlySpan<byte> EncodedKey => _storageKey[StoreLayout.DocumentPrefixLength..];

    /// <summary>Gets the document.</summary>
    /// <exception cref="Storage.StorageException">The document is damaged.</exception>
    public DocumentView Document => _isValid ? _document : DocumentRecord.View(_storageKey, _document.Encoded);

    /// <summary>Gets the document, whose cells are valid as far as the checksum of the record says so. It is for reading single values.</summary>
    public DocumentView Unvalidated => _document;
}
