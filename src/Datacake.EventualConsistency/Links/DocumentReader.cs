using Datacake.Crdt;
using Datacake.EventualConsistency.Layout;
using Datacake.EventualConsistency.Replication;
using Datacake.Storage;

namespace Datacake.EventualConsistency.Links;

/// <summary>A reader of the documents of the local replica as they are stored, tombstones included. Thread-safe.</summary>
sealed class DocumentReader(Replica replica, IStorage storage)
{
    /// <summary>
    /// Returns the documents in the order of their keys, with <see cref="Document.Nothing"/> where there is none. Returns null if the total
    /// length of the documents exceeds the limit; a single document may exceed it.
    /// </summary>
    /// <exception cref="StorageException">The store cannot be read.</exception>
    public async ValueTask<IReadOnlyList<Document>?> ReadAsync(string keyspace, IReadOnlyList<DocumentKey> keys, long maxLength, CancellationToken cancellationToken)
    {
        var documents = new Document[keys.Count];
        Array.Fill(documents, Document.Nothing);
        if (replica.Catalog.Find(keyspace) is not { } found)
            return documents;
        using var snapshot = await storage.OpenSnapshotAsync(cancellationToken).ConfigureAwait(false);
        long length = 0;
        for (int i = 0; i < documents.Length; i++)
        {
            cancellationToken.ThrowIfCancellationRequested();
            byte[] key = StoreLayout.DocumentKey(found.Number, keys[i].Encoded.Span);
            documents[i] = await DocumentRecord.ReadAsync(snapshot, key).ConfigureAwait(false);
            length += ReferenceEquals(documents[i], Document.Nothing) ? 0 : documents[i].Encoded.Length;
            if (length > maxLength && documents.Length > 1)
                return null;
        }
        return documents;
    }
}
