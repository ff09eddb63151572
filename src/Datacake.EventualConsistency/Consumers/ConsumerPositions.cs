using Datacake.Crdt;
using Datacake.EventualConsistency.Keyspaces;
using Datacake.EventualConsistency.Layout;
using Datacake.Storage;

namespace Datacake.EventualConsistency.Consumers;

/// <summary>The positions of all durable consumers, as a replica shows them.</summary>
static class ConsumerPositions
{
    /// <summary>Returns the transactions that all consumers have processed; null if there are no consumers.</summary>
    public static async ValueTask<VersionVector?> ReadProcessedAsync(IStorageSnapshot snapshot, KeyspaceCatalog catalog, CancellationToken cancellationToken)
    {
        if (catalog.Find(ConsumerRecord.Keyspace) is not { } keyspace)
            return null;
        VersionVector? processed = null;
        try
        {
            await foreach (var (key, value) in snapshot.ReadAllAsync(StoreLayout.Documents(keyspace.Number), cancellationToken).ConfigureAwait(false))
            {
                var document = DocumentRecord.Parse(key, value);
                if (document.IsAlive(keyspace.Policy) && ConsumerRecord.Of(document) is { } consumer)
                    processed = processed?.Intersect(consumer.Position) ?? consumer.Position;
            }
            return processed;
        }
        catch (Exception e) when (e is StorageException or InvalidDataException)
        {
            // A position that cannot be read may be anywhere. The store must still report to its peers, so this is not its failure.
            return VersionVector.Empty;
        }
    }
}
