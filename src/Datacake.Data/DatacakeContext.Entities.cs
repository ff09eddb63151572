using System.ComponentModel;
using Datacake.Data.Metadata;

namespace Datacake.Data;

// What the keyspaces have, for entities whose class is not said.
public abstract partial class DatacakeContext
{
    /// <summary>
    /// Returns what the context knows of an entity, tracked or not, after a look for changes of its own properties, unless <see cref="ChangeTracker.AutoDetectChangesEnabled"/> is false.
    /// </summary>
    /// <exception cref="InvalidOperationException">No keyspace of the context has entities of this class.</exception>
    public EntityEntry<T> Entry<T>(T entity)
        where T : class
    {
        ArgumentNullException.ThrowIfNull(entity);
        var keyspace = KeyspaceOf(entity.GetType());
        return keyspace.Entity is EntityModel<T> model
            ? ChangeTracker.Refresh(ChangeTracker.EntryOf(model, keyspace, entity))
            : throw new InvalidOperationException(
                $"Entities of {entity.GetType().Name} are stored as {keyspace.Entity.Name}: ask for Entry(({keyspace.Entity.Name})entity), "
                + $"not as {typeof(T).Name}.");
    }

    /// <summary>Returns what the context knows of an entity, as <see cref="Entry{T}(T)"/> does.</summary>
    /// <exception cref="InvalidOperationException">No keyspace of the context has entities of this class.</exception>
    public EntityEntry Entry(object entity) => ChangeTracker.Refresh(EntryOf(entity));

    /// <summary>Tracks an entity that the next save adds; see <see cref="Keyspace{T}.Add"/>.</summary>
    /// <exception cref="InvalidOperationException">
    /// No keyspace of the context has entities of this class; another instance with its key is tracked; or the key is 0, of a type that has no room for generated values.
    /// </exception>
    public EntityEntry Add(object entity)
    {
        var entry = EntryOf(entity);
        ChangeTracker.Add(entry, mayBeStored: false);
        return entry;
    }

    /// <summary>Tracks an entity that the next save adds; nothing needs to be waited for.</summary>
    /// <exception cref="InvalidOperationException">As from <see cref="Add(object)"/>.</exception>
    public ValueTask<EntityEntry> AddAsync(object entity, CancellationToken cancellationToken = default)
    {
        cancellationToken.ThrowIfCancellationRequested();
        return new(Add(entity));
    }

    /// <summary>Tracks entities, of one class or several, that the next save adds.</summary>
    /// <exception cref="InvalidOperationException">As from <see cref="Add(object)"/>.</exception>
    public void AddRange(params IEnumerable<object> entities) => ForEach(entities, entity => Add(entity));

    /// <summary>Tracks entities, of one class or several, that the next save adds; nothing needs to be waited for.</summary>
    /// <exception cref="InvalidOperationException">As from <see cref="Add(object)"/>.</exception>
    public Task AddRangeAsync(IEnumerable<object> entities, CancellationToken cancellationToken = default)
    {
        cancellationToken.ThrowIfCancellationRequested();
        AddRange(entities);
        return Task.CompletedTask;
    }

    /// <summary>Tracks an entity, all properties of which the next save writes; see <see cref="Keyspace{T}.Update"/>.</summary>
    /// <exception cref="InvalidOperationException">No keyspace of the context has entities of this class, or another instance with its key is tracked.</exception>
    public EntityEntry Update(object entity)
    {
        var entry = EntryOf(entity);
        return entry.CurrentState == EntityState.Added ? entry : Set(entry, EntityState.Modified);
    }

    /// <summary>Updates entities of one class or several.</summary>
    /// <exception cref="InvalidOperationException">As from <see cref="Update(object)"/>.</exception>
    public void UpdateRange(params IEnumerable<object> entities) => ForEach(entities, entity => Update(entity));

    /// <summary>Tracks an entity as it is for stored: later changes of it are saved.</summary>
    /// <exception cref="InvalidOperationException">No keyspace of the context has entities of this class, or another instance with its key is tracked.</exception>
    public EntityEntry Attach(object entity)
    {
        var entry = Set(EntryOf(entity), EntityState.Unchanged);
        ChangeTracker.Graph.Attach(entry);
        return entry;
    }

    /// <summary>Tracks entities, of one class or several, as they are for stored.</summary>
    /// <exception cref="InvalidOperationException">As from <see cref="Attach(object)"/>.</exception>
    public void AttachRange(params IEnumerable<object> entities) => ForEach(entities, entity => Attach(entity));

    /// <summary>Makes the next save delete an entity; one that was only added is forgotten.</summary>
    /// <exception cref="InvalidOperationException">No keyspace of the context has entities of this class, or another instance with its key is tracked.</exception>
    public EntityEntry Remove(object entity) => Set(EntryOf(entity), EntityState.Deleted);

    /// <summary>Removes entities of one class or several.</summary>
    /// <exception cref="InvalidOperationException">As from <see cref="Remove(object)"/>.</exception>
    public void RemoveRange(params IEnumerable<object> entities) => ForEach(entities, entity => Remove(entity));

    /// <summary>Returns the entity with this key, or null; see <see cref="Keyspace{T}.FindAsync(object?[])"/>.</summary>
    /// <param name="keyValues">The values of the key's properties, in their order.</param>
    /// <exception cref="ArgumentException">The values are not those of the key.</exception>
    public ValueTask<T?> FindAsync<T>(params object?[] keyValues)
        where T : class => Set<T>().FindAsync(keyValues);

    /// <summary>Returns the entity with this key, or null; see <see cref="Keyspace{T}.FindAsync(object?[], CancellationToken)"/>.</summary>
    /// <param name="keyValues">The values of the key's properties, in their order.</param>
    /// <param name="cancellationToken">Stops waiting.</param>
    /// <exception cref="ArgumentException">The values are not those of the key.</exception>
    public ValueTask<T?> FindAsync<T>(object?[] keyValues, CancellationToken cancellationToken)
        where T : class => Set<T>().FindAsync(keyValues, cancellationToken);

    /// <summary>Is <see cref="FindAsync{T}(object?[])"/> here.</summary>
    [Obsolete("Reading waits for the store: await FindAsync(key).", error: true), EditorBrowsable(EditorBrowsableState.Never)]
    public T? Find<T>(params object?[] keyValues)
        where T : class => throw new NotSupportedException("Await FindAsync(key).");

    /// <summary>Is not needed here.</summary>
    [Obsolete(
        "There is no database server: a node opens its store, and the model needs no migrations. Start the node with DatacakeNode.StartAsync or AddDatacake.", error: true)]
    [EditorBrowsable(EditorBrowsableState.Never)]
    public object Database => throw new NotSupportedException("There is no database server.");

    EntityEntry EntryOf(object entity)
    {
        ArgumentNullException.ThrowIfNull(entity);
        return ChangeTracker.EntryOf(KeyspaceOf(entity.GetType()), entity);
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
