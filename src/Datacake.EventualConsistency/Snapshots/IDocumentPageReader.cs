using Datacake.EventualConsistency.Layout;
using Datacake.Storage;

namespace Datacake.EventualConsistency.Snapshots;

/// <summary>A snapshot that fills pages with documents, and may have them in memory.</summary>
interface IDocumentPageReader : IDocumentReader
{
    /// <summary>Fills a page with the documents of some keys, in the order of the keys. The array is overwritten.</summary>
    /// <exception cref="StorageException">The store cannot be read.</exception>
    ValueTask ReadManyAsync(ReadOnlyMemory<byte>[] documentKeys, DocumentPage page, CancellationToken cancellationToken);
}
