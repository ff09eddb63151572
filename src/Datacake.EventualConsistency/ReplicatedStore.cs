using Datacake.Node;

namespace Datacake.EventualConsistency;

/// <summary>
/// The replica of one node: keyspaces of documents that it stores locally and shares with the other nodes.
/// Thread-safe.
/// </summary>
public sealed class ReplicatedStore : IAsyncDisposable
{
    /// <summary>Tells the store about a keyspace before it is used: its policy and its indexes, which are built if the store has data already.</summary>
    public ValueTask DeclareAsync(KeyspaceDeclaration declaration, CancellationToken cancellationToken = default) => throw new NotSupportedException();

    /// <summary>Commits a transaction locally, and waits until as many other replicas have it as the level asks for.</summary>
    /// <exception cref="NotEnoughNodesException">The members that are up cannot satisfy the level; nothing was written.</exception>
    /// <exception cref="ConsistencyException">The level was not satisfied in time. The write stays, and goes on replicating.</exception>
    /// <exception cref="DocumentNotFoundException">An update names a document that the local store does not show; nothing was written.</exception>
    public ValueTask<CommitResult> CommitAsync(Transaction transaction, Consistency consistency, CancellationToken cancellationToken = default) =>
        throw new NotSupportedException();

    /// <summary>Opens a view of everything that is committed here.</summary>
    public ValueTask<StoreSnapshot> OpenSnapshotAsync(CancellationToken cancellationToken = default) => throw new NotSupportedException();

    /// <summary>Waits until this replica has the transaction that a token names.</summary>
    public ValueTask WaitForAsync(SessionToken token, CancellationToken cancellationToken = default) => throw new NotSupportedException();

    /// <inheritdoc/>
    public ValueTask DisposeAsync() => ValueTask.CompletedTask;
}
