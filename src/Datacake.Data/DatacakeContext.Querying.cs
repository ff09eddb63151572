using Datacake.Crdt;
using Datacake.Data.CodeGeneration;
using Datacake.Data.Metadata;
using Datacake.Data.Querying;
using Datacake.EventualConsistency;
using Datacake.EventualConsistency.Sequencing;
using Datacake.EventualConsistency.Snapshots;

namespace Datacake.Data;

// The context as queries and the change tracker see it.
public abstract partial class DatacakeContext : IQueryContext
{
    ContextModel IQueryContext.Model => Model;

    IEntityTracker IQueryContext.Tracker => ChangeTracker;

    ConcurrencyDetector IQueryContext.Concurrency => Concurrency;

    QueryFilterBuilder IQueryContext.QueryFilters => QueryFilters;

    ISnapshotObserver? IQueryContext.Reads => Reads;

    void IQueryContext.OnShown(KeyspaceModel keyspace, DocumentKey key, DocumentContent? stored) => OnShown(keyspace, key, stored);

    void IQueryContext.ThrowIfInWork(string problem, string effect) => ThrowIfInWork(problem, effect);

    void IQueryContext.OnReloaded(KeyspaceModel keyspace, DocumentKey key) => OnReloaded(keyspace, key);

    Exception IQueryContext.ConflictOf(KeyspaceModel keyspace, DocumentKey key, object entity, SerialConflictException refused)
    {
        return UniqueConstraintException.Of(UntrackedEntry(keyspace, key, entity), refused);
    }

    Exception IQueryContext.BoundOf(KeyspaceModel keyspace, DocumentKey key, object entity, CounterBoundException exceeded) =>
        new BoundExceededException(UntrackedEntry(keyspace, key, entity), exceeded);

    EntityEntry UntrackedEntry(KeyspaceModel keyspace, DocumentKey key, object entity)
    {
        var entry = new ChangeTracker(this).NewEntry(keyspace, entity);
        entry.Key = key;
        return entry;
    }

    bool IQueryContext.ObservesQueries => ObservesQueries;

    ValueTask<IQueryInterception?> IQueryContext.InterceptAsync(
        KeyspaceModel keyspace, IReadOnlyList<string> tags, Func<string> explain, CancellationToken cancellationToken) =>
        QueryInterception.StartAsync(this, keyspace, tags, explain, hasSpan: true, cancellationToken);

    ValueTask<ReplicatedStore> IQueryContext.GetStoreAsync(CancellationToken cancellationToken) => GetStoreAsync(cancellationToken);
}
