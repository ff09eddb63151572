using Datacake.Crdt;
using Datacake.Storage;

namespace Datacake.EventualConsistency.Layout;

/// <summary>
/// The stored record of a document, which is the encoded document. Reading one that is damaged, or that a newer version of the library has
/// written, throws an exception that names the document.
/// </summary>
static class DocumentRecord
{
    /// <summary>Reads a document; returns <see cref="Document.Nothing"/> if it is not stored.</summary>
    /// <exception cref="StorageException">The record is damaged, or has a newer format.</exception>
    public static ValueTask<Document> ReadAsync(IStorageSnapshot snapshot, ReadOnlyMemory<byte> documentKey)
    {
        if (snapshot is IDocumentReader reader)
            return reader.ReadAsync(documentKey);
        // Embedded storage answers synchronously, and a document that is put usually is not stored yet.
        var reading = snapshot.GetAsync(documentKey);
        return reading.IsCompletedSuccessfully ? new(ParseIfAny(documentKey, reading.Result)) : ParseAsync(documentKey, reading);

        static async ValueTask<Document> ParseAsync(ReadOnlyMemory<byte> documentKey, ValueTask<ReadOnlyMemory<byte>?> reading) =>
            ParseIfAny(documentKey, await reading.ConfigureAwait(false));

        static Document ParseIfAny(ReadOnlyMemory<byte> documentKey, ReadOnlyMemory<byte>? stored) =>
            stored is { } bytes ? Parse(documentKey, bytes) : Document.Nothing;
    }

    /// <inheritdoc cref="Parse(ReadOnlyMemory{byte}, ReadOnlySpan{byte})"/>
    public static Document Parse(ReadOnlyMemory<byte> documentKey, ReadOnlyMemory<byte> bytes) => Parse(documentKey, bytes.Span);

    /// <summary>Parses a copy of the bytes, because the document may outlive the snapshot and its memory.</summary>
    public static Document Parse(ReadOnlyMemory<byte> documentKey, ReadOnlySpan<byte> bytes)
    {
        try
        {
            return Document.Parse(bytes.ToArray());
        }
        catch (InvalidDataException e)
        {
            throw Unreadable(documentKey.Span, bytes, e);
        }
    }

    /// <summary>Parses a document in place.</summary>
    public static DocumentView View(ReadOnlySpan<byte> documentKey, ReadOnlySpan<byte> bytes)
    {
        try
        {
            return DocumentView.Parse(bytes);
        }
        catch (InvalidDataException e)
        {
            throw Unreadable(documentKey, bytes, e);
        }
    }

    /// <summary>Parses the header of a document in place. Its cells are validated as far as they are read.</summary>
    public static DocumentView ViewHeader(ReadOnlySpan<byte> documentKey, ReadOnlySpan<byte> bytes)
    {
        try
        {
            return DocumentView.ParseHeader(bytes);
        }
        catch (InvalidDataException e)
        {
            throw Unreadable(documentKey, bytes, e);
        }
    }

    static StorageException Unreadable(ReadOnlySpan<byte> documentKey, ReadOnlySpan<byte> bytes, InvalidDataException e)
    {
        var key = new DocumentKey(documentKey[StoreLayout.DocumentPrefixLength..].ToArray());
        return Document.IsOfNewerFormat(bytes)
            ? new StorageException(StorageError.NewerFormat, $"The stored document {key} cannot be read: {e.Message}", e)
            : new StorageException(
                StorageError.Corrupt,
                $"The stored document {key} is damaged: {e.Message} Remove the store's file and restart the node, which then copies the data from its peers.", e);
    }
}
