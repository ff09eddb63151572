using Datacake.EventualConsistency.Keyspaces;
using Datacake.EventualConsistency.Layout;
using Datacake.EventualConsistency.Replication;
using Datacake.Storage;

namespace Datacake.EventualConsistency;

// The keyspaces of a store, and their indexes.
public sealed partial class ReplicatedStore
{
    const int DeletesPerTransaction = 500;

    /// <summary>Returns a keyspace of raw documents.</summary>
    /// <exception cref="ArgumentException">The name is not a valid keyspace name.</exception>
    public KeyspaceHandle Keyspace(string name)
    {
        KeyspaceCatalog.CheckArgument(name, nameof(name));
        return new KeyspaceHandle(this, name);
    }

    /// <summary>
    /// Declares a keyspace, with its policy and its indexes, before it is used. An index of a large keyspace is built in the background,
    /// which continues after a restart. A stored index that this process does not declare is dropped with the next write to its keyspace.
    /// </summary>
    /// <exception cref="ArgumentException">The name is not a valid keyspace name.</exception>
    /// <exception cref="StorageException">The storage refused the declaration. Nothing was changed.</exception>
    internal async ValueTask DeclareAsync(KeyspaceDeclaration declaration, CancellationToken cancellationToken = default)
    {
        KeyspaceCatalog.CheckArgument(declaration.Name, nameof(declaration));
        // The declaration is a small record, and nothing can be deleted from a full storage without it. The larger part, the index entries,
        // is built later.
        await _loop.RunInReserveAsync(async (batch, token) =>
        {
            await KeyspaceDeclarer.DeclareAsync(_replica, batch, declaration, _parts.Context.Logger, token).ConfigureAwait(false);
            return true;
        }, cancellationToken).ConfigureAwait(false);
    }

    /// <summary>Returns the declared indexes of a keyspace, and the progress of building them.</summary>
    public IReadOnlyList<IndexStatus> ListIndexes(string keyspace)
    {
        if (_replica.Catalog.Find(keyspace)?.State is not { } state)
            return [];
        return [.. state.Indexes.Select(index => state.IndexRecords[index.Number])
            .Select(record => new IndexStatus(record.Name, record.Stage == IndexStage.Built, record.Documents))];
    }

    /// <summary>Waits until all declared indexes of a keyspace are built.</summary>
    /// <exception cref="ObjectDisposedException">The store is closed, or was closed before the indexes were built.</exception>
    public ValueTask WaitForIndexesAsync(string keyspace, CancellationToken cancellationToken = default) =>
        _parts.Waiters.WaitAsync(() => ListIndexes(keyspace).All(index => index.IsBuilt), cancellationToken);

    /// <summary>
    /// Returns the names of the keyspaces that this node knows: those that it has declared, and those that have documents or had some until
    /// recently.
    /// </summary>
    public IReadOnlyList<string> ListKeyspaces() => [.. _replica.Catalog.All.Select(keyspace => keyspace.Name).Order(StringComparer.Ordinal)];

    /// <summary>
    /// Deletes all documents of a keyspace that this node shows, in transactions of up to 500 documents. Once all members know of the
    /// deletes, each node removes the keyspace itself within about a minute, unless an application has declared it there. Documents that
    /// other nodes write in the meantime are kept.
    /// </summary>
    /// <param name="keyspace">The name of the keyspace. This process must not have declared it.</param>
    /// <param name="consistency">The level at which each transaction is committed. A serial keyspace is emptied by serial transactions.</param>
    /// <param name="cancellationToken">Stops between two transactions. Documents that were deleted by then stay deleted.</param>
    /// <returns>The number of deleted documents; 0 if there is no such keyspace.</returns>
    /// <exception cref="ArgumentException">The name is not a valid keyspace name.</exception>
    /// <exception cref="InvalidOperationException">This process has declared the keyspace, and would continue to use it.</exception>
    /// <exception cref="NotEnoughNodesException">Too few members are up for the level.</exception>
    /// <exception cref="ConsistencyException">The level was not reached in time. Deleted documents stay deleted.</exception>
    public async ValueTask<long> DropKeyspaceAsync(
        string keyspace, Consistency consistency = Consistency.Quorum, CancellationToken cancellationToken = default)
    {
        KeyspaceCatalog.CheckArgument(keyspace, nameof(keyspace));
        if (_replica.Catalog.Find(keyspace) is { IsDeclared: true })
        {
            throw new InvalidOperationException(
                $"The keyspace '{keyspace}' is in use, because this process has declared it. Remove its entity class and restart the process, or delete its documents instead.");
        }
        long dropped = 0;
        var transaction = new Transaction();
        await foreach (var document in Keyspace(keyspace).ReadAllAsync(cancellationToken).ConfigureAwait(false))
        {
            transaction.Delete(keyspace, document.Key);
            if (transaction.Count == DeletesPerTransaction)
                await DeleteAsync().ConfigureAwait(false);
        }
        if (transaction.Count > 0)
            await DeleteAsync().ConfigureAwait(false);
        return dropped;

        async ValueTask DeleteAsync()
        {
            cancellationToken.ThrowIfCancellationRequested();
            await CommitAsync(transaction, LevelFor(keyspace, consistency), cancellationToken).ConfigureAwait(false);
            dropped += transaction.Count;
            transaction = new Transaction();
        }
    }
}
