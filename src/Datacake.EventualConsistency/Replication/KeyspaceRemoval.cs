using Datacake.EventualConsistency.Keyspaces;
using Datacake.EventualConsistency.Layout;
using Datacake.Storage;

namespace Datacake.EventualConsistency.Replication;

/// <summary>
/// The removal of keyspaces that this process has not declared and that have no document and no tombstone left. It keeps a keyspace that
/// was dropped, or that a faulty member has made up, from staying forever [R11]. Each replica decides for itself, and no other replica sees
/// a difference: a write creates the keyspace again.
/// </summary>
/// <remarks>
/// <para>
/// Everything that a keyspace could bring back is in its documents, and each has its own tombstone until all members know of its delete. A
/// tombstone for a whole keyspace would be a second kind of delete in every rule of the protocol, and would only save naming the documents
/// one by one.
/// </para>
/// <para>
/// The log may still name documents of a removed keyspace. They no longer exist, so a pull of such a record brings no document. If another
/// keyspace has the number by then, the pull brings a document of that keyspace, which the requester knows.
/// </para>
/// </remarks>
static class KeyspaceRemoval
{
    /// <summary>Removes all keyspaces that can be removed, in one batch.</summary>
    /// <returns>
    /// The number of keyspaces that are removed with the commit of the batch, unless something else in the batch names them.
    /// </returns>
    public static async ValueTask<int> RemoveAsync(Replica replica, ReplicaBatch batch, CancellationToken cancellationToken)
    {
        // Documents that are set aside contain the numbers of keyspaces, and would end up in another keyspace that gets the number.
        if (!replica.IsJoined || await HasAnyAsync(StoreLayout.AllArriving).ConfigureAwait(false) || await HasAnyAsync(StoreLayout.AllArrivingLog).ConfigureAwait(false))
            return 0;
        int removed = 0;
        foreach (var keyspace in replica.Catalog.All)
        {
            if (keyspace.IsDeclared || keyspace.State.Record is { Count: > 0 } or { MustCount: true } || batch.Names(keyspace)
                || replica.Catalog.Unstored.Contains(keyspace) || await HasAnyAsync(StoreLayout.Documents(keyspace.Number)).ConfigureAwait(false))
                continue;
            removed += Remove(batch, keyspace) ? 1 : 0;
        }
        return removed;

        async ValueTask<bool> HasAnyAsync(KeyRange range) =>
            (await SnapshotReading.ScanKeysAsync(batch.Snapshot, range, 1, cancellationToken).ConfigureAwait(false)).Count > 0;
    }

    /// <summary>
    /// Removes a keyspace, or first drops its indexes, which an earlier process declared. Removing the index records takes another batch.
    /// </summary>
    static bool Remove(ReplicaBatch batch, KeyspaceEntry keyspace)
    {
        if (keyspace.State.IndexRecords.IsEmpty)
        {
            batch.Remove(keyspace);
            return true;
        }
        var change = batch.Change(keyspace);
        // The batch may have removed the records of some already.
        foreach (ushort number in change.State.IndexRecords.Keys)
            change.State = change.State.WithDropped(number);
        return false;
    }
}
