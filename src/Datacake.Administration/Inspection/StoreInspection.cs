using Datacake.Administration.Contracts;
using Datacake.Crdt;
using Datacake.EventualConsistency.Integrity;
using Datacake.EventualConsistency.Layout;
using Datacake.EventualConsistency.Replication;
using Datacake.Storage;

namespace Datacake.Administration.Inspection;

/// <summary>Reads the description of a replicated store from its storage, without opening the store.</summary>
static class StoreInspection
{
    /// <exception cref="StorageException">The storage has no replicated store, or one of a different format.</exception>
    /// <exception cref="InvalidDataException">A record of the store is damaged.</exception>
    public static async Task<StoreSummary> ReadAsync(IStorage storage, CancellationToken cancellationToken)
    {
        using var snapshot = await new ChecksummedStorage(storage, new DamageLog()).OpenSnapshotAsync(cancellationToken).ConfigureAwait(false);
        await Replica.CheckFormatAsync(storage, snapshot, cancellationToken).ConfigureAwait(false);
        if (await snapshot.GetAsync(StoreLayout.IdentityKey, cancellationToken).ConfigureAwait(false) is not { } encoded)
            throw new StorageException(StorageError.Failed, $"The {storage.Description} has no replicated store. No node has used it yet.");
        var identity = ReplicaIdentity.Decode(encoded);
        var state = await Replica.ReadStateAsync(snapshot, cancellationToken).ConfigureAwait(false);
        var keyspaces = new List<KeyspaceSummary>();
        await foreach (var (_, value) in snapshot.ReadAllAsync(StoreLayout.AllKeyspaces, cancellationToken).ConfigureAwait(false))
        {
            if (KeyspaceRecord.Decode(value) is { IsRemoved: false } keyspace)
                keyspaces.Add(new KeyspaceSummary(keyspace.Name, keyspace.Count, $"{keyspace.Fingerprint:x32}"));
        }
        return new StoreSummary(
            StoreLayout.Format, $"{identity.StoreId:x16}", $"{identity.Cluster:x16}", identity.IsJoined,
            identity.IsJoined ? identity.Members.First(member => member.Value.StoreId == identity.StoreId).Key : null,
            [.. identity.Members.Keys.Select(static node => (int)node)],
            [.. keyspaces.OrderBy(static keyspace => keyspace.Name, StringComparer.Ordinal)],
            [.. state.Known.Nodes.Select(node => Last(node, state.Known.OfNode(node).Top))]);
    }

    static LastStamp Last(byte node, HlcTimestamp stamp) => new(node, stamp.ToString(), stamp.Time);
}
