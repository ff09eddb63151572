using System.ComponentModel;
using System.Linq.Expressions;
using System.Runtime.CompilerServices;
using Datacake.Crdt;
using Datacake.Data.CodeGeneration;
using Datacake.Data.Diagnostics;
using Datacake.Data.Querying;
using Datacake.Data.Querying.Filters;
using Datacake.Data.Serial;
using Datacake.EventualConsistency;
using Datacake.EventualConsistency.Sequencing;
using Datacake.Storage;

namespace Datacake.Data;

/// <summary>
/// The entities of one class in a context: the query for all of them, from which other queries start, and the operations that add and
/// remove entities. Not thread-safe, like the context.
/// </summary>
public sealed partial class Keyspace<T> : KeyspaceQuery<T>
    where T : class
{
    readonly EntitySource<T> _source;
    EntityOperator<T>? _entities;    // the operator that the last query started from

    internal Keyspace(DatacakeContext context, KeyspaceModel keyspace, EntityModel<T> model)
    {
        Context = context;
        _source = new EntitySource<T>(context, keyspace, model);
    }

    /// <summary>Gets the name of the keyspace in the store.</summary>
    public string Name => Metadata.Name;

    /// <summary>Gets the entities that the context tracks, except those that are to be deleted.</summary>
    public LocalView<T> Local => new(this);

    internal DatacakeContext Context { get; }

    internal KeyspaceModel Metadata => _source.Metadata;

    internal EntityModel<T> Model => _source.Model;

    /// <summary>
    /// Tracks an entity, and all entities reachable from it, as added, so that the next save writes them. The save fails with an
    /// <see cref="EntityConflictException"/> if the local store already has an entity with the key. If another node adds one at the same
    /// time, the later of the two replaces the other. A <see cref="Guid"/>, <see cref="long"/> or <see cref="ulong"/> key that is empty or
    /// 0 gets a value that no other node generates, unless the model says otherwise.
    /// </summary>
    /// <exception cref="InvalidOperationException">
    /// Another instance with the same key is tracked, or the key is 0, of a type that has no room for generated values.
    /// </exception>
    public EntityEntry<T> Add(T entity) => AddGraph(entity, mayBeStored: false);

    /// <param name="entity">The entity.</param>
    /// <param name="mayBeStored">True if reachable entities that are already stored are updated.</param>
    EntityEntry<T> AddGraph(T entity, bool mayBeStored)
    {
        var added = Context.ChangeTracker.EntryOf<T>(Metadata, entity);
        Context.ChangeTracker.Add(added, mayBeStored);
        return added;
    }

    /// <summary>
    /// Tracks an entity that the next save writes as a whole. It replaces any stored entity with the same key, including the values that
    /// only the stored entity has. Entities reachable from it are added, or updated if they are already stored. Keys are generated as by
    /// <see cref="Add"/>.
    /// </summary>
    /// <exception cref="InvalidOperationException">
    /// Another instance with the same key is tracked, or the key is 0, of a type that has no room for generated values.
    /// </exception>
    public EntityEntry<T> Put(T entity)
    {
        var entry = AddGraph(entity, mayBeStored: true);
        entry.MayReplace = true;
        return entry;
    }

    /// <summary>Puts several entities; see <see cref="Put"/>.</summary>
    /// <exception cref="InvalidOperationException">Another instance with the key of an entity is tracked.</exception>
    public void PutRange(params IEnumerable<T> entities)
    {
        ArgumentNullException.ThrowIfNull(entities);
        foreach (var entity in entities)
            Put(entity);
    }

    /// <summary>Tracks an entity as added. The method completes synchronously.</summary>
    /// <exception cref="InvalidOperationException">See <see cref="Add"/>.</exception>
    public ValueTask<EntityEntry<T>> AddAsync(T entity, CancellationToken cancellationToken = default)
    {
        cancellationToken.ThrowIfCancellationRequested();
        return new(Add(entity));
    }

    /// <summary>Tracks several entities as added. The method completes synchronously.</summary>
    /// <exception cref="InvalidOperationException">See <see cref="Add"/>.</exception>
    public Task AddRangeAsync(IEnumerable<T> entities, CancellationToken cancellationToken = default)
    {
        cancellationToken.ThrowIfCancellationRequested();
        AddRange(entities);
        return Task.CompletedTask;
    }

    /// <summary>Tracks several entities as added.</summary>
    /// <exception cref="InvalidOperationException">See <see cref="Add"/>.</exception>
    public void AddRange(params IEnumerable<T> entities)
    {
        ArgumentNullException.ThrowIfNull(entities);
        foreach (var entity in entities)
            Add(entity);
    }

    /// <summary>
    /// Tracks an entity as modified, so that the next save writes all its properties, changed or not. This is not needed for entities that
    /// came from a query, because their changes are detected.
    /// </summary>
    /// <exception cref="InvalidOperationException">Another instance with the same key is tracked.</exception>
    public EntityEntry<T> Update(T entity)
    {
        var entry = Context.ChangeTracker.EntryOf<T>(Metadata, entity);
        if (entry.CurrentState != EntityState.Added)
            entry.State = EntityState.Modified;
        return entry;
    }

    /// <summary>Tracks several entities as modified.</summary>
    public void UpdateRange(params IEnumerable<T> entities)
    {
        ArgumentNullException.ThrowIfNull(entities);
        foreach (var entity in entities)
            Update(entity);
    }

    /// <summary>
    /// Tracks an entity, and all entities reachable from it, as unchanged: their current values are assumed to be the stored ones, and
    /// later changes are saved. Reachable entities that have no key yet are added.
    /// </summary>
    /// <exception cref="InvalidOperationException">Another instance with the same key is tracked.</exception>
    /// <exception cref="EntityValidationException">The entity has a value that cannot be stored.</exception>
    public EntityEntry<T> Attach(T entity)
    {
        var entry = Set(entity, EntityState.Unchanged);
        Context.ChangeTracker.Graph.Attach(entry);
        return entry;
    }

    /// <summary>Marks an entity as deleted, so that the next save deletes it. Stops tracking an entity that was only added.</summary>
    /// <exception cref="InvalidOperationException">Another instance with the same key is tracked.</exception>
    public EntityEntry<T> Remove(T entity) => Set(entity, EntityState.Deleted);

    /// <summary>Tracks several entities as unchanged.</summary>
    /// <exception cref="InvalidOperationException">Another instance with the key of an entity is tracked.</exception>
    public void AttachRange(params IEnumerable<T> entities)
    {
        ArgumentNullException.ThrowIfNull(entities);
        foreach (var entity in entities)
            Attach(entity);
    }

    /// <summary>Returns the entry of an entity, tracked or not, after detecting changes to its own properties.</summary>
    public EntityEntry<T> Entry(T entity) => Context.ChangeTracker.Refresh(Context.ChangeTracker.EntryOf<T>(Metadata, entity));

    /// <summary>Marks several entities as deleted.</summary>
    public void RemoveRange(params IEnumerable<T> entities)
    {
        ArgumentNullException.ThrowIfNull(entities);
        foreach (var entity in entities)
            Remove(entity);
    }

    /// <summary>
    /// Finds the entity with a key. Returns the tracked instance if there is one, even if it is not saved yet, and otherwise reads the
    /// local store. Returns null if there is no such entity, if it is to be deleted, or if no entity can have such a key.
    /// </summary>
    /// <param name="keyValues">The values of the key properties, in order.</param>
    /// <exception cref="ArgumentException">The values do not match the key.</exception>
    public ValueTask<T?> FindAsync(params object?[] keyValues) => FindAsync(keyValues, CancellationToken.None);

    /// <summary>Finds the entity with a key, as <see cref="FindAsync(object?[])"/> does.</summary>
    /// <param name="keyValues">The values of the key properties, in order.</param>
    /// <param name="cancellationToken">Cancels the wait.</param>
    /// <exception cref="ArgumentException">The values do not match the key.</exception>
    public async ValueTask<T?> FindAsync(object?[] keyValues, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(keyValues);
        Context.Concurrency.ThrowIfBusy();
        if (Model.FindKey(keyValues) is not { } key)
            return null;
        if (Context.ChangeTracker.TryGetEntry(Model, key, out var entry))
        {
            Context.OnShown(entry);
            return entry.CurrentState == EntityState.Deleted ? null : (T)entry.Entity;
        }
        if (Context.ReportsQueries)
            return await FindReportedAsync(key, cancellationToken).ConfigureAwait(false);
        return DataTelemetry.IsMeasuringQueries
            ? await FindMeasuredAsync(key, cancellationToken).ConfigureAwait(false)
            : await FindStoredAsync(key, cancellationToken).ConfigureAwait(false);
    }

    /// <summary>Not supported. Use <see cref="FindAsync(object?[])"/>.</summary>
    [Obsolete("Reads are asynchronous. Await FindAsync(key).", error: true), EditorBrowsable(EditorBrowsableState.Never)]
    public T? Find(params object?[] keyValues) => throw new NotSupportedException("Reads are asynchronous. Await FindAsync(key).");

    /// <summary>
    /// Returns the keyspace for reads that other nodes take part in, such as
    /// <c>await db.Products.WithConsistency(Consistency.Quorum).FindAsync(1L)</c>. At <see cref="Consistency.Quorum"/>, these finds and
    /// queries see everything that was saved at that level before, on any node.
    /// </summary>
    public new ConsistentReads<T> WithConsistency(Consistency consistency) => new(this, consistency);

    /// <summary>Not supported. Write the query in C#.</summary>
    [Obsolete("There is no SQL. Write the query in C#, with Where, OrderBy and Select.", error: true), EditorBrowsable(EditorBrowsableState.Never)]
    public Query<T> FromSql(FormattableString sql) => throw new NotSupportedException("There is no SQL. Write the query in C#.");

    /// <summary>
    /// Returns a query that skips entities that cannot be read. Any other query throws an <see cref="UnreadableEntityException"/> when it
    /// reads an entity that does not match its class. This query reads entities as a whole, even for counts and projections, so that all of
    /// these cover the same entities.
    /// </summary>
    public Query<T> SkipUnreadable() => new EntityOperator<T>(_source, new QuerySpec<T> { SkipsUnreadable = true }, Settings).ToQuery();

    /// <summary>
    /// Reads all entities in the store and returns those that cannot be read, because they were written by another version of the class or
    /// as something else.
    /// </summary>
    /// <param name="cancellationToken">Cancels the reads.</param>
    /// <exception cref="StorageException">The store cannot be read.</exception>
    /// <exception cref="InvalidOperationException">A serial unit of work of the context is not saved yet.</exception>
    public async IAsyncEnumerable<UnreadableEntity> ListUnreadableAsync([EnumeratorCancellation] CancellationToken cancellationToken = default)
    {
        Context.ThrowIfInWork("ListUnreadableAsync reads all entities, of which some cannot be checked", "Nothing was read.");
        var store = await Context.GetStoreAsync(cancellationToken).ConfigureAwait(false);
        await foreach (var (key, document) in store.Keyspace(Name).ReadAllAsync(cancellationToken).ConfigureAwait(false))
        {
            if (FindFault(key, document) is { } unreadable)
                yield return unreadable;
        }
    }

    /// <summary>Deletes all entities that cannot be read, in transactions of 500.</summary>
    /// <param name="consistency">The consistency level of each transaction.</param>
    /// <param name="cancellationToken">Cancels the operation between two transactions. Entities deleted by then stay deleted.</param>
    /// <returns>The number of deleted entities.</returns>
    /// <exception cref="NotEnoughNodesException">Too few members are up to satisfy the level.</exception>
    /// <exception cref="ConsistencyException">The level was not satisfied in time. Entities deleted by then stay deleted.</exception>
    /// <exception cref="TransactionConflictException">Other writers kept replacing entities of a serial class. Entities deleted by then stay deleted.</exception>
    /// <exception cref="InvalidOperationException">A serial unit of work of the context is not saved yet.</exception>
    public async Task<int> DeleteUnreadableAsync(Consistency consistency = Consistency.Quorum, CancellationToken cancellationToken = default)
    {
        const int DeletesPerTransaction = 500;
        Context.ThrowIfInWork("DeleteUnreadableAsync commits by itself", "Nothing was written.");
        var store = await Context.GetStoreAsync(cancellationToken).ConfigureAwait(false);
        int deleted = 0;
        var keys = new List<DocumentKey>();
        await foreach (var unreadable in ListUnreadableAsync(cancellationToken).ConfigureAwait(false))
        {
            keys.Add(unreadable.Key);
            if (keys.Count == DeletesPerTransaction)
                await DeleteAsync().ConfigureAwait(false);
        }
        if (keys.Count > 0)
            await DeleteAsync().ConfigureAwait(false);
        return deleted;

        async Task DeleteAsync()
        {
            if (Model.IsSerial)
                deleted += await DeleteUnreadableSeriallyAsync(store, keys, cancellationToken).ConfigureAwait(false);
            else
            {
                await store.Keyspace(Name).DeleteManyAsync(keys, consistency, cancellationToken).ConfigureAwait(false);
                deleted += keys.Count;
            }
            keys.Clear();
        }
    }

    /// <summary>Deletes those of several entities that cannot be read by the time of the delete.</summary>
    async Task<int> DeleteUnreadableSeriallyAsync(ReplicatedStore store, List<DocumentKey> keys, CancellationToken cancellationToken)
    {
        const int MaxAttempts = 100;
        for (int attempt = 1; ; attempt++)
        {
            var effects = new Transaction();
            var reads = new SerialReads();
            using (var snapshot = await store.OpenSnapshotAsync(cancellationToken).ConfigureAwait(false))
            {
                snapshot.Observer = reads;
                foreach (var key in keys)
                {
                    if (await snapshot.GetAsync(Name, key, cancellationToken).ConfigureAwait(false) is { } document && FindFault(key, document) is not null)
                        effects.Delete(Name, key);
                }
            }
            if (effects.Count == 0)
                return 0;
            try
            {
                await store.CommitSerialAsync(reads.ToTransaction(effects), cancellationToken).ConfigureAwait(false);
                return effects.Count;
            }
            catch (SerialConflictException) when (attempt < MaxAttempts)
            {
                // One of them has been replaced meanwhile.
                await store.PassBarrierAsync(cancellationToken).ConfigureAwait(false);
            }
            catch (SerialConflictException e)
            {
                throw new TransactionConflictException(Name, e.Condition >= 0 ? e.Transaction.Conditions[e.Condition].Key : keys[0]);
            }
        }
    }

    internal override EntityOperator<T> Operator => _entities?.Settings == Settings ? _entities : _entities = new EntityOperator<T>(_source, QuerySpec<T>.All, Settings);

    QuerySettings Settings => Context.ChangeTracker.QueryTrackingBehavior == QueryTrackingBehavior.TrackAll ? QuerySettings.Default : QuerySettings.Untracked;

    // Metrics alone, without a span: a span would take as long as the find does.
    async ValueTask<T?> FindMeasuredAsync(DocumentKey key, CancellationToken cancellationToken)
    {
        var time = Context.Node.TimeProvider;
        long start = time.GetTimestamp();
        T? found = null;
        bool hasFailed = true;
        try
        {
            found = await FindStoredAsync(key, cancellationToken).ConfigureAwait(false);
            hasFailed = false;
        }
        finally
        {
            DataTelemetry.Queried(Name, "key", time.GetElapsedTime(start), found is null ? 0 : 1, hasFailed);
        }
        return found;
    }

    async ValueTask<T?> FindReportedAsync(DocumentKey key, CancellationToken cancellationToken)
    {
        var interception = await QueryInterception
            .StartAsync(Context, Metadata, [], () => $"{Name}: the key {key}", hasSpan: false, cancellationToken).ConfigureAwait(false);
        T? found;
        try
        {
            found = await FindStoredAsync(key, cancellationToken).ConfigureAwait(false);
        }
        catch (Exception e)
        {
            await interception!.EndAsync("key", documentsRead: 0, results: 0, Describe, e).ConfigureAwait(false);
            throw;
        }
        int count = found is null ? 0 : 1;
        await interception!.EndAsync("key", count, count, Describe).ConfigureAwait(false);
        return found;

        QueryDescription Describe() => new($"{Name} find by key", "key lookup", null);
    }

    async ValueTask<T?> FindStoredAsync(DocumentKey key, CancellationToken cancellationToken)
    {
        using var operation = Context.Concurrency.Enter();
        var store = await Context.GetStoreAsync(cancellationToken).ConfigureAwait(false);
        using var snapshot = await store.OpenSnapshotAsync(cancellationToken).ConfigureAwait(false);
        snapshot.Observer = Context.Reads;
        var document = await snapshot.GetAsync(Name, key, cancellationToken).ConfigureAwait(false);
        if (document is null)
            return null;
        var entity = Model.Read(key, document);
        return Context.QueryFilters.IsEmpty || new QueryFiltering(Context.QueryFilters, QuerySettings.Default).IsShown(Model, entity)
            ? Context.ChangeTracker.TrackRead(Metadata, key, document, entity)
            : null;
    }

    UnreadableEntity? FindFault(DocumentKey key, Document document)
    {
        try
        {
            Model.Read(key, document);
            return null;
        }
        catch (UnreadableEntityException e)
        {
            return new UnreadableEntity(key, e.Reason);
        }
    }

    EntityEntry<T> Set(T entity, EntityState state)
    {
        var entry = Context.ChangeTracker.EntryOf<T>(Metadata, entity);
        entry.State = state;
        return entry;
    }
}
