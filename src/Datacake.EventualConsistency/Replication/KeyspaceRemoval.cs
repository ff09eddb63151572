using Datacake.EventualConsistency.Keyspaces;
using Datacake.EventualConsistency.Layout;
using Datacake.Storage;

namespace Datacake.EventualConsistency.Replication;

/// <summary>
/// Removes the keyspaces that this process has not declared and that have no document and no tombstone left. So a keyspace that was dropped, or that a faulty
/// member has made up, does not stay forever [R11]. Each replica does it for itself, and nobody can see the difference: a write makes the keyspace anew.
/// </summary>
/// <remarks>
/// <para>
/// What a keyspace could still bring back is in its documents, of which each has its own tombstone until all members know it. A tombstone for the whole
/// keyspace would be a second kind of delete in every rule of the protocol, and save only that the documents are named one by one.
/// </para>
/// <para>
/// The log may still name documents of it. They are gone, so that whoever pulls such a record gets nothing with it; and where another keyspace has its number by
/// then, a document that it knows.
/// </para>
/// </remarks>
static class KeyspaceRemoval
{
    /// <summary>Removes what can be removed, in one batch.</summary>
    /// <returns>The number of keyspaces that are removed once the batch is committed, unless something else in it names them.</returns>
    public static async ValueTask<int> RemoveAsync(Replica replica, ReplicaBatch batch, CancellationToken cancellationToken)
    {
        // What lies aside is named by the numbers of keyspaces, and would be taken for something else.
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

    /// <summary>Indexes that an earlier process has declared go first; their records need another batch.</summary>
    static bool Remove(ReplicaBatch batch, KeyspaceEntry keyspace)
    {
        if (keyspace.State.IndexRecords.IsEmpty)
        {
            batch.Remove(keyspace);
            return true;
        }
        var change = batch.Change(keyspace);
        foreach (ushort number in keyspace.State.IndexRecords.Keys)
            change.State = change.State.WithDropped(number);
        return false;
    }
}
