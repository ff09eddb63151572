using Datacake.Crdt;
using Datacake.Storage;

namespace Datacake.EventualConsistency.Layout;

/// <summary>A snapshot that returns documents as such, and may have them in memory.</summary>
interface IDocumentReader : IStorageSnapshot
{
    /// <summary>Returns a document, or <see cref="Document.Nothing"/> if there is none.</summary>
    /// <exception cref="StorageException">The record is damaged.</exception>
    ValueTask<Document> ReadAsync(ReadOnlyMemory<byte> documentKey, CancellationToken cancellationToken = default);
}
