using Datacake.Crdt;
using Datacake.Data.Querying;
using Datacake.Data.Querying.Filters;
using Datacake.EventualConsistency;

namespace Datacake.Data;

/// <summary>
/// A keyspace that is read at a consistency level. A read by key asks as many nodes as the level requires and merges their answers. A
/// query asks as many nodes which transactions they have, waits until this node has them, too, and then reads the local store. Not
/// thread-safe, like the context.
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

    internal override QueryOperator<T> Operator => _keyspace.Operator.With(settings => settings with { Level = _consistency });

    /// <summary>Finds the entity with a key; see <see cref="FindAsync(object?[], CancellationToken)"/>.</summary>
    /// <param name="keyValues">The values of the key properties, in order.</param>
    public Task<T?> FindAsync(params object?[] keyValues) => FindAsync(keyValues, CancellationToken.None);

    /// <summary>
    /// Finds the entity with a key, merged from the answers of as many nodes as the level requires; returns null if there is none. The
    /// entity is tracked. If an instance is already tracked, it gets the values that were read, unless it has pending changes.
    /// </summary>
    /// <param name="keyValues">The values of the key properties, in order.</param>
    /// <param name="cancellationToken">Cancels the wait.</param>
    /// <exception cref="ArgumentException">The values do not match the key.</exception>
    /// <exception cref="NotEnoughNodesException">Too few members are up to satisfy the level.</exception>
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
        {
            keyspace.Context.OnShown(entry);
            return entry.CurrentState == EntityState.Deleted ? null : (T)entry.Entity;
        }

        var store = await keyspace.Context.GetStoreAsync(cancellationToken).ConfigureAwait(false);
        var document = await store.Keyspace(keyspace.Name).GetAsync(key, consistency, cancellationToken).ConfigureAwait(false);
        keyspace.Context.Reads?.OnRead(keyspace.Name, keyspace.Model.Policy, key, document);
        if (document is null)
        {
            if (isTracked)
                entry!.Detach(key);
            return null;
        }
        if (!isTracked)
        {
            var entity = keyspace.Model.Read(key, document);
            return new QueryFiltering(keyspace.Context.QueryFilters, QuerySettings.Default).IsShown(keyspace.Model, entity) ? tracker.TrackRead(keyspace.Metadata, key, document, entity) : null;
        }
        entry!.SetToStored(key, document);
        return (T)entry.Entity;
    }
}
