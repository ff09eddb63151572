using Datacake.Crdt;
using Datacake.Data.Querying;
using Datacake.EventualConsistency;
using Datacake.Node;

namespace Datacake.Data;

/// <summary>
/// A keyspace read at a consistency level. A read by key asks as many nodes as the level says, and merges their answers; a query waits until this node has everything that as many
/// nodes have as the level says, and reads the local store. Not thread-safe, as the context.
/// </summary>
public sealed class ConsistentReads<T> : KeyspaceQuery<T>
    where T : class
{
    readonly Keyspace<T> _keyspace;
    readonly Consistency _consistency;

    internal ConsistentReads(Keyspace<T> keyspace, Consistency consistency)
    {
        _keyspace = keyspace;
        _consistency = consistency;
    }

    private protected override Query<T> Entities => ((Query<T>)_keyspace).WithConsistency(_consistency);

    /// <summary>The entity with this key; see <see cref="FindAsync(object?[], CancellationToken)"/>.</summary>
    /// <param name="keyValues">The values of the key's properties, in their order.</param>
    public Task<T?> FindAsync(params object?[] keyValues) => FindAsync(keyValues, CancellationToken.None);

    /// <summary>
    /// The entity with this key as so many nodes show it together as the level asks for; null if there is none. It is tracked. An instance
    /// that is tracked already takes over what was read, unless it has pending changes: then it stays as it is.
    /// </summary>
    /// <param name="keyValues">The values of the key's properties, in their order.</param>
    /// <param name="cancellationToken">Stops waiting.</param>
    /// <exception cref="ArgumentException">The values are not those of the key.</exception>
    /// <exception cref="NotEnoughNodesException">The members that are up cannot satisfy the level.</exception>
    /// <exception cref="ConsistencyException">The level was not satisfied in time.</exception>
    public async Task<T?> FindAsync(object?[] keyValues, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(keyValues);
        var (keyspace, consistency) = (_keyspace, _consistency);
        using var operation = keyspace.Context.Concurrency.Enter();
        if (keyspace.Model.FindKey(keyValues) is not { } key)
            return null;
        var tracker = keyspace.Context.ChangeTracker;
        bool isTracked = tracker.TryGetEntry(keyspace.Model, key, out var entry);
        if (isTracked && (entry!.CurrentState != EntityState.Unchanged || tracker.DetectChanges(entry) is not null))
            return entry.CurrentState == EntityState.Deleted ? null : (T)entry.Entity;

        var store = await keyspace.Context.GetStoreAsync(cancellationToken).ConfigureAwait(false);
        var document = await store.Keyspace(keyspace.Name).GetAsync(key, consistency, cancellationToken).ConfigureAwait(false);
        if (document is null)
        {
            if (isTracked)
                tracker.Accept(entry!, content: null);
            return null;
        }
        if (!isTracked)
        {
            var entity = keyspace.Model.Read(key, document);
            return new QueryFiltering(keyspace.Context.QueryFilters, QuerySettings.Default).IsShown(keyspace.Model, entity) ? tracker.TrackRead(keyspace.Metadata, key, document, entity) : null;
        }
        entry!.TakeStored(key, document);
        return (T)entry.Entity;
    }
}
