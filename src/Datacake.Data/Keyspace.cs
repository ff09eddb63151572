using System.ComponentModel;
using System.Linq.Expressions;
using System.Runtime.CompilerServices;
using Datacake.Crdt;
using Datacake.Data.Metadata;
using Datacake.Data.Querying;
using Datacake.EventualConsistency;
using Datacake.Node;
using Datacake.Storage;

namespace Datacake.Data;

/// <summary>
/// The entities of one class in a context: a query for all of them, to start others from, and where entities are added and removed. Not
/// thread-safe, as the context.
/// </summary>
public sealed class Keyspace<T> : KeyspaceQuery<T>
    where T : class
{
    internal Keyspace(DatacakeContext context, KeyspaceModel keyspace, EntityModel<T> model)
    {
        Context = context;
        Metadata = keyspace;
        Model = model;
    }

    /// <summary>The name in the store.</summary>
    public string Name => Metadata.Name;

    /// <summary>Gets the entities that the context tracks, without those that are to be deleted.</summary>
    public LocalView<T> Local => new(this);

    internal DatacakeContext Context { get; }

    internal KeyspaceModel Metadata { get; }

    internal EntityModel<T> Model { get; }

    /// <summary>
    /// Tracks an entity that the next save adds, with all those that it leads to. The save fails with an <see cref="EntityConflictException"/> if the local store has an entity with its key by then; one that
    /// another node adds at the same time merges with it. A <see cref="Guid"/>, <see cref="long"/> or <see cref="ulong"/> key that is empty or 0 gets a value that no
    /// other node makes, unless the model says otherwise.
    /// </summary>
    /// <exception cref="InvalidOperationException">Another instance with its key is tracked; or the key is 0, of a type that has no room for generated values.</exception>
    public EntityEntry<T> Add(T entity) => AddGraph(entity, mayBeStored: false);

    /// <param name="entity">The entity.</param>
    /// <param name="mayBeStored">True if what it leads to is updated if it is stored.</param>
    EntityEntry<T> AddGraph(T entity, bool mayBeStored)
    {
        var added = Context.ChangeTracker.EntryOf(Model, Metadata, entity);
        Context.ChangeTracker.Add(added, mayBeStored);
        return added;
    }

    /// <summary>
    /// Tracks an entity that the next save puts as a whole, in the place of whatever the store has under its key: what that one had and this one has not is gone. What it leads to is
    /// added, or updated if it is stored. Keys are generated as by <see cref="Add"/>.
    /// </summary>
    /// <exception cref="InvalidOperationException">Another instance with its key is tracked; or the key is 0, of a type that has no room for generated values.</exception>
    public EntityEntry<T> Put(T entity)
    {
        var entry = AddGraph(entity, mayBeStored: true);
        entry.MayReplace = true;
        return entry;
    }

    /// <summary>Puts several entities.</summary>
    /// <exception cref="InvalidOperationException">Another instance with the key of one is tracked.</exception>
    public void PutRange(params IEnumerable<T> entities)
    {
        ArgumentNullException.ThrowIfNull(entities);
        foreach (var entity in entities)
            Put(entity);
    }

    /// <summary>Tracks an entity that the next save adds; nothing needs to be waited for.</summary>
    /// <exception cref="InvalidOperationException">As from <see cref="Add"/>.</exception>
    public ValueTask<EntityEntry<T>> AddAsync(T entity, CancellationToken cancellationToken = default)
    {
        cancellationToken.ThrowIfCancellationRequested();
        return new(Add(entity));
    }

    /// <summary>Tracks several entities that the next save adds; nothing needs to be waited for.</summary>
    /// <exception cref="InvalidOperationException">Another instance with the key of one is tracked.</exception>
    public Task AddRangeAsync(IEnumerable<T> entities, CancellationToken cancellationToken = default)
    {
        cancellationToken.ThrowIfCancellationRequested();
        AddRange(entities);
        return Task.CompletedTask;
    }

    /// <summary>Adds several entities.</summary>
    /// <exception cref="InvalidOperationException">Another instance with the key of one is tracked.</exception>
    public void AddRange(params IEnumerable<T> entities)
    {
        ArgumentNullException.ThrowIfNull(entities);
        foreach (var entity in entities)
            Add(entity);
    }

    /// <summary>
    /// Tracks an entity, all properties of which the next save writes, changed or not. An entity that came from a query need not be
    /// updated: its changes are found.
    /// </summary>
    /// <exception cref="InvalidOperationException">Another instance with its key is tracked.</exception>
    public EntityEntry<T> Update(T entity)
    {
        var entry = Context.ChangeTracker.EntryOf(Model, Metadata, entity);
        if (entry.CurrentState != EntityState.Added)
            entry.State = EntityState.Modified;
        return entry;
    }

    /// <summary>Updates several entities.</summary>
    public void UpdateRange(params IEnumerable<T> entities)
    {
        ArgumentNullException.ThrowIfNull(entities);
        foreach (var entity in entities)
            Update(entity);
    }

    /// <summary>Tracks an entity, and those that it leads to, as they are for stored: later changes of them are saved. Those that have no key yet are added.</summary>
    /// <exception cref="InvalidOperationException">Another instance with its key is tracked.</exception>
    /// <exception cref="EntityValidationException">It has a value that cannot be stored.</exception>
    public EntityEntry<T> Attach(T entity)
    {
        var entry = Set(entity, EntityState.Unchanged);
        Context.ChangeTracker.Graph.Attach(entry);
        return entry;
    }

    /// <summary>The next save deletes the entity; one that was only added is forgotten.</summary>
    /// <exception cref="InvalidOperationException">Another instance with its key is tracked.</exception>
    public EntityEntry<T> Remove(T entity) => Set(entity, EntityState.Deleted);

    /// <summary>Attaches several entities.</summary>
    /// <exception cref="InvalidOperationException">Another instance with the key of one is tracked.</exception>
    public void AttachRange(params IEnumerable<T> entities)
    {
        ArgumentNullException.ThrowIfNull(entities);
        foreach (var entity in entities)
            Attach(entity);
    }

    /// <summary>Returns what the context knows of an entity, tracked or not, after a look for changes of its own properties.</summary>
    public EntityEntry<T> Entry(T entity) => Context.ChangeTracker.Refresh(Context.ChangeTracker.EntryOf(Model, Metadata, entity));

    /// <summary>Removes several entities.</summary>
    public void RemoveRange(params IEnumerable<T> entities)
    {
        ArgumentNullException.ThrowIfNull(entities);
        foreach (var entity in entities)
            Remove(entity);
    }

    /// <summary>
    /// The entity with this key: the tracked instance if there is one, even unsaved, else from the store; null if there is none, or it is
    /// to be deleted, or no entity can have such a key.
    /// </summary>
    /// <param name="keyValues">The values of the key's properties, in their order.</param>
    /// <exception cref="ArgumentException">The values are not those of the key.</exception>
    public ValueTask<T?> FindAsync(params object?[] keyValues) => FindAsync(keyValues, CancellationToken.None);

    /// <summary>The same, with cancellation.</summary>
    /// <param name="keyValues">The values of the key's properties, in their order.</param>
    /// <param name="cancellationToken">Stops waiting.</param>
    /// <exception cref="ArgumentException">The values are not those of the key.</exception>
    public async ValueTask<T?> FindAsync(object?[] keyValues, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(keyValues);
        Context.Concurrency.ThrowIfBusy();
        if (Model.FindKey(keyValues) is not { } key)
            return null;
        if (Context.ChangeTracker.TryGetEntry(Model, key, out var entry))
            return entry.CurrentState == EntityState.Deleted ? null : (T)entry.Entity;
        return Context.HasInterceptors
            ? await FindInterceptedAsync(key, cancellationToken).ConfigureAwait(false)
            : await FindStoredAsync(key, cancellationToken).ConfigureAwait(false);
    }

    /// <summary>Is <see cref="FindAsync(object?[])"/> here.</summary>
    [Obsolete("Reading waits for the store: await FindAsync(key).", error: true), EditorBrowsable(EditorBrowsableState.Never)]
    public T? Find(params object?[] keyValues) => throw new NotSupportedException("Await FindAsync(key).");

    /// <summary>
    /// Returns the keyspace for reads that other nodes take part in: <c>await db.Products.WithConsistency(Consistency.Quorum).FindAsync(1L)</c>, and queries too, see whatever was
    /// saved at <see cref="Consistency.Quorum"/> before, on any node.
    /// </summary>
    public new ConsistentReads<T> WithConsistency(Consistency consistency) => new(this, consistency);

    /// <summary>Is a query in C# here.</summary>
    [Obsolete("There is no SQL: write the query in C#, with Where, OrderBy and Select.", error: true), EditorBrowsable(EditorBrowsableState.Never)]
    public Query<T> FromSql(FormattableString sql) => throw new NotSupportedException("There is no SQL.");

    /// <summary>
    /// Returns a query for the entities that can be read. Without it, a query that meets an entity which is not as its class declares it throws an
    /// <see cref="UnreadableEntityException"/>. It reads the entities as a whole, also for counts and projections, so that these are of the same entities.
    /// </summary>
    public Query<T> SkipUnreadable() => new EntityQuery<T>(this, new QuerySpec<T> { SkipsUnreadable = true }, Settings);

    /// <summary>Reads all entities in the store, and returns those that cannot be read: they were written by another version of the class, or as something else.</summary>
    /// <param name="cancellationToken">Stops reading.</param>
    /// <exception cref="StorageException">The store cannot be read.</exception>
    public async IAsyncEnumerable<UnreadableEntity> ListUnreadableAsync([EnumeratorCancellation] CancellationToken cancellationToken = default)
    {
        var store = await Context.GetStoreAsync(cancellationToken).ConfigureAwait(false);
        await foreach (var (key, document) in store.Keyspace(Name).ReadAllAsync(cancellationToken).ConfigureAwait(false))
        {
            if (FindFault(key, document) is { } unreadable)
                yield return unreadable;
        }
    }

    /// <summary>Deletes all entities that cannot be read, 500 at a time.</summary>
    /// <param name="consistency">How many replicas each transaction waits for.</param>
    /// <param name="cancellationToken">Stops between two transactions; what was deleted by then stays deleted.</param>
    /// <returns>The number of entities that were deleted.</returns>
    /// <exception cref="NotEnoughNodesException">The members that are up cannot satisfy the level.</exception>
    /// <exception cref="ConsistencyException">The level was not satisfied in time. What was deleted stays deleted.</exception>
    public async Task<int> DeleteUnreadableAsync(Consistency consistency = Consistency.Quorum, CancellationToken cancellationToken = default)
    {
        const int DeletesPerTransaction = 500;
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
            await store.Keyspace(Name).DeleteManyAsync(keys, consistency, cancellationToken).ConfigureAwait(false);
            deleted += keys.Count;
            keys.Clear();
        }
    }

    private protected override Query<T> Entities => new EntityQuery<T>(this, new QuerySpec<T>(), Settings);

    QuerySettings Settings => Context.ChangeTracker.QueryTrackingBehavior == QueryTrackingBehavior.TrackAll ? QuerySettings.Default : QuerySettings.Untracked;

    async ValueTask<T?> FindInterceptedAsync(DocumentKey key, CancellationToken cancellationToken)
    {
        var interception = await QueryInterception
            .StartAsync(Context, Metadata, [], () => $"{Name}: the key {key}", cancellationToken).ConfigureAwait(false);
        T? found;
        try
        {
            found = await FindStoredAsync(key, cancellationToken).ConfigureAwait(false);
        }
        catch (Exception e)
        {
            await interception!.EndAsync(documentsRead: 0, results: 0, e).ConfigureAwait(false);
            throw;
        }
        int count = found is null ? 0 : 1;
        await interception!.EndAsync(count, count).ConfigureAwait(false);
        return found;
    }

    async ValueTask<T?> FindStoredAsync(DocumentKey key, CancellationToken cancellationToken)
    {
        using var operation = Context.Concurrency.Enter();
        var store = await Context.GetStoreAsync(cancellationToken).ConfigureAwait(false);
        using var snapshot = await store.OpenSnapshotAsync(cancellationToken).ConfigureAwait(false);
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
        var entry = Context.ChangeTracker.EntryOf(Model, Metadata, entity);
        entry.State = state;
        return entry;
    }
}
