using Datacake.EventualConsistency.Keyspaces;
using Datacake.EventualConsistency.Layout;
using Datacake.EventualConsistency.Replication;
using Datacake.Node;
using Datacake.Storage;

namespace Datacake.EventualConsistency;

// The keyspaces of a store, and their indexes.
public sealed partial class ReplicatedStore
{
    const int DeletesPerTransaction = 500;

    /// <summary>A handle on a keyspace of raw documents.</summary>
    /// <exception cref="ArgumentException">The name is not one.</exception>
    public KeyspaceHandle Keyspace(string name)
    {
        KeyspaceCatalog.CheckArgument(name, nameof(name));
        return new KeyspaceHandle(this, name);
    }

    /// <summary>
    /// Tells the store about a keyspace before it is used: its policy and its indexes. An index of a large keyspace is built in the background, and
    /// goes on being built after a restart; one that this process does not declare is dropped with the next write to its keyspace.
    /// </summary>
    /// <exception cref="ArgumentException">The name is not one of a keyspace.</exception>
    /// <exception cref="StorageException">The storage refused it; nothing is changed.</exception>
    public async ValueTask DeclareAsync(KeyspaceDeclaration declaration, CancellationToken cancellationToken = default)
    {
        KeyspaceCatalog.CheckArgument(declaration.Name, nameof(declaration));
        // It is a small record, without which nothing can be deleted from a full storage; what indexes take is built later.
        await _loop.RunInReserveAsync(async (batch, token) =>
        {
            await KeyspaceDeclaring.DeclareAsync(_replica, batch, declaration, _parts.Context.Logger, token).ConfigureAwait(false);
            return true;
        }, cancellationToken).ConfigureAwait(false);
    }

    /// <summary>The indexes of a keyspace that were declared, and how far they are built.</summary>
    public IReadOnlyList<IndexStatus> ListIndexes(string keyspace)
    {
        if (_replica.Catalog.Find(keyspace)?.State is not { } state)
            return [];
        return [.. state.Indexes.Select(index => state.IndexRecords[index.Number])
            .Select(record => new IndexStatus(record.Name, record.Stage == IndexStage.Built, record.Documents))];
    }

    /// <summary>Waits until all declared indexes of a keyspace are built.</summary>
    /// <exception cref="ObjectDisposedException">The store is closed, or was before they were.</exception>
    public ValueTask WaitForIndexesAsync(string keyspace, CancellationToken cancellationToken = default) =>
        _parts.Waiters.WaitAsync(() => ListIndexes(keyspace).All(index => index.IsBuilt), cancellationToken);

    /// <summary>The names of the keyspaces that this node knows: those that it has declared, and those that have documents, or had them until shortly.</summary>
    public IReadOnlyList<string> ListKeyspaces() => [.. _replica.Catalog.All.Select(keyspace => keyspace.Name).Order(StringComparer.Ordinal)];

    /// <summary>
    /// Deletes all documents of a keyspace that this node shows, in transactions of up to 500. Once all members know of that, each node removes the keyspace
    /// itself within about a minute, unless an application has declared it there. Documents that other nodes write meanwhile stay.
    /// </summary>
    /// <param name="keyspace">The name of the keyspace. This process must not have declared it.</param>
    /// <param name="consistency">How many replicas each transaction waits for.</param>
    /// <param name="cancellationToken">Stops between two transactions; what was deleted by then stays deleted.</param>
    /// <returns>The number of documents that were deleted; zero if there is no such keyspace.</returns>
    /// <exception cref="ArgumentException">The name is not one of a keyspace.</exception>
    /// <exception cref="InvalidOperationException">This process has declared the keyspace, and would go on using it.</exception>
    /// <exception cref="NotEnoughNodesException">The members that are up cannot satisfy the level.</exception>
    /// <exception cref="ConsistencyException">The level was not satisfied in time. What was deleted stays deleted.</exception>
    public async ValueTask<long> DropKeyspaceAsync(
        string keyspace, Consistency consistency = Consistency.Quorum, CancellationToken cancellationToken = default)
    {
        KeyspaceCatalog.CheckArgument(keyspace, nameof(keyspace));
        if (_replica.Catalog.Find(keyspace) is { IsDeclared: true })
        {
            throw new InvalidOperationException(
                $"The keyspace '{keyspace}' is in use here: this process has declared it. Remove its entity class and restart, or delete its documents instead.");
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
            await CommitAsync(transaction, consistency, cancellationToken).ConfigureAwait(false);
            dropped += transaction.Count;
            transaction = new Transaction();
        }
    }
}
