using Datacake.Crdt;
using Datacake.Data.CodeGeneration;
using Datacake.Data.Metadata;
using Datacake.EventualConsistency;
using Datacake.EventualConsistency.Sequencing;
using Datacake.EventualConsistency.Snapshots;
using Datacake.Node;

namespace Datacake.Data.Querying;

/// <summary>A context as queries and the change tracker see it.</summary>
interface IQueryContext
{
    /// <summary>Gets the model.</summary>
    ContextModel Model { get; }

    /// <summary>Gets the node.</summary>
    DatacakeNode Node { get; }

    /// <summary>Gets the tracker of the entities that queries return.</summary>
    IEntityTracker Tracker { get; }

    /// <summary>Gets the detector of operations that run at the same time.</summary>
    ConcurrencyDetector Concurrency { get; }

    /// <summary>Gets the filters that apply to every query.</summary>
    QueryFilterBuilder QueryFilters { get; }

    /// <summary>Gets the consistency level of saves that do not specify one.</summary>
    Consistency DefaultConsistency { get; }

    /// <summary>Gets the number of documents above which a query counts as a scan.</summary>
    long ScanWarningThreshold { get; }

    /// <summary>True if queries have to be reported, because there are interceptors, listeners of metrics or spans, or a log of queries.</summary>
    bool ObservesQueries { get; }

    /// <summary>Gets the observer of what is read for a serial save; null if none is under way.</summary>
    ISnapshotObserver? Reads { get; }

    /// <summary>Throws if a serial unit of work is under way, of which an operation cannot be part.</summary>
    /// <param name="problem">The operation, and what it does.</param>
    /// <param name="effect">The effect of the operation so far.</param>
    void ThrowIfInWork(string problem, string effect);

    /// <summary>Notes that an entity is shown with the values that were read earlier, so that a serial save depends on these.</summary>
    /// <param name="keyspace">The keyspace of the entity.</param>
    /// <param name="key">The key of the entity.</param>
    /// <param name="stored">The document with the values; null if there is none.</param>
    void OnShown(KeyspaceModel keyspace, DocumentKey key, DocumentContent? stored);

    /// <summary>Notes that a tracked entity got the values of a new read, so that a serial save no longer depends on its earlier ones.</summary>
    /// <param name="keyspace">The keyspace of the entity.</param>
    /// <param name="key">The key of the entity.</param>
    void OnReloaded(KeyspaceModel keyspace, DocumentKey key);

    /// <summary>Returns the exception for an entity that is not tracked, and has the values of another one in a unique index.</summary>
    /// <param name="keyspace">The keyspace of the entity.</param>
    /// <param name="key">The key of the entity.</param>
    /// <param name="entity">The entity.</param>
    /// <param name="refused">The refusal of the sequencer.</param>
    Exception ConflictOf(KeyspaceModel keyspace, DocumentKey key, object entity, SerialConflictException refused);

    /// <summary>Returns the exception for an entity that is not tracked, and has a counter that an update would move beyond its bounds.</summary>
    /// <param name="keyspace">The keyspace of the entity.</param>
    /// <param name="key">The key of the entity.</param>
    /// <param name="entity">The entity.</param>
    /// <param name="exceeded">The exception of the store.</param>
    Exception BoundOf(KeyspaceModel keyspace, DocumentKey key, object entity, CounterBoundException exceeded);

    /// <summary>
    /// Reports the start of a query. Returns the object to report its end with; null if nobody observes queries.
    /// </summary>
    /// <param name="keyspace">The keyspace that the query reads.</param>
    /// <param name="tags">The tags of the query.</param>
    /// <param name="explain">Returns the plan of the query.</param>
    /// <param name="cancellationToken">Cancels the call.</param>
    ValueTask<IQueryInterception?> InterceptAsync(KeyspaceModel keyspace, IReadOnlyList<string> tags, Func<string> explain, CancellationToken cancellationToken);

    /// <summary>Returns the store once it is open and the context's keyspaces are declared.</summary>
    ValueTask<ReplicatedStore> GetStoreAsync(CancellationToken cancellationToken);
}
