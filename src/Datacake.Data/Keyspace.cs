using System.Linq.Expressions;
using Datacake.Data.Metadata;
using Datacake.Data.Querying;
using Datacake.EventualConsistency;
using Datacake.Node;

namespace Datacake.Data;

/// <summary>
/// The entities of one class in a context: a query for all of them, to start others from, and where entities are added and removed. Not
/// thread-safe, as the context.
/// </summary>
public sealed class Keyspace<T> : Query<T>
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

    internal DatacakeContext Context { get; }

    internal KeyspaceModel Metadata { get; }

    internal EntityModel<T> Model { get; }

    /// <summary>
    /// Tracks an entity that the next save puts as a whole. A <see cref="Guid"/>, <see cref="long"/> or <see cref="ulong"/> key that is
    /// empty or 0 gets a value that no other node makes, unless the model says otherwise.
    /// </summary>
    /// <exception cref="InvalidOperationException">Another instance with its key is tracked.</exception>
    public EntityEntry<T> Add(T entity)
    {
        ArgumentNullException.ThrowIfNull(entity);
        ((EntityModel)Model).GenerateKey(entity, Context.KeyGenerator);
        return Set(entity, EntityState.Added);
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

    /// <summary>Tracks an entity as it is for stored: later changes of it are saved.</summary>
    /// <exception cref="InvalidOperationException">Another instance with its key is tracked.</exception>
    public EntityEntry<T> Attach(T entity) => Set(entity, EntityState.Unchanged);

    /// <summary>The next save deletes the entity; one that was only added is forgotten.</summary>
    /// <exception cref="InvalidOperationException">Another instance with its key is tracked.</exception>
    public EntityEntry<T> Remove(T entity) => Set(entity, EntityState.Deleted);

    /// <summary>Removes several entities.</summary>
    public void RemoveRange(params IEnumerable<T> entities)
    {
        ArgumentNullException.ThrowIfNull(entities);
        foreach (var entity in entities)
            Remove(entity);
    }

    /// <summary>
    /// The entity with this key: the tracked instance if there is one, even unsaved, else from the store; null if there is none, or it is
    /// to be deleted.
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
        var key = Model.KeyOf(keyValues);
        using var operation = Context.Concurrency.Enter();
        if (Context.ChangeTracker.TryGetEntry(Model, key, out var entry))
            return entry.CurrentState == EntityState.Deleted ? null : (T)entry.Entity;
        var store = await Context.GetStoreAsync(cancellationToken).ConfigureAwait(false);
        using var snapshot = await store.OpenSnapshotAsync(cancellationToken).ConfigureAwait(false);
        var document = await snapshot.GetAsync(Name, key, cancellationToken).ConfigureAwait(false);
        return document is null ? null : Context.ChangeTracker.TrackRead(Metadata, key, document, Model.Read(key, document));
    }

    /// <summary>
    /// Reads by key that other nodes take part in: <c>await db.Products.WithConsistency(Consistency.Quorum).FindAsync(1L)</c> sees whatever was
    /// saved at <see cref="Consistency.Quorum"/> before, on any node.
    /// </summary>
    public ConsistentReads<T> WithConsistency(Consistency consistency) => new(this, consistency);

    /// <inheritdoc/>
    public override Query<T> AsNoTracking() => All.AsNoTracking();

    /// <inheritdoc/>
    public override string Explain() => All.Explain();

    internal override CompiledExpressions Expressions => Model.Expressions;

    internal override QuerySource Source => All.Source;

    internal override IAsyncEnumerable<IReadOnlyList<T>> RunAsync(CancellationToken cancellationToken) => All.RunAsync(cancellationToken);

    internal override Task<List<T>> ToListCore(CancellationToken cancellationToken) => All.ToListCore(cancellationToken);

    internal override Query<T> WhereCore(Expression<Func<T, bool>> predicate) => All.WhereCore(predicate);

    internal override Query<TResult> SelectCore<TResult>(Expression<Func<T, TResult>> selector) => All.SelectCore(selector);

    internal override OrderedQuery<T> OrderByCore(IReadOnlyList<Ordering<T>> orderings) => All.OrderByCore(orderings);

    internal override Query<T> SkipCore(int count) => All.SkipCore(count);

    internal override Query<T> TakeCore(int count) => All.TakeCore(count);

    internal override ValueTask<long> CountCoreAsync(CancellationToken cancellationToken) => All.CountCoreAsync(cancellationToken);

    internal override Task<SaveResult> ExecuteCore(Action<object>? update, Consistency? consistency, CancellationToken cancellationToken) =>
        All.ExecuteCore(update, consistency, cancellationToken);

    internal override Task<TResult?> ExtremeCore<TResult>(
        Expression<Func<T, TResult>> selector, bool isGreatest, CancellationToken cancellationToken)
        where TResult : default => All.ExtremeCore(selector, isGreatest, cancellationToken);

    internal override IAsyncEnumerable<EntityChanges<T>> WatchCore(WatchPosition? after, CancellationToken cancellationToken) =>
        All.WatchCore(after, cancellationToken);

    EntityQuery<T> All => new(this, new QuerySpec<T>());

    EntityEntry<T> Set(T entity, EntityState state)
    {
        var entry = Context.ChangeTracker.EntryOf(Model, Metadata, entity);
        entry.State = state;
        return entry;
    }
}
