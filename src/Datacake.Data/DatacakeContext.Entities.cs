using System.ComponentModel;
using Datacake.Data.CodeGeneration;

namespace Datacake.Data;

// The operations of keyspaces, for entities whose class is known only at run time.
public abstract partial class DatacakeContext
{
    /// <summary>
    /// Returns the entry of an entity, tracked or not. Detects changes to the entity's own properties first, unless
    /// <see cref="ChangeTracker.AutoDetectChangesEnabled"/> is false.
    /// </summary>
    /// <exception cref="InvalidOperationException">The context has no keyspace for this class.</exception>
    public EntityEntry<T> Entry<T>(T entity)
        where T : class
    {
        ArgumentNullException.ThrowIfNull(entity);
        var keyspace = Model.KeyspaceOf(entity.GetType());
        return keyspace.Entity is EntityModel<T>
            ? ChangeTracker.Refresh(ChangeTracker.EntryOf<T>(keyspace, entity))
            : throw new InvalidOperationException(
                $"{entity.GetType().Name} entities are stored as {keyspace.Entity.Name}, not as {typeof(T).Name}. "
                + $"Call Entry(({keyspace.Entity.Name})entity).");
    }

    /// <summary>Returns the entry of an entity, as <see cref="Entry{T}(T)"/> does.</summary>
    /// <exception cref="InvalidOperationException">The context has no keyspace for this class.</exception>
    public EntityEntry Entry(object entity) => ChangeTracker.Refresh(EntryOf(entity));

    /// <summary>Tracks an entity as added, so that the next save writes it; see <see cref="Keyspace{T}.Add"/>.</summary>
    /// <exception cref="InvalidOperationException">
    /// The context has no keyspace for this class; another instance with the same key is tracked; or the key is 0, of a type that has no
    /// room for generated values.
    /// </exception>
    public EntityEntry Add(object entity)
    {
        var entry = EntryOf(entity);
        ChangeTracker.Add(entry, mayBeStored: false);
        return entry;
    }

    /// <summary>Tracks an entity as added. The method completes synchronously.</summary>
    /// <exception cref="InvalidOperationException">See <see cref="Add(object)"/>.</exception>
    public ValueTask<EntityEntry> AddAsync(object entity, CancellationToken cancellationToken = default)
    {
        cancellationToken.ThrowIfCancellationRequested();
        return new(Add(entity));
    }

    /// <summary>Tracks entities of one or more classes as added.</summary>
    /// <exception cref="InvalidOperationException">See <see cref="Add(object)"/>.</exception>
    public void AddRange(params IEnumerable<object> entities) => ForEach(entities, entity => Add(entity));

    /// <summary>Tracks entities of one or more classes as added. The method completes synchronously.</summary>
    /// <exception cref="InvalidOperationException">See <see cref="Add(object)"/>.</exception>
    public Task AddRangeAsync(IEnumerable<object> entities, CancellationToken cancellationToken = default)
    {
        cancellationToken.ThrowIfCancellationRequested();
        AddRange(entities);
        return Task.CompletedTask;
    }

    /// <summary>
    /// Tracks an entity as modified, so that the next save writes all its properties; see <see cref="Keyspace{T}.Update"/>.
    /// </summary>
    /// <exception cref="InvalidOperationException">
    /// The context has no keyspace for this class, or another instance with the same key is tracked.
    /// </exception>
    public EntityEntry Update(object entity)
    {
        var entry = EntryOf(entity);
        return entry.CurrentState == EntityState.Added ? entry : Set(entry, EntityState.Modified);
    }

    /// <summary>Tracks entities of one or more classes as modified.</summary>
    /// <exception cref="InvalidOperationException">See <see cref="Update(object)"/>.</exception>
    public void UpdateRange(params IEnumerable<object> entities) => ForEach(entities, entity => Update(entity));

    /// <summary>
    /// Tracks an entity as unchanged: its current values are assumed to be the stored ones, and later changes are saved.
    /// </summary>
    /// <exception cref="InvalidOperationException">
    /// The context has no keyspace for this class, or another instance with the same key is tracked.
    /// </exception>
    public EntityEntry Attach(object entity)
    {
        var entry = Set(EntryOf(entity), EntityState.Unchanged);
        ChangeTracker.Graph.Attach(entry);
        return entry;
    }

    /// <summary>Tracks entities of one or more classes as unchanged.</summary>
    /// <exception cref="InvalidOperationException">See <see cref="Attach(object)"/>.</exception>
    public void AttachRange(params IEnumerable<object> entities) => ForEach(entities, entity => Attach(entity));

    /// <summary>Marks an entity as deleted, so that the next save deletes it. Stops tracking an entity that was only added.</summary>
    /// <exception cref="InvalidOperationException">
    /// The context has no keyspace for this class, or another instance with the same key is tracked.
    /// </exception>
    public EntityEntry Remove(object entity) => Set(EntryOf(entity), EntityState.Deleted);

    /// <summary>Marks entities of one or more classes as deleted.</summary>
    /// <exception cref="InvalidOperationException">See <see cref="Remove(object)"/>.</exception>
    public void RemoveRange(params IEnumerable<object> entities) => ForEach(entities, entity => Remove(entity));

    /// <summary>Finds the entity with a key; returns null if there is none. See <see cref="Keyspace{T}.FindAsync(object?[])"/>.</summary>
    /// <param name="keyValues">The values of the key properties, in order.</param>
    /// <exception cref="ArgumentException">The values do not match the key.</exception>
    public ValueTask<T?> FindAsync<T>(params object?[] keyValues)
        where T : class => Set<T>().FindAsync(keyValues);

    /// <summary>
    /// Finds the entity with a key; returns null if there is none. See <see cref="Keyspace{T}.FindAsync(object?[], CancellationToken)"/>.
    /// </summary>
    /// <param name="keyValues">The values of the key properties, in order.</param>
    /// <param name="cancellationToken">Cancels the wait.</param>
    /// <exception cref="ArgumentException">The values do not match the key.</exception>
    public ValueTask<T?> FindAsync<T>(object?[] keyValues, CancellationToken cancellationToken)
        where T : class => Set<T>().FindAsync(keyValues, cancellationToken);

    /// <summary>Not supported. Use <see cref="FindAsync{T}(object?[])"/>.</summary>
    [Obsolete("Reads are asynchronous. Await FindAsync(key).", error: true), EditorBrowsable(EditorBrowsableState.Never)]
    public T? Find<T>(params object?[] keyValues)
        where T : class => throw new NotSupportedException("Reads are asynchronous. Await FindAsync(key).");

    /// <summary>Not supported. A node opens its own store.</summary>
    [Obsolete(
        "There is no database server. A node opens its own store, and the model needs no migrations. Start the node with DatacakeNode.StartAsync or AddDatacake. In place of Database.BeginTransaction, "
            + "save all changes at once; if the transaction has to be serializable, use RunSerialAsync or BeginSerialAsync with [Serial] classes.", error: true)]
    [EditorBrowsable(EditorBrowsableState.Never)]
    public object Database => throw new NotSupportedException("There is no database server.");

    EntityEntry EntryOf(object entity)
    {
        ArgumentNullException.ThrowIfNull(entity);
        return ChangeTracker.EntryOf(Model.KeyspaceOf(entity.GetType()), entity);
    }

    static void ForEach(IEnumerable<object> entities, Action<object> change)
    {
        ArgumentNullException.ThrowIfNull(entities);
        foreach (object entity in entities)
            change(entity);
    }

    static EntityEntry Set(EntityEntry entry, EntityState state)
    {
        entry.State = state;
        return entry;
    }
}
